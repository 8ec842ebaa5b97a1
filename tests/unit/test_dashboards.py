"""Dashboards: in step with the declarations, whole, of the right types, and with a user's own
metrics."""

import copy
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.given.boards import DECLARED, FOLDER, MADE, asked, drawn
from tests.given.grafana_types import problems
from twin.experiments.calibrate.outcome import LEVELS
from twin.observing import daily
from twin.readers.dashboards import dashboards, has_panel, stale, write
from twin.readers.dashboards.drawn import AI, HUMAN
from twin.readers.dashboards.frame import HEALTH as HEALTH_UID
from twin.readers.dashboards.frame import PAGES, PLATFORM, REAL, WIDE
from twin.readers.dashboards.queries import bin_words
from twin.readers.forecast_series import DECLARED as DECLARED_SERIES
from twin.readers.forecast_series import FORECAST, QUANTITIES
from twin.readers.health import HEALTH
from twin.readers.panels import HEADINGS
from twin.record.names import prom_name
from twin.world.metric import Metric

GRAFANAS_OWN = {"__range"}
"""Variables that every dashboard has."""
KINDS = {"row", "text", "timeseries", "stat", "bargauge"}
SIDES = {
    "producer": "twin-creators",
    "consumer": "twin-consumers",
    "platform": "twin-recommender",
    "chatbot": "twin-chatbots",
}


def only(*metrics: Metric) -> dict[str, dict[str, Any]]:
    return dashboards(metrics)


def panel_of(dashboard: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = [panel for panel in drawn(dashboard) if panel["title"] == title]
    return found


def test_committed_dashboards_are_in_step() -> None:
    """What is committed is what the declarations give; `python -m twin dashboards` brings them in
    step."""
    assert not stale(MADE, FOLDER), "out of step; run: python -m twin dashboards"
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MADE)


def test_a_file_that_is_out_of_step_is_noticed_and_mended(tmp_path: Path) -> None:
    """Missing and changed files are named, written anew, and then nothing is left to do."""
    assert len(write(MADE, tmp_path)) == len(MADE)
    (tmp_path / "twin-overview.json").write_text(
        (tmp_path / "twin-overview.json").read_text().replace("Posts", "Pots")
    )
    (tmp_path / "twin-policy.json").unlink()
    assert [path.name for path in stale(MADE, tmp_path)] == [
        "twin-overview.json",
        "twin-policy.json",
    ]
    write(MADE, tmp_path)
    assert stale(MADE, tmp_path) == []


@pytest.mark.parametrize("side", SIDES)
def test_every_metric_has_a_panel_on_its_sides_dashboard(side: str) -> None:
    """Every declared series is read there, and none twice in a picture; exceptions have a reason,
    and are exceptions."""
    found = asked(MADE[SIDES[side]])
    for metric in (metric for metric in DECLARED if metric.side == side):
        assert (prom_name(metric) in found) == has_panel(metric), metric.name
    text = json.dumps(
        [target["expr"] for panel in drawn(MADE[SIDES[side]]) for target in panel["targets"]]
    )
    for metric in (metric for metric in DECLARED if metric.side == side and has_panel(metric)):
        for labels in metric.series():
            matchers = json.dumps(
                "".join(f',{name}="{value}"' for name, value in labels.items()) + "}"
            )[1:-1]
            assert (
                f'{prom_name(metric)}{{run_id=\\"$run\\",branch=~\\"$branch\\",replicate=~\\"$replicate\\"{matchers}'
                in text
            ), labels
    assert all(metric.trial or metric.split for metric in DECLARED if not has_panel(metric))


def test_headlines_are_on_the_overview_and_on_the_policy_page() -> None:
    """Both sides at a glance; and every headline before and after, per branch, and as a
    difference."""
    wanted = {prom_name(metric) for metric in DECLARED if metric.headline}
    assert asked(MADE["twin-overview"]) == wanted | {"twin_sessions_total"}
    assert wanted <= asked(MADE["twin-policy"])


def test_every_number_on_a_run_is_on_run_health() -> None:
    """The health of a run is declared once; the dashboard leaves nothing out."""
    assert asked(MADE[HEALTH_UID]) == {each.prom_name for each in HEALTH}


def test_every_series_of_a_forecast_is_on_its_dashboard() -> None:
    """What `twin forecast` writes is declared once, quantities as the calibration names them."""
    assert asked(MADE[PLATFORM]) == {prom_name(metric) for metric in DECLARED_SERIES}
    assert [each.name for each in QUANTITIES] == list(daily.QUANTITIES)
    assert [float(level) for level in FORECAST.labels["quantile"]] == list(LEVELS)
    titles = [panel["title"] for panel in drawn(MADE[PLATFORM])]
    assert {each.name.capitalize() for each in QUANTITIES} <= set(titles)


