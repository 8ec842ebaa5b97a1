"""Names of what comes with twin: which file each means, and what lists say of it."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from tests.events import PAGE, text
from twin.experiments.forks import own, planned
from twin.ground.errors import ScenarioError
from twin.ground.units import DAY
from twin.scenario import listing, shipped
from twin.scenario.describe import digest
from twin.scenario.idle import remarks
from twin.scenario.loading import load

POLICIES = SCENARIOS / "policies"
STEP = "name: step\nset: {recommender.dim: 4}\n"


@pytest.mark.parametrize("name", ["base", "quickstart", "everything", "two_years", "forecasts"])
def test_a_name_is_the_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same digest by name, by the name in the package, and by path."""
    monkeypatch.chdir(tmp_path)
    by_path = digest(load(SCENARIOS / f"{name}.yaml"))
    assert digest(load(name)) == digest(load(f"package:twin/{name}")) == by_path


def test_a_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the name in the current folder is what is meant; not so a folder. The name in the
    package means the shipped one all the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    assert load("base").name == "base"
    (tmp_path / "quickstart").write_text("name: mine\n")
    assert load("quickstart").name == "mine"
    assert load("package:twin/quickstart").name == "quickstart"
    (tmp_path / "chronological").write_text(STEP)
    (tmp_path / "author_cap@3d").write_text(STEP)
    for policy in ("chronological", "author_cap@3d"):
        assert [each.name for each in load("base", policies=[policy]).policies] == ["step"]


def test_extends_and_use_take_names(tmp_path: Path) -> None:
    """Relative to the file that gives them; a scenario may extend the one of its own name."""
    for base in ("quickstart", "package:twin/quickstart"):
        for policy in ("chronological", "package:twin/chronological"):
            path = tmp_path / "quickstart.yaml"
            path.write_text(f"extends: {base}\npolicies: [{{use: {policy}, at: 5d}}]\n")
            made = load(path)
            assert made.seed == 7 and made.policies[0].at == 5 * DAY
            assert made.policies[0].name == "chronological"
    assert load("base", policies=["package:twin/policies/hide_counts"]).policies
    (tmp_path / "hide_counts").write_text(STEP)
    path.write_text("extends: base\npolicies: [{use: hide_counts}]\n")
    assert load(path).policies[0].name == "step"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: bse\n", "x.yaml:1 extends: there is no scenario bse (did you mean base? "),
        ("extends: bse\n", "twin scenarios lists those that come with twin)"),
        (
            "extends: package:twin/bsae\n",
            "there is no scenario package:twin/bsae (did you mean base? twin scenarios",
        ),
        (
            "extends: quickstart.yaml\n",
            "there is no file quickstart.yaml (write quickstart for the scenario that comes with",
        ),
        (
            "policies: [{use: hide_count}]\n",
            "x.yaml:1 policies.0.use: there is no policy hide_count (did you mean hide_counts? ",
        ),
        (
            "policies: [{use: policies/hide_counts.yaml}]\n",
            "there is no file policies/hide_counts.yaml (write hide_counts for the policy that",
        ),
    ],
)
def test_unknown_names_in_files(text: str, words: str, tmp_path: Path) -> None:
    """With file and line."""
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "x.yaml")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_branch_by_name_is_the_branch_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an experiment records of a policy, so that it has the same bytes."""
    base = load("base")
    path = str(POLICIES / "demote_ai.yaml")
    monkeypatch.chdir(tmp_path)
    for at in ("", "@20d"):
        assert planned(f"demote_ai{at}", 10 * DAY, base) == planned(f"{path}{at}", 10 * DAY, base)


def test_what_a_policy_changes() -> None:
    """From the value in the scenario, with its preset's weights and quotas, to its own; of several
    policies in a file each begins where the last one ended."""
    base, quick = load("base"), load("quickstart")

    def lines(name: str) -> list[str]:
        return [each.text for each in listing.changes(POLICIES / f"{name}.yaml", base)]

    assert lines("demote_ai") == ["recommender.ai_factor: 1 -> 0.5"]
    assert lines("hide_counts") == ["audience.counts_shown: true -> false"]
    assert lines("rate_limit") == ["campaigns.rate_limit: 1000/d -> 5/d"]
    assert lines("author_cap") == ["recommender.author_cap: 3 -> 1 posts"]
    assert lines("human_quota") == [
        "recommender.ai_factor: 1 -> 0.5 (when creator_human_share < 0.3)"
    ]
    assert lines("chronological_option")[0] == (
        "recommender.ranking: value -> chronological (for 10% of consumers)"
    )
    assert "recommender.quota.in_network: 55 by x_2026 -> 100 posts" in lines("chronological")
    assert [line.partition(": ")[2] for line in lines("facebook_anger")[2:]] == [
        "5 -> 4 (at 15d)",
        "4 -> 1.5 (at 30d)",
        "1.5 -> 0 (at 45d)",
    ]
    (preset,) = listing.changes(POLICIES / "x_2026.yaml", quick)
    assert (preset.now, preset.then) == ("x_2023", "x_2026")
    (weight,) = listing.changes(POLICIES / "reshares_count_nothing.yaml", quick)
    # X's 2023 weight of a retweet, 1
    assert weight.text == "recommender.weights.reshare: 1 by x_2023 -> 0"


def test_sources_are_sentences_that_cite() -> None:
    """From the comment at the head: its first paragraph describes, and of the others the first
    sentence with a year, authors, an article or a file is the source."""
    said = {name: listing.said(path) for name, path in shipped.named(shipped.POLICY).items()}
    assert said["demote_ai"] == (
        "Posts of AI creators count half.",
        "Deezer (2025) goes further: tracks made wholly by AI are left out of its recommendations",
    )
    assert said["x_2023"][1] == "twitter/the-algorithm-ml, projects/home/recap/README.md"
    assert said["random_feed"][1].endswith("(KuaiRand, Gao et al. 2022, CIKM)")
    assert "Ohsaka and Togashi (2023, SIGIR)" in said["high_dimension"][1]
    # proposals and assumptions cite nothing
    silent = {name for name, (_, source) in said.items() if not source}
    assert silent == {"cap_ai", "rate_limit"}
    assert all(description.endswith(".") for description, _ in said.values())


EVENTS = sorted(path.stem for path in (SCENARIOS / "events").glob("*.yaml"))


def test_the_page_of_events_is_in_step() -> None:
    """docs/events.md is what the events' files and the kept comparisons give."""
    assert PAGE.read_text(encoding="utf-8") == text(), "run: python -m tests.events"


def test_events_say_what_was_done_and_seen() -> None:
    """Each asks a question, says what was done and what the world saw, and cites a source; of those
    whose outcome is forecast blind, nothing is told."""
    found = {event.name: event for event in listing.events()}
    assert sorted([*found, "event_town"]) == EVENTS and len(found) >= 8
    for event in found.values():
        assert event.question.endswith("?"), event.name
        assert event.done and event.world and event.source.rstrip(".")
    for blind in ("instagram_counts_2019", "personalisation_outage"):
        assert found[blind].world.startswith("not told here")


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_a_scenario_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any folder; its policies act within it, from day 30 on, and nothing set is idle."""
    monkeypatch.chdir(tmp_path)
    made = load(name)
    assert made.name == name and digest(load(f"package:twin/events/{name}")) == digest(made)
    assert remarks(made) == []
    if name != "event_town":
        fork, bare, _ = own(None, made)
        assert fork == 30 * DAY and not bare.policies
