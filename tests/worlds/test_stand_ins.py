"""Classes in the place of mechanisms of twin's, in worlds: one that changes nothing gives twin's
bytes; any one gives the same bytes on threads, one by one, resumed, killed and forked; a wrong one
fails the contract. And worlds without opinions."""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import create_model

import twin.mechanisms
from tests.conftest import SCENARIOS, SMALL, history
from tests.given.killed import killed
from tests.given.stand_ins import HARDENING, own, write
from tests.worlds.shared import branched, cut, same_state
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.mechanisms import REGISTRY
from twin.running import drive
from twin.scenario.loading import load
from twin.testing import contract, standing_in
from twin.world.checkpoint import latest
from twin.world.columns import Column, Table
from twin.world.mechanism import Mechanism
from twin.world.params import Params
from twin.world.protocol import lacks, protocol
from twin.world.state import Watched

EVERYTHING = (
    "duration=6d",
    "trials.enabled=true",
    "campaigns.accounts=8",
    "creators.human.work_share=0.3",
    "recommender.shelf.kind=bought_together",
)


def test_classes_that_change_nothing_give_twins_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every mechanism that may be replaced, all at once: the file of readings, every column, every
    array."""
    # neither run is read by anybody, and a report takes longer than both
    monkeypatch.setattr("twin.readers.report.write_report", lambda out: out)
    write(tmp_path)
    names = {name: kind for name, kind in REGISTRY.items() if kind.replaced_by != "none"}
    text = "mechanisms:\n" + "".join(
        f"  {name}: {{class: my.same.{kind.__name__}}}\n" for name, kind in names.items()
    )
    (tmp_path / "same.yaml").write_text(f"extends: base.yaml\nname: base\n{text}")
    plain = load(tmp_path / "base.yaml", (*SMALL, *EVERYTHING))
    same = load(tmp_path / "same.yaml", (*SMALL, *EVERYTHING))
    assert set(same.outside) == set(names)
    files = []
    for scenario, out in ((plain, tmp_path / "plain"), (same, tmp_path / "same")):
        drive.start(scenario, out)
        files.append((out / "metrics.parquet").read_bytes())
    assert files[0] == files[1]
    ends = []
    for scenario, out in ((plain, tmp_path / "plain"), (same, tmp_path / "same")):
        newest = latest(out / "checkpoints")
        assert newest is not None
        ends.append(Simulation(scenario))
        ends[-1].load(newest)
    assert same_state(*ends) == [] and ends[0].world.board.get("sessions") > 500


def test_the_same_bytes_on_threads_one_by_one_and_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And both examples do something: opinions harden, strategies are others than twin's."""
    scenario = own(tmp_path)
    whole, _ = history(scenario)
    assert same_state(whole, history(scenario, reference=True)[0]) == []
    rest = cut(scenario, 4 * DAY + 30 * 60, tmp_path / "saved", monkeypatch)
    assert same_state(whole, rest) == []
    assert 0.2 < whole.world.board.get("openness_mean") < 0.98
    still = load(tmp_path / "x.yaml", (*SMALL, "duration=8d", "creators.step=0.0"))
    moved, kept = (end.world.table("creators")["arousal"] for end in (whole, history(still)[0]))
    assert np.abs(moved[:60] - kept[:60]).max() > 0.05


def test_forked_with_a_lever_of_its_own(tmp_path: Path) -> None:
    """A branch whose policy sets a lever of the class is the run that had it from its start."""
    policy = "{name: open minds, set: {opinions.habit: 5000.0}}\n"
    scenario = own(tmp_path, "duration=9d")
    trunk, branch, straight = branched(scenario, tmp_path, policy)
    assert np.concatenate([trunk, branch]).tobytes() == straight.tobytes()
    end, readings = history(load(tmp_path / "out" / "scenario.yaml", ("replicate=3",)))
    place = end.world.board.index("openness_mean")
    assert readings[-1, place] < branch[-1, place] - 0.01


def test_killed_and_resumed(tmp_path: Path) -> None:
    """kill -9 amid the run, then on from what was saved: the bytes of the run that nobody
    killed."""
    scenario = own(tmp_path)
    code = (
        "import twin.running.drive as r; r.CHECKPOINT_SIM_S = 86400;"
        "from twin.cli import main; main()"
    )
    sets = [part for value in (*SMALL, "duration=8d") for part in ("--set", value)]
    first = [sys.executable, "-c", code, "run", str(tmp_path / "x.yaml"), *sets, "--quiet"]
    out = tmp_path / "killed"
    assert killed([*first, "--out", str(out), "--threads", "2"], [], out, [2 * DAY]) == 1
    rest = Simulation(load(out / "scenario.yaml"))
    newest = latest(out / "checkpoints")
    assert newest is not None
    rest.load(newest)
    assert 2 * DAY <= rest.now < rest.scenario.duration
    rest.run(rest.scenario.duration + 1)
    assert same_state(history(scenario)[0], rest) == []