def test_rows_follow_the_story() -> None:
    """The headings of a side come in the order in which a person reads them."""
    for side, uid in SIDES.items():
        rows = [panel["title"] for panel in MADE[uid]["panels"] if panel["type"] == "row"]
        # readings by arm and by group have no panels
        without = ("Trial", "Creators who gain and lose", "Consumers who gain and lose")
        assert rows == [heading for heading in HEADINGS[side] if heading not in without]


@pytest.mark.parametrize("uid", MADE)
def test_a_dashboard_is_whole(uid: str) -> None:
    """Ids and refIds are unique, nothing overlaps or sticks out, rows are rows, every variable in a
    query is defined."""
    dashboard = MADE[uid]
    assert Counter(panel["id"] for panel in dashboard["panels"]).most_common(1)[0][1] == 1
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert cells and not cells & taken and place["x"] + place["w"] <= WIDE, panel["title"]
        taken |= cells
        assert panel["type"] in KINDS
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in drawn(dashboard):
        assert panel["targets"] and len({target["refId"] for target in panel["targets"]}) == len(
            panel["targets"]
        )
        words = json.dumps(
            [panel["targets"], panel["title"], panel["interval"], panel["datasource"]]
        )
        assert {
            bare or braced for bare, braced in re.findall(r"\$(?:(\w+)|\{(\w+)\})", words)
        } <= known | GRAFANAS_OWN, panel["title"]
        names = [target["legendFormat"] for target in panel["targets"]]
        assert len(set(names)) == len(names), panel["title"]
    assert (
        dashboard["title"] == dict(PAGES)[uid] and dashboard["tags"] == ["twin"] and len(uid) <= 40
    )


@pytest.mark.parametrize("uid", MADE)
def test_every_panel_says_what_it_means(uid: str) -> None:
    """A title, what it means, its unit, which way is good, and what it is called in Prometheus."""
    for panel in drawn(MADE[uid]):
        assert panel["title"][0].isupper()
        assert len(panel["description"]) > 40, panel["title"]
        if uid != HEALTH_UID:
            assert "Unit: " in panel["description"], panel["title"]
            assert re.search(
                r"(Up|Down) is good for (creators|consumers|the platform|users)|Neither direction is good",
                panel["description"],
            )
        if panel["title"] != "What changed":
            read = re.findall(r"(twin_\w+)\{[^}]*replicate=~", json.dumps(panel["targets"]))
            assert all(f"`{name}`" in panel["description"] for name in read), panel["title"]


@pytest.mark.parametrize("uid", MADE)
def test_types_are_those_of_grafanas_sdk(uid: str) -> None:
    """Nothing is misspelt, nothing of a wrong type."""
    assert problems(MADE[uid]) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("title",), 5),
        (("time", "from"), 0),
        (("refresh",), 5),
        (("links", 0, "keepTime"), "yes"),
        (("templating", "list", 1, "type"), "querry"),
        (("templating", "list", 1, "multi"), "no"),
        (("annotations", "list", 0, "enable"), "yes"),
        (("panels", 1, "gridPos", "w"), "8"),
        (("panels", 1, "targets", 0, "expr"), 3),
        (("panels", 1, "fieldConfig", "defaults", "custom", "lineWidth"), "2"),
        (("panels", 1, "fieldConfig", "defaults", "color", "mode"), "rainbow"),
        (("panels", 1, "options", "legend", "placement"), "below"),
        (("panels", 1, "fieldConfig", "overrides", 0, "matcher", "id"), 4),
        (("panels", 1, "datasource", "uid"), 4),
    ],
)
def test_the_check_of_types_bites(path: Sequence[Any], value: Any) -> None:
    """A value of a wrong type is found, and so is a misspelt name of the same field."""
    for spoil in ("value", "name"):
        spoilt = copy.deepcopy(MADE["twin-creators"])
        inner: Any = spoilt
        for step in path[:-1]:
            inner = inner[step]
        assert path[-1] in inner
        if spoil == "value":
            inner[path[-1]] = value
        else:
            inner[path[-1] + "x"] = inner.pop(path[-1])
        assert problems(spoilt), spoil


