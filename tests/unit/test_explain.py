"""`twin check --explain` and `--diff`: what a setting is, and what a scenario changes."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from tests.given.inside import called
from twin.ground.errors import UsageError
from twin.scenario.explain import explain
from twin.scenario.loading import load
from twin.world.params import leaves

QUICK = SCENARIOS / "quickstart.yaml"
QUESTION = ("base", "--policy", "chronological", "--goal", "consumers_active > 0")


def test_a_setting_is_explained_whole() -> None:
    """Value and its place, meaning, range with unit, who may change it, what it acts under, source."""
    assert explain(load(QUICK), "recommender.tables.post.slots") == [
        "recommender.tables.post.slots = 65536 rows  (default)",
        "  slots of a fixed table; of the remainder table of quotient_remainder (a change is a "
        "migration)",
        "  from 1 to 2.14748e+09 rows; a lever: a policy may change it during a run",
        "  acts only under recommender.tables.post.kind != collisionless: now it cannot act while "
        "recommender.tables.post.kind is collisionless",
        "  acts on recommender: Learns from the log and serves slates.",
        "  source: assumption",
    ]
    assert "one of x_2023, x_2026" in explain(load(QUICK), "recommender.preset")[2]
    assert explain(load(QUICK), "audience.counts_shown")[2] == (
        "  true or false; a lever: a policy may change it during a run, also for a share of "
        "consumers"
    )


def test_a_set_is_explained_by_its_parts_and_an_unknown_path_by_the_nearest() -> None:
    """A path need not be a leaf."""
    kinds = type(load(QUICK).mechanisms["opinions"])
    told = explain(load(QUICK), "opinions")
    assert sum(line.startswith("opinions.") for line in told) == len(list(leaves(kinds)))
    with pytest.raises(UsageError, match=r"did you mean recommender\.dim"):
        explain(load(QUICK), "recomender.dim")


@pytest.mark.parametrize(
    "asked",
    [
        ("check", "base", "--explain", "creators.counts_shown"),
        ("check", "base", "--set", "creators.counts_shown=false"),
        ("check", "base", "--policy", "hidden.yaml"),
        ("sweep", "base", "--vary", "creators.counts_shown=true,false"),
        ("stress", *QUESTION, "--uncertain", "creators.counts_shown=true,false"),
    ],
    ids=" ".join,
)
def test_a_name_that_stands_elsewhere_is_found_there(
    asked: tuple[str, ...], tmp_path: Path
) -> None:
    """Wherever a setting is named: the same name in another place comes before one that only looks
    like it (``ratings.votes_shown``)."""
    (tmp_path / "hidden.yaml").write_text("at: 9d\nset: {creators.counts_shown: false}\n")
    ended = called(*asked, cwd=tmp_path, check=False)
    assert ended.returncode == 2
    assert "(did you mean audience.counts_shown?)" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == [tmp_path / "hidden.yaml"]


def test_every_setting_can_be_explained() -> None:
    """None is left without a meaning or with a range that has no words."""
    scenario = load(SCENARIOS / "everything.yaml")
    for name in scenario.mechanisms:
        if name != "policies":
            lines = explain(scenario, name)
            assert all(line == "" or line.strip(" :;") for line in lines)


def test_diff_lists_what_differs(tmp_path: Path) -> None:
    """Against what the file extends, against another, and against itself."""
    one = called("check", QUICK, "--diff", "--set", "recommender.dim=8", cwd=tmp_path).stdout
    assert "differ from base" in one
    lines = {line.split()[0]: " ".join(line.split()) for line in one.splitlines()}
    assert lines["recommender.dim"] == "recommender.dim 32 floats -> 8 floats (--set)"
    assert lines["duration"].startswith("duration 60d -> 180d (quickstart.yaml:")
    assert "policy “2026 weights” -> added" in " ".join(one.split())
    same = called("check", QUICK, "--diff", QUICK, cwd=tmp_path).stdout
    assert same == "0 settings differ from quickstart\n"
    defaults = called("check", SCENARIOS / "base.yaml", "--diff", cwd=tmp_path).stdout
    assert "differ from twin's defaults" in defaults and "audience.initial" in defaults
