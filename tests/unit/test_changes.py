"""A description is said of what it still describes, and what was changed is listed by the product."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from twin.scenario.changes import about, changes
from twin.scenario.describe import as_file
from twin.scenario.loading import load

QUICK = SCENARIOS / "quickstart.yaml"
HALF = "Half-way the feed changes"


def written(folder: Path, text: str) -> str:
    (folder / "base.yaml").write_text(
        "description: What the base shows.\nduration: 30d\npolicies: [{name: cut, at: 9d, set: "
        "{recommender.slate: 5}}]\n"
    )
    (folder / "mine.yaml").write_text("extends: base.yaml\n" + text)
    return about(load(folder / "mine.yaml"))


def test_of_its_own_file_it_is_said() -> None:
    """As it is where nothing was changed, and with what was where something was."""
    assert about(load(QUICK)) == load(QUICK).description
    said = about(load(QUICK, ("recommender.slate=7", "seed=5")))
    assert said.startswith(load(QUICK).description)
    assert said.endswith("Set here: recommender.slate 7 posts (30 posts).")


def test_without_its_policy_it_is_not_said() -> None:
    """A change half-way is not announced above a world that has none."""
    said = about(load(QUICK, ("policies=[]",)))
    assert HALF not in said and said == "As quickstart.yaml, but: no policy “2026 weights”."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("duration: 30d\n", "As base.yaml."),
        ("duration: 60d\n", "As base.yaml, but: duration 60d (30d)."),
        ("policies: []\n", "As base.yaml, but: no policy “cut”."),
        ("mechanisms: {ratings: {enabled: false}}\n", "As base.yaml, but: no ratings."),
        ("description: Mine.\nduration: 60d\n", "Mine."),
        (
            "policies: [{name: more, at: 9d, set: {recommender.slate: 5}}]\n",
            "As base.yaml, but: no policy “cut”; policy “more” added.",
        ),
    ],
)
def test_what_extends_another_has_no_words_of_the_others(
    text: str, said: str, tmp_path: Path
) -> None:
    """One's own scenario is not "the default world"."""
    assert written(tmp_path, text) == said


def test_many_changes_are_counted(tmp_path: Path) -> None:
    """A list that nobody reads is none."""
    weights = ", ".join(
        f"{name}: 0.123"
        for name in ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")
    )
    said = written(
        tmp_path,
        f"duration: 60d\nmechanisms: {{recommender: {{slate: 4, weights: {{{weights}}}}}}}\n",
    )
    assert said.endswith("; and 2 more.") and said.count(";") == 8


def test_a_flag_describes_what_it_is_given_with() -> None:
    """Whoever writes a description means all of it."""
    assert about(load(QUICK, ("description=Mine", "recommender.slate=7"))) == "Mine"
    # longer than the name of any file may be
    assert about(load(QUICK, (f"description={'long' * 60}",))) == "long" * 60


def test_a_resolved_scenario_is_its_own(tmp_path: Path) -> None:
    """What a run's folder holds has changed nothing."""
    with as_file(load(QUICK, ("recommender.slate=7",))) as path:
        again = load(path)
        assert about(again) == again.description
        assert changes(again, load(QUICK, ("recommender.slate=7",))) == []