BEYOND = (
    "        x[:] = np.clip(x + (1 - stubborn) * share * mean, -1, 1)",
    "        x[:] = x + 1",
)
KEPT = (
    "        x, stubborn = own",
    "        self.days = getattr(self, 'days', 0) + 1\n        share = share * self.days\n"
    "        x, stubborn = own",
)
WRONG: dict[str, tuple[tuple[str, str], str, str]] = {
    "beyond": (
        BEYOND,
        "within",
        "consumers.opinion holds .* rows, and audience, campaigns, .* take it for Opinion, -1..1 "
        r"\(keep it between -1 and 1, as by np.clip, wherever Hardening writes it\)",
    ),
    "kept": (
        KEPT,
        "saved",
        r"differs? .*saved and loaded; what changes belongs into columns or self\.keep|"
        r"in another \(saved and loaded; what changes belongs into columns or self\.keep\)",
    ),
    "not measured": (
        ("            self.world.board.set(name, mean if", "            abs(mean if"),
        "measured",
        "opinion_mean{} was measured as nan",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_model_fails_the_contract(case: str, tmp_path: Path) -> None:
    """With what was found, and what to mend."""
    (old, new), check, words = WRONG[case]
    assert old in HARDENING
    path = write(
        tmp_path,
        "mechanisms: {opinions: {class: my.hardening.Hardening, exposure_rate: 0.05}}\n",
        HARDENING.replace(old, new),
    )
    scenario = load(path, (*SMALL, "policies=[]", "duration=4d"))
    world, replaced = contract.grown(scenario), REGISTRY["opinions"]
    with pytest.raises(AssertionError, match=words):
        if check == "within":
            standing_in.check_values_are_within(world, replaced, REGISTRY.values())
        elif check == "saved":
            contract.check_saved_and_loaded_continues_exactly(scenario, world)
        else:
            contract.check_measuring_is_complete_finite_and_pure(world, "opinions")


def test_a_wrong_service_fails_the_contract(tmp_path: Path) -> None:
    """One that is not offered, one that takes something else, one that gives something else."""
    module = '''"""Graphs with a flaw."""

from twin.mechanisms.network import Network


class Odd(Network):
    """A graph."""
'''
    write(tmp_path)
    (tmp_path / "my" / "odd.py").write_text(module)
    (tmp_path / "y.yaml").write_text(
        "extends: base.yaml\nmechanisms: {network: {class: my.odd.Odd}}\n"
    )
    sets = (*SMALL, "policies=[]", "duration=1d")
    replaced, kinds = REGISTRY["network"], REGISTRY.values()
    mine = contract.grown(load(tmp_path / "y.yaml", sets))
    theirs = contract.grown(load(tmp_path / "base.yaml", sets))
    standing_in.check_services_are_alike(mine, theirs, replaced, kinds)
    services = mine.world._services
    good: Any = dict(services)
    for service, wrong, words in (
        ("graph_nodes", lambda: 1.5, "graph_nodes of Odd gives float, not int .it is .. -> int"),
        ("reserve_follows", lambda: None, "reserve_follows of Odd does not take 1 arguments"),
        (
            "community_centres",
            lambda: good["community_centres"]()[0],
            "community_centres of Odd gives an array float32 with 1 axes, not float32 with 2",
        ),
    ):
        services.update(good | {service: wrong})
        with pytest.raises(AssertionError, match=words):
            standing_in.check_services_are_alike(mine, theirs, replaced, kinds)
    del services["follow_graph"]
    services.update({name: good[name] for name in good if name != "follow_graph"})
    with pytest.raises(
        AssertionError, match="lists follow_graph in provides and does not offer it"
    ):
        standing_in.check_services_are_alike(mine, theirs, replaced, kinds)


def test_mechanisms_read_what_they_declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a world with everything, no mechanism reads a column or heeds a lever of another one that
    it does not declare: from these declarations follows what a stand-in must bring. Trials read what
    metrics declare besides, each by its own mechanism."""
    columns: dict[str, set[str]]
    levers: dict[str, set[str]]
    columns, levers = defaultdict(set), defaultdict(set)
    home = Path(twin.mechanisms.__file__).parent

    def reader() -> str:
        frame = sys._getframe(2)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(home):
                return path.relative_to(home).parts[0].removesuffix(".py")
            if path.parent.name != "world":
                return ""
            frame = frame.f_back  # type: ignore[assignment]
        return ""

    def noted(kind: Any, method: str, seen: Any) -> None:
        before = getattr(kind, method)

        def note(self: Any, name: str, *more: Any) -> Any:
            where = f"{self.name}.{name}" if isinstance(self, Table) else name
            seen[reader()].add(where)
            return before(self, name, *more)

        monkeypatch.setattr(kind, method, note)

    noted(Table, "__getitem__", columns)
    noted(Table, "readable", columns)
    for method in ("get", "__getitem__"):
        noted(Watched, method, levers)
    write(tmp_path)
    end, _ = history(
        load(tmp_path / "base.yaml", (*SMALL, *EVERYTHING, "campaigns.targeting=susceptibility"))
    )
    by_arm = {
        f"{each.table}.{name}"
        for kind in REGISTRY.values()
        for metric in kind.metrics
        for each in metric.by_arm
        for name in (each.top, each.over, each.among)
    }
    for name, kind in REGISTRY.items():
        declared = {f"{table}.{each}" for table, read in kind.reads.items() for each in read}
        others = {
            place
            for place in columns[name]
            if end.world.owners.get((place.split(".")[0], place.split(".")[1]), name) != name
        }
        odd = others - declared - (by_arm if name == "trials" else set())
        assert not odd, f"{name} reads {sorted(odd)}"
        foreign = {each for each in levers[name] if "." in each and each.partition(".")[0] != name}
        assert name == "policies" or foreign <= set(kind.heeds), name
    assert "consumers.opinion" in columns["campaigns"] and levers["campaigns"]


def test_a_world_without_opinions(tmp_path: Path) -> None:
    """`opinions=none`: everything else runs, with groups, campaigns, ratings and policies for a share;
    nothing of opinions is measured."""
    write(tmp_path)
    scenario = load(
        tmp_path / "base.yaml",
        (*SMALL, *EVERYTHING, "opinions=none", "campaigns.targeting=susceptibility"),
    )
    end, readings = history(scenario)
    assert not [name for name in end.world.board.metrics if name.startswith("opinion")]
    assert "opinion" not in end.world.table("consumers").columns
    assert end.world.board.get("sessions") > 500 and len(readings) == 7
    assert np.nan_to_num(end.world.board.get("persuasion_per_mille")) == 0


def test_a_world_in_which_opinions_do_not_move(tmp_path: Path) -> None:
    """`opinions.model=none`: those who are there keep the opinion that they came with, whatever posts
    and campaigns do, to the bit; under any other model most do not."""
    write(tmp_path)
    sets = (*SMALL, *EVERYTHING, "opinions.exposure_rate=0.05")
    ends = {}
    for model in ("none", "degroot"):
        simulation = Simulation(load(tmp_path / "base.yaml", (*sets, f"opinions.model={model}")))
        simulation.begin()
        simulation.run(DAY // 2)
        people = simulation.world.table("consumers")
        key, before = people["key"].copy(), people["opinion"].copy()
        simulation.run(6 * DAY)
        same = people["key"][: len(key)] == key
        ends[model] = (people["opinion"][: len(key)] == before)[same].mean()
        assert same.mean() > 0.5
    assert ends["none"] == 1 and ends["degroot"] < 0.1


def bare(kind: type[Mechanism[Any]]) -> type[Mechanism[Any]]:
    """A class that does nothing, with what others use of a mechanism and no more."""
    asked = protocol(kind, REGISTRY.values())
    columns: dict[str, tuple[Column, ...]] = {}
    for (table, _), used in asked.columns.items():
        columns[table] = (*columns.get(table, ()), used.what)
    levers: Any = {name: (used.what.annotation, used.what) for name, used in asked.levers.items()}
    made: type[Mechanism[Any]] = type(
        kind.__name__,
        (Mechanism,),
        {
            "name": kind.name,
            "order": kind.order,
            "columns": columns,
            "Params": create_model("Few", __base__=Params, **levers),
        },
    )
    assert not list(lacks(made, kind, REGISTRY.values()))
    return made


def test_what_others_use_is_all_that_they_use() -> None:
    """A world runs in which every mechanism that any class may replace, but the graph with its
    services, has what the declarations say that others use, and nothing else."""
    stubs = {
        name: bare(kind)
        for name, kind in REGISTRY.items()
        if kind.replaced_by == "any" and name != "network"
    }
    scenario = load(
        SCENARIOS / "quickstart.yaml",
        (*SMALL, "policies=[]", "duration=3d", "trials.enabled=true"),
        registry={**REGISTRY, **stubs},
    )
    assert {"opinions", "ratings", "chatbots", "campaigns"} <= set(stubs)
    end, readings = history(scenario)
    assert end.world.board.get("sessions") > 200 and len(readings) == 4
    assert (end.world.table("consumers")["opinion"] == 0).all()
