"""What cannot act is said before a run."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from twin.experiments import forks
from twin.experiments.audit.engineering import Step
from twin.experiments.audit.turning import turns
from twin.ground.units import DAY
from twin.mechanisms import REGISTRY
from twin.scenario import idle
from twin.scenario.loading import load
from twin.world.params import leaves, meta

BASE = ROOT / "scenarios" / "base.yaml"


def said(*sets: str) -> list[str]:
    return idle.remarks(load(BASE, sets))


def test_shipped_scenarios_set_nothing_in_vain() -> None:
    """They are what others copy."""
    for path in sorted((ROOT / "scenarios").glob("*.yaml")):
        if path.name != "real_network.yaml":  # its data are fetched by whoever wants them
            assert idle.remarks(load(path)) == []


@pytest.mark.parametrize(
    ("sets", "text"),
    [
        (
            ["recommender.tables.post.slots=256"],
            "--set recommender.tables.post.slots: recommender.tables.post.slots cannot act while "
            "recommender.tables.post.kind is collisionless",
        ),
        (["ratings.votes.enabled=false", "ratings.votes.quality=1"], "votes.enabled is false"),
        (["recommender.epochs=3"], "recommender.training is incremental"),
        (["recommender.ranking=chronological", "recommender.ai_factor=0.5"], "is chronological"),
        (["campaigns.share=0.3"], "campaigns.accounts is 0"),
        (
            ["policies=[{name: late, at: 90d, set: {recommender.dim: 8}}]", "duration=30d"],
            "policy late: begins at 90d, after the end of the run (30d), so it is never in effect",
        ),
        (
            ["policies=[{name: same, at: 9d, set: {recommender.dim: 32}}]"],
            "policy same: changes nothing: recommender.dim is 32 already at the start",
        ),
        (
            [
                "policies=[{name: a, at: 9d, set: {recommender.slate: 8}}, {name: b, at: 20d, "
                "set: {recommender.slate: 8}}]"
            ],
            "policy b: changes nothing: recommender.slate is 8 already under a",
        ),
        (
            [
                "policies=[{name: a, at: 9d, set: {recommender.slate: 8}}, {name: b, at: 9d, "
                "set: {recommender.slate: 8}}]"
            ],
            "policy b: changes nothing: recommender.slate is 8 already under a",
        ),
        (
            ["policies=[{name: same, at: 9d, set: {recommender.retrain_every: 360min}}]"],
            "recommender.retrain_every is 6h already at the start",
        ),
        (
            ["policies=[{name: cut, at: 25d, set: {recommender.dim: 8}}]", "duration=30d"],
            "policy cut: recommender.dim acts too late: the new model warms up for 7d",
        ),
        (
            ["policies=[{name: cut, at: 5d, until: 10d, set: {recommender.dim: 8}}]"],
            "would take over after the policy ends, at 12d",
        ),
    ],
)
def test_each_kind_is_said_where_it_was_written(sets: list[str], text: str) -> None:
    """One line each, with the flag or the file and line."""
    lines = said(*sets)
    assert len(lines) == 1 and text in lines[0], lines


@pytest.mark.parametrize(
    "sets",
    [
        ["recommender.tables.post.slots=256", "recommender.tables.post.kind=hash"],
        # a policy lets it act later
        [
            "campaigns.share=0.3",
            "policies=[{name: bots, at: 9d, set: {campaigns.accounts: 20}}]",
        ],
        ["policies=[{name: cut, at: 5d, set: {recommender.dim: 8}}]"],
        # back to what was, after something else
        [
            "policies=[{name: a, at: 9d, set: {recommender.slate: 8}}, {name: b, at: 20d, "
            "set: {recommender.slate: 10}}]"
        ],
        # a condition's time is the run's to tell
        ["policies=[{name: a, when: consumers_active < 5, set: {recommender.slate: 10}}]"],
    ],
)
def test_what_may_act_is_not_remarked_on(sets: list[str]) -> None:
    """Nobody is warned of what works."""
    assert said(*sets) == []


def test_every_condition_names_a_setting_that_there_is() -> None:
    """A renamed parameter would leave its conditions behind."""
    plain = load(BASE)
    known = {f"{name}.{path}" for name, kind in REGISTRY.items() for path, _ in leaves(kind.Params)}
    declared = 0
    for name, params in plain.mechanisms.items():
        for path, info in leaves(type(params)):
            for other, op, wanted in idle.ways(plain, f"{name}.{path}"):
                declared += 1
                assert other in known and op in ("=", "!=", ">") and wanted
            assert meta(info)["under"] == "" or idle.ways(plain, f"{name}.{path}")
    assert declared > 100


def test_a_branch_of_compare_that_changes_nothing_is_named(tmp_path: Path) -> None:
    """Before its worlds are run."""
    base = load(BASE, ("duration=30d",))
    (tmp_path / "same.yaml").write_text("set: {recommender.dim: 32}\n")
    plan = forks.planned(str(tmp_path / "same.yaml"), 10 * DAY, base)
    assert len(found := forks.idle_in(plan, base)) == 1
    assert "changes nothing: recommender.dim is 32 already at the start" in found[0]


def test_audit_leaves_out_steps_that_cannot_act() -> None:
    """With the reason, as those that set what is there already."""
    steps = [
        Step("slots", {"recommender.tables.post.slots": "x2"}),
        Step("hash", {"recommender.tables.post.kind": "hash", "recommender.tables.post.slots": 64}),
    ]
    made, left = turns(load(BASE), {}, steps)
    assert [turn.step.name for turn in made] == ["hash"]
    assert left == [
        ("slots", "cannot act while recommender.tables.post.kind is collisionless"),
    ]