def test_people_are_blue_and_ai_is_orange() -> None:
    """Wherever a line is of people or of AI; and nothing else has these colours."""
    seen = Counter()
    for dashboard in MADE.values():
        for panel in drawn(dashboard):
            rules = {
                rule["matcher"]["options"]: prop["value"]["fixedColor"]
                for rule in panel["fieldConfig"]["overrides"]
                for prop in rule["properties"]
                if prop["id"] == "color"
            }
            for target in panel["targets"]:
                name = target["legendFormat"].removesuffix("{{branch}}").removesuffix(", ")
                fixed = [
                    colour
                    for pattern, colour in rules.items()
                    if re.search(pattern.strip("/"), name)
                ]
                assert len(fixed) <= 1, (panel["title"], name)
                who = re.sub(", (plus|minus) standard error", "", name).rpartition(", ")[2]
                if (
                    panel["type"] == "timeseries"
                    and 'by="' in target["expr"]
                    and "standard error" not in name
                    and who in ("human", "AI")
                ):
                    assert fixed == [{"human": HUMAN, "AI": AI}[who]], (panel["title"], name)
                    seen[who] += 1
                elif who not in ("human", "AI"):
                    assert not {HUMAN, AI} & set(fixed), (panel["title"], name)
    assert seen["human"] == seen["AI"] > 10


def test_simulated_time_is_kept_apart_from_real_time() -> None:
    """Simulated dashboards open at the scenario's year, in UTC, and refresh nothing; links carry
    variables, and time where it fits."""
    opens = {HEALTH_UID: "now-15m", PLATFORM: "now-60d"}
    for uid, dashboard in MADE.items():
        wall = uid == HEALTH_UID
        assert dashboard["timezone"] == "utc" and dashboard["refresh"] == ("5s" if wall else "")
        assert dashboard["time"]["from"] == opens.get(uid, "2025-01-01T00:00:00.000Z")
        assert {link["url"] for link in dashboard["links"]} == {
            f"/d/{other}" for other in MADE if other != uid
        }
        assert all(
            link["includeVars"]
            and link["keepTime"] == (not {uid, link["url"].removeprefix("/d/")} & set(REAL))
            for link in dashboard["links"]
        )
        queries = [
            variable for variable in dashboard["templating"]["list"] if variable["type"] == "query"
        ]
        assert queries and all(variable["refresh"] == 2 for variable in queries)


def test_a_running_total_is_drawn_per_day_and_a_gauge_as_it_is() -> None:
    """The difference to a day before, with the unit said; seconds and bytes are Grafana's own
    units."""
    page = only(
        Metric("hits", "counter", "posts", "Hits.", "producer", "P"),
        Metric("age", "gauge", "s", "Age.", "producer", "P"),
    )["twin-creators"]
    hits, age = panel_of(page, "Hits"), panel_of(page, "Age")
    assert (
        "offset 1d" in hits["targets"][0]["expr"]
        and hits["fieldConfig"]["defaults"]["custom"]["axisLabel"] == "posts/day"
    )
    assert (
        "offset" not in age["targets"][0]["expr"] and age["fieldConfig"]["defaults"]["unit"] == "s"
    )
    assert "Unit: posts/day" in hits["description"] and "Unit: seconds" in age["description"]


def test_standard_errors_go_around_what_they_belong_to() -> None:
    """NAME_se has no panel of its own: it is added to NAME and taken from it."""
    page = only(
        Metric("gap", "gauge", "1", "Gap.", "producer", "P", labels={"by": ("human", "ai")}),
        Metric(
            "gap_se", "gauge", "1", "Its error.", "producer", "P", labels={"by": ("human", "ai")}
        ),
    )["twin-creators"]
    (panel,) = drawn(page)
    assert [target["legendFormat"] for target in panel["targets"][:3]] == [
        "human, {{branch}}",
        "human, plus standard error, {{branch}}",
        "human, minus standard error, {{branch}}",
    ]
    assert len(panel["targets"]) == 6 and "`twin_gap_se`" in panel["description"]


def test_bins_are_told_in_words() -> None:
    """A histogram's first bin is open below, its last above; whole numbers are told as such."""
    metric = Metric("mood", "histogram", "people", "Mood.", "consumer", "P", edges=(-0.5, 0, 0.5))
    assert [bin_words(metric, each) for each in metric.bins] == [
        "below 0",
        "0 to 0.5",
        "0.5 and above",
    ]
    stars = Metric("stars", "histogram", "people", "Stars.", "consumer", "P", edges=(1, 2, 3))
    assert [bin_words(stars, each) for each in stars.bins] == ["1", "2", "3 and above"]


def test_a_label_cannot_break_out_of_a_query() -> None:
    """Quotes and backslashes in a label's values stay in it, in the query and in the colour
    rules."""
    value = 'a"} or vector(1) # \\ (.*'
    page = only(Metric("odd", "gauge", "1", "Odd.", "producer", "P", labels={"by": (value, "b")}))[
        "twin-creators"
    ]
    expression = drawn(page)[0]["targets"][0]["expr"]
    assert r'by="a\"} or vector(1) # \\ (.*"}' in expression
    rule = drawn(page)[0]["fieldConfig"]["overrides"][0]["matcher"]["options"]
    assert re.search(rule.strip("/"), value) and not re.search(rule.strip("/"), "a")
