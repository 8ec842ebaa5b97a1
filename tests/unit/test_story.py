"""The report's headings, pictures and sentences, on made-up readings: what is drawn, what is told,
and with which numbers."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from twin.mechanisms import REGISTRY
from twin.readers.baseline import Windows
from twin.readers.chapters import chapters
from twin.readers.courses import courses
from twin.readers.lines import styled
from twin.readers.moves import phrase
from twin.readers.panels import HEADINGS
from twin.readers.pictures import Section, drawn_marks, time_range
from twin.readers.story import story
from twin.record.results import Metrics
from twin.world.arms import ARMS, declared
from twin.world.metric import Metric

DAYS = 120
POLICY = [(dt.datetime(2025, 3, 2, tzinfo=dt.UTC), "a rule")]  # the 60th day
DAY = np.arange(DAYS + 1)
WAVE = np.sin(DAY * 2.1)


def gauge(name: str, panel: str = "Supply", **more: Any) -> Metric:
    return Metric(
        name,
        "gauge",
        more.pop("unit", "1"),
        more.pop("help", f"Mean {name}."),
        more.pop("side", "producer"),
        panel,
        **more,
    )


def read(*series: tuple[Metric, np.ndarray]) -> Metrics:
    """A run of 120 daily readings; values (readings,) or (readings, series of the metric)."""
    times = np.datetime64("2025-01-01", "s") + DAY * np.timedelta64(1, "D")
    return Metrics(
        [metric for metric, _ in series],
        times,
        np.column_stack([values for _, values in series]).astype(float),
    )


def told(metrics: Metrics, marks: Any = POLICY) -> str:
    return " ".join(story(chapters(metrics, "producer"), Windows(metrics, marks), marks))


def test_headings_are_those_of_the_mechanisms() -> None:
    """Every built-in metric's heading has its place in the story of its side, and no place is
    empty."""
    used = {
        (metric.side, metric.panel.partition(": ")[0])
        for metric in declared(list(REGISTRY.values()))
    }
    assert used == {(side, heading) for side, headings in HEADINGS.items() for heading in headings}


def test_headings_follow_the_story_and_own_ones_come_last() -> None:
    """Declared order does not matter; a heading nobody knows comes after those of the story."""
    metrics = read(
        (gauge("a", "Mine"), WAVE), (gauge("b", "Who earns"), WAVE), (gauge("c", "Supply"), WAVE)
    )
    assert [chapter.heading for chapter in chapters(metrics, "producer")] == [
        "Supply",
        "Who earns",
        "Mine",
    ]


def test_of_readings_by_arm_only_whole_arms_with_readings_are_drawn() -> None:
    """Strata and arms of policies that there are not are neither drawn nor listed."""
    metric = next(one for one in declared(list(REGISTRY.values())) if one.name == "trial_sessions")
    values = np.full((len(WAVE), len(ARMS)), np.nan)
    read_ = ("everybody", "treated-1", "control-1", "treated-1-alone", "treated-1-within-2")
    for arm in read_:
        values[:, ARMS.index(arm)] = WAVE
    (chapter,) = chapters(read((metric, values)), "consumer")
    drawn = [line.label for picture in chapter.pictures for line in picture.series]
    assert drawn == list(read_[:3]) and chapter.quiet == ""


def test_related_lines_share_a_picture_where_units_agree() -> None:
    """Same ``Heading: Picture`` and unit: one picture; another unit: its own; a plain heading: its
    own."""
    metrics = read(
        (gauge("a", "Supply: Both"), WAVE),
        (gauge("b", "Supply: Both"), 2 * WAVE),
        (gauge("c", "Supply: Both", unit="s"), WAVE),
        (gauge("d"), WAVE),
        (gauge("e"), WAVE),
    )
    (chapter,) = chapters(metrics, "producer")
    assert [(picture.title, len(picture.series)) for picture in chapter.pictures] == [
        ("Both", 2),
        ("C", 1),
        ("D", 1),
        ("E", 1),
    ]


def test_two_labels_make_a_picture_per_value_of_the_first() -> None:
    """Lines by the second label, and named by it alone."""
    metric = gauge("m", labels={"entity": ("post", "consumer"), "bucket": ("0", "1+")})
    (chapter,) = chapters(read((metric, np.column_stack([WAVE] * 4))), "producer")
    assert [picture.title for picture in chapter.pictures] == ["M: post", "M: consumer"]
    assert [
        one.label.removeprefix(picture.within)
        for picture in chapter.pictures
        for one in picture.series
    ] == ["0", "1+", "0", "1+"]


def test_standard_errors_are_bands_not_lines() -> None:
    """NAME_se belongs to NAME, NAME_mean_se's short form to NAME_mean; one without an estimate is
    an ordinary series."""
    metrics = read(
        (gauge("beta"), WAVE),
        (gauge("beta_se"), 0.1 + 0.01 * WAVE),
        (gauge("net_mean"), WAVE),
        (gauge("net_se"), WAVE),
        (gauge("lone_se"), WAVE),
    )
    (chapter,) = chapters(metrics, "producer")
    assert [(picture.key, picture.errors[0] is not None) for picture in chapter.pictures] == [
        ("beta", True),
        ("net_mean", True),
        ("lone_se", False),
    ]


def test_what_never_moves_is_told_in_words() -> None:
    """Zero, constant and unread series are not drawn; a metric whose series are all still is named
    once; others by label."""
    by = {"by": ("human", "ai")}
    nothing = np.full((DAYS + 1, 2), 0.0)
    nothing[0] = 5  # the first reading is of a world in which nothing has happened yet
    metrics = read(
        (gauge("blocked", labels=by), nothing),
        (gauge("dim", unit="floats"), np.full(DAYS + 1, 32.0)),
        (gauge("half", labels=by), np.column_stack([WAVE, 0 * WAVE])),
        (gauge("never"), np.full(DAYS + 1, np.nan)),
        (
            Metric("bins", "histogram", "posts", "Posts.", "producer", "Supply", edges=(0.0, 1.0)),
            np.zeros((DAYS + 1, 2)),
        ),
    )
    (chapter,) = chapters(metrics, "producer")
    assert [[one.name for one in picture.series] for picture in chapter.pictures] == [
        ["Half, human"]
    ]
    assert chapter.quiet == (
        "At zero throughout: Blocked, Half, AI, Bins. Unchanged throughout: Dim at 32 floats. "
        "Never read: Never."
    )


def test_numbers_in_the_story_are_means_of_the_two_weeks() -> None:
    """A headline that doubles after the policy is told with both means, their unit and the
    change."""
    values = np.where(DAY <= 60, 10.0, 20.0) + 0.01 * WAVE
    text = told(
        read(
            (
                gauge(
                    "reach",
                    unit="impressions",
                    headline=True,
                    help="Impressions of posts, since the last reading.",
                ),
                values,
            )
        )
    )
    assert (
        "From the week before “a rule” on 2 March to the last week, impressions of posts rose from 10 to 20 "
        "impressions (+100 %)." in text
    )
    assert (
        "within two weeks of “a rule” (02 March), impressions of posts rose from 10 to 20 "
        "impressions (+100 %)" in text
    )


def test_better_and_worse_follow_the_declared_direction() -> None:
    """``good`` decides in which sentence a change stands; the largest relative change comes first;
    neither way: not told."""
    step = DAY > 60
    text = told(
        read(
            (gauge("income", good="up", panel="Who earns"), 1 + step + 0.001 * WAVE),
            (gauge("exits", good="down", panel="Who stays"), 1 + 2 * step + 0.001 * WAVE),
            (gauge("morale", good="up"), 1 - 0.5 * step + 0.001 * WAVE),
            (gauge("other"), 1 + step + 0.001 * WAVE),
        ),
        (),
    )
    assert "Other improvements: the mean income rose from 1 to 2 (+100 %)." in text
    assert (
        "Other deteriorations: the mean exits rose from 1 to 3 (+200 %); the mean morale fell from "
        "1 to 0.5 (−50 %)." in text
    )
    assert "other" not in text


def test_the_same_numbers_are_told_once() -> None:
    """Two metrics that hold the same thing (all communities have AI creators, say) take one place
    in a sentence."""
    exits = 2 - (DAY > 60) + 0.001 * WAVE
    text = told(
        read(
            (gauge("exits", good="down"), exits), (gauge("copies", "Who stays", good="down"), exits)
        ),
        (),
    )
    assert "Other improvements: the mean exits fell from 2 to 1 (−50 %)." in text


def test_luck_is_not_told() -> None:
    """Changes within noise or 3 % of the value make no story: the headline is called steady, and no
    policy moved anything."""
    noise = np.random.default_rng(3).normal(0, 0.3, (DAYS + 1, 1))
    text = told(read((gauge("m", headline=True), 10 + noise[:, 0])))
    assert (
        "No change beyond noise or 3 %: the mean m (" in text
        and "rose" not in text
        and "fell" not in text
    )
    assert "No series here has a break around “a rule”." in text


def test_a_trend_is_no_break() -> None:
    """A series that rises all year rises around a policy too, and is not laid at its door."""
    text = told(read((gauge("m", headline=True), 10 + 0.1 * DAY + 0.01 * WAVE)))
    assert "the mean m rose from" in text and "No series here has a break" in text


def test_policies_near_the_ends_are_not_judged() -> None:
    """Without a week before and two weeks after there is nothing to compare, and the story does not
    claim that nothing moved."""
    late = [
        (POLICY[0][0] + dt.timedelta(days=55), "too late"),
        (dt.datetime(2025, 1, 3, tzinfo=dt.UTC), "too early"),
    ]
    text = told(read((gauge("m", headline=True), 10 + 0.1 * DAY + 0.01 * WAVE)), late)
    assert "No series here has a break" not in text and "Around the policies" not in text


def test_settings_and_stale_readings_are_not_outcomes() -> None:
    """A series of a few values is a setting; one that is read again without anything new has no
    last week."""
    setting = np.where(DAY > 60, 64.0, 32.0)
    stale = np.where(DAY > 80, 0.5, 0.2 + 0.01 * WAVE)
    text = told(read((gauge("dim"), setting), (gauge("persuasion", good="down"), stale)))
    assert "dim" not in text and "persuasion" not in text


@pytest.mark.parametrize(
    ("words", "phrased"),
    [
        ("Mean satisfaction of active people.", "the mean satisfaction of active people"),
        (
            "Share of AI posts made since the last reading that are shown.",
            "the share of AI posts made that are shown",
        ),
        ("Gini of pay across creators.", "the Gini of pay across creators"),
        ("AI posts that the cap kept back.", "AI posts that the cap kept back"),
        ("1 while a new generation warms up.", "m"),
    ],
)
def test_phrases(words: str, phrased: str) -> None:
    """The help sentence becomes a phrase within a sentence; long or numeric ones fall back to the
    name."""
    assert phrase(gauge("m", help=words)) == phrased


def test_short_runs_have_no_story() -> None:
    """Before there is anything to compare, nothing is told."""
    metrics = read((gauge("m", headline=True), WAVE))
    short = Metrics(list(metrics.declared.values()), metrics.times[:5], metrics.values[:5])
    assert story(chapters(short, "producer"), Windows(short, ()), ()) == []


def test_a_wild_beginning_does_not_flatten_the_rest() -> None:
    """The axis follows the usual readings and says that some lie beyond; all stay in the data, at
    most one per pixel."""
    values = 10 + WAVE
    values[1] = 1000
    metrics = read((gauge("m"), values))
    x_range = time_range(metrics)
    picture = courses(
        metrics.times,
        styled([("M", "")], [values]),
        "",
        Section(x_range, drawn_marks(POLICY, x_range)),
    )
    assert picture.remark == "A few readings are outside the picture."
    plot = picture.figure()
    assert 11 < plot.y_range.end < 20
    assert np.nanmax(plot.select_one({"name": "M"}).data_source.data["M"]) == 1000


def test_colour_tells_the_label_and_dashes_the_metric() -> None:
    """Humans are blue and AI orange in every metric of a shared picture."""
    lines = styled([("A", "human"), ("A", "ai"), ("B", "human"), ("B", "ai")], [WAVE] * 4)
    assert [line.colour for line in lines] == [lines[0].colour, lines[1].colour] * 2 and lines[
        0
    ].colour != lines[1].colour
    assert [line.dash for line in lines] == ["solid", "solid", "dashed", "dashed"]
    assert [line.name for line in lines] == ["A, human", "A, AI", "B, human", "B, AI"]


def test_a_change_under_way_before_the_policy_is_said_to_be() -> None:
    """A trend that would have made two thirds of the change is told with its share, right after the
    change; a step from rest is not."""
    noise = np.random.default_rng(5).normal(0, 0.05, (DAYS + 1, 3))
    trend = 10 + 0.05 * DAY + 1.5 * (DAY > 60) + noise[:, 0]
    step = 10 + 3 * (DAY > 60) + noise[:, 1]
    against = 10 + 0.05 * DAY - 9 * (DAY > 60) + noise[:, 2]
    metrics = read(
        (gauge("morale", headline=True, good="up"), trend),
        (gauge("reach", headline=True), step),
        (gauge("income", panel="Who earns", headline=True), against),
    )
    sentences = story(chapters(metrics, "producer"), Windows(metrics, POLICY), POLICY)
    place = next(
        i
        for i, text in enumerate(sentences)
        if text.startswith("Not at rest in the weeks before “a rule”: ")
    )
    assert (
        sentences[place - 1].startswith(
            "From the week before “a rule” on 2 March to the last week, "
        )
        and "reach" not in sentences[place]
    )
    share, contrary = (
        float(each.partition(" %")[0].rpartition(" ")[2])
        for each in (
            sentences[place].partition("morale had already been rising, by")[2],
            sentences[place].partition("income had been rising, against the")[2],
        )
    )
    assert share == pytest.approx(
        100 * 0.05 * 60 / (0.05 * 57 + 1.5), rel=0.15
    )  # windows' means lie 57 days apart, the policy 60 back
    assert contrary == pytest.approx(100 * 0.05 * 60 / (9 - 0.05 * 57), rel=0.15)


def test_rest_before_a_policy_needs_no_word() -> None:
    """Noise that remembers, a pace that is small beside the change, too few days before, or no
    policy: no warning."""
    rng = np.random.default_rng(8)
    for seed in range(20):
        values = np.zeros(DAYS + 1)
        for day in range(1, DAYS + 1):
            values[day] = 0.5 * values[day - 1] + rng.normal(0, 0.1)
        metrics = read((gauge("m", headline=True), 10 + values + 3 * (DAY > 60)))
        assert "Not at rest" not in told(metrics), seed
    small = read((gauge("m", headline=True), 10 + 0.005 * DAY + 9 * (DAY > 60) + 0.01 * WAVE))
    trend = read((gauge("m", headline=True), 10 + 0.1 * DAY + 0.01 * WAVE))
    assert "Not at rest" not in told(small) and "Not at rest" in told(trend)
    early = [(dt.datetime(2025, 1, 10, tzinfo=dt.UTC), "a rule")]
    assert "Not at rest" not in told(trend, early) and "Not at rest" not in told(trend, ())
