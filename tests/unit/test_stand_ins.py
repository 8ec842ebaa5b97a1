"""A class in the place of a mechanism of twin's: found, refused with the line to mend, and what it
takes over of the settings; mechanisms that are left out."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from tests.given.stand_ins import BOTH, HARDENING, write
from twin.ground.errors import ScenarioError
from twin.kernels.follows import Follows
from twin.mechanisms import REGISTRY
from twin.scenario.describe import digest, dump
from twin.scenario.loading import load
from twin.scenario.replacing import stand_ins
from twin.scenario.schema import json_schema
from twin.testing.standing_in import unlike
from twin.world.params import leaves, meta
from twin.world.protocol import protocol


def problems(path: Path, *sets: str) -> list[str]:
    """The lines that loading prints, without the folder."""
    with pytest.raises(ScenarioError) as caught:
        load(path, sets)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


OPINIONS = "mechanisms:\n  opinions: {class: my.hardening.Hardening}\n"
STUBBORN = '"How little a post moves it, 0..1", hidden=True),\n'
NETWORK = '''"""A follow graph in which nobody follows anybody."""

from twin import Column, Mechanism, Params


class Params(Params):
    """There is nothing to set."""


class Hardening(Mechanism):
    """It lacks a service."""

    name = "network"
    Params = Params
    order = 10
    provides = ("community_centres", "graph_nodes", "follow_graph")
    columns = {
        "consumers": (Column("community", "i2", "1", "Community"),),
        "creators": (
            Column("community", "i2", "1", "Community"),
            Column("followers", "i4", "followers", "Followers"),
        ),
    }
'''
WRONG: dict[str, tuple[str, str, str, str]] = {
    "no column": (
        OPINIONS,
        HARDENING.replace('Column("stubbornness"', 'Column("closed"'),
        "it has no column consumers.stubbornness, which campaigns reads",
        '(add to columns of Hardening, under "consumers": Column("stubbornness", "f4", "1", "Weight '
        'of the anchor, 0..1", hidden=True))',
    ),
    "another type": (
        OPINIONS,
        HARDENING.replace('"opinion", "f4"', '"opinion", "f8"'),
        "its column consumers.opinion is f8, and who reads it (audience, campaigns, creators, groups, "
        "ratings) takes f4",
        '(write Column("opinion", "f4", ',
    ),
    "open": (
        OPINIONS,
        HARDENING.replace('"Opinion, -1..1", hidden=True', '"Opinion, -1..1"'),
        "its column consumers.opinion is open to the platform, which cannot observe it",
        "hidden=True)",
    ),
    "no lever": (
        OPINIONS,
        HARDENING.replace("    tolerance: float", "    reach: float"),
        "it has no lever tolerance, which audience and campaigns heed",
        '(add to HardeningParams: tolerance: float = par(0.8, "largest gap that attracts", '
        "lever=True))",
    ),
    "a fixed number": (
        OPINIONS,
        HARDENING.replace("high=2, lever=True", "high=2"),
        "it has no lever tolerance, which audience and campaigns heed",
        "lever=True))",
    ),
    "order": (
        OPINIONS,
        HARDENING.replace("order = 60", "order = 40"),
        "its order is 40, and that of what it replaces 60",
        "(write order = 60 in Hardening)",
    ),
    "another metric": (
        OPINIONS,
        HARDENING.replace('"opinion_mean", "gauge", "1"', '"opinion_mean", "gauge", "ratio"'),
        "its metric opinion_mean has another unit than that of Opinions, as which it is drawn",
        "(give it another name, or unit='1')",
    ),
    "no service": (
        "mechanisms:\n  network: {class: my.hardening.Hardening}\n",
        NETWORK,
        "it does not provide reserve_follows, which audience needs",
        '(add "reserve_follows" to provides of Hardening, and world.provide("reserve_follows", ...) to '
        "its __init__; it is (count) -> None: make room for so many more follows in that graph)",
    ),
    "not derived": (
        "mechanisms:\n  creators: {class: my.hardening.Hardening}\n",
        HARDENING.replace('name = "opinions"', 'name = "creators"'),
        "Hardening does not derive from Creators, on which kernels and estimates rest",
        "(write class Hardening(Creators), with Creators from twin.mechanisms.creators)",
    ),
    "parameters not derived": (
        "mechanisms:\n  creators: {class: my.hardening.Hardening}\n",
        "from twin import Params\nfrom twin.mechanisms.creators import Creators\n\n"
        "class Few(Params):\n    '''Few.'''\n\nclass Hardening(Creators):\n    '''Few.'''\n    "
        "Params = Few\n",
        "Few does not derive from CreatorsParams",
        "(write class Few(CreatorsParams), with CreatorsParams from twin.mechanisms.creators)",
    ),
    "recommender": (
        "mechanisms:\n  recommender: {class: my.hardening.Hardening}\n",
        HARDENING,
        "no class can stand in for recommender",
        "(write recommender: {ranker: {class: package.module.Class}} for a ranking of your own)",
    ),
    "name": (
        "mechanisms:\n  ratings: {class: my.hardening.Hardening}\n",
        HARDENING,
        "Hardening is named opinions, and not ratings",
        '(write name = "ratings" in the class, or opinions: here)',
    ),
    "import": (
        "mechanisms:\n  network: {class: my.hardening.Hardening, speed: 3}\n",
        "import nothing_at_all\n",
        "importing my.hardening fails at",
        "(correct the module)",
    ),
    "a word of the block": (
        OPINIONS,
        HARDENING.replace("    habit: float", "    enabled: float"),
        "Hardening has a parameter enabled",
        "(give it another name: class, from, enabled are of the block itself)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes(case: str, tmp_path: Path) -> None:
    """Each is one line with file, line, reason and the text to write, and nothing follows from
    it."""
    text, module, reason, mend = WRONG[case]
    lines = problems(write(tmp_path, text, module))
    assert len(lines) == 1, lines
    assert lines[0].startswith("x.yaml:3 ") and ".class: " in lines[0]
    assert reason in lines[0] and mend in lines[0], lines


def test_settings_are_its_own(tmp_path: Path) -> None:
    """A parameter, a lever or a flag that the class does not have is refused by name, with the
    nearest; those of twin's mechanism too."""
    path = write(
        tmp_path,
        "policies: [{at: 1d, set: {opinions.habits: 9}}, {at: 2d, set: {opinions.peer_rate: 0.1}}]\n"
        "mechanisms:\n  opinions:\n    class: my.hardening.Hardening\n    habitt: 3.0\n"
        "    model: degroot\n",
    )
    lines = problems(path, "opinions.expsure_rate=0.1")
    assert lines[0].startswith("--set opinions.expsure_rate=0.1 opinions.expsure_rate: no such par")
    assert "(did you mean exposure_rate?)" in lines[0]
    assert lines[1] == (
        "x.yaml:2 policies.0.set.opinions.habits: no such lever (did you mean opinions.habit?)"
    )
    assert lines[2].startswith("x.yaml:2 policies.1.set.opinions.peer_rate: no such lever (did you")
    assert lines[3] == "x.yaml:6 opinions.habitt: no such parameter (did you mean habit?)"
    assert lines[4].startswith("x.yaml:7 opinions.model: no such parameter (known: exposure_rate, ")
    assert len(lines) == 5
    again = write(
        tmp_path, OPINIONS + "policies: [{when: opinion_clusters > 2, set: {opinions.habit: 9}}]\n"
    )
    assert "no metric is named opinion_clusters" in problems(again)[0]


def test_what_lay_below_is_taken_over_or_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of the scenario that is extended hold as far as the class has them; `twin check` says
    which do not. The same for a class that a flag names."""
    below = "mechanisms:\n  opinions: {tolerance: 0.5, model: degroot}\n  creators: {settle_after: 2d}\n"
    above = BOTH.replace(", habit: 500.0", ", from: .")
    write(tmp_path, below).rename(tmp_path / "below.yaml")
    path = write(tmp_path, above)
    path.write_text(path.read_text().replace("base.yaml", "below.yaml"))
    scenario = load(path)
    given: Any = scenario.mechanisms["opinions"]
    assert (given.tolerance, given.habit) == (0.5, 2000.0)
    creators: Any = scenario.mechanisms["creators"]
    assert creators.settle_after == 2 * 86400 and creators.human.initial == 2000
    assert creators.step == 0.3
    said = [line.replace(f"{tmp_path}/", "") for line in stand_ins(scenario)]
    assert said == [
        "creators: my.climbers.Climbers (x.yaml:4, my/climbers.py) stands in for twin's Creators",
        "opinions: my.hardening.Hardening (x.yaml:3, my/hardening.py) stands in for twin's Opinions; "
        "without the metrics opinion_variance, opinion_polarisation, opinion_bimodality, "
        "opinion_clusters, between_community_variance, opinion",
        "opinions: model (below.yaml:3) is left out, as Hardening has no such parameter",
    ]
    monkeypatch.chdir(tmp_path)
    flagged = load(tmp_path / "below.yaml", ("opinions.class=my.hardening.Hardening",))
    assert flagged.mechanisms["opinions"] == given
    lines = problems(path, "opinions.model=degroot")
    assert len(lines) == 1 and lines[0].startswith(
        "--set opinions.model=degroot opinions.model: no"
    )


def test_resolved_scenario_finds_the_classes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where `from:` is a table and the folder has a key of its own; the digest is that of the
    scenario wherever the code lies, and another one than without the classes."""
    scenario = load(write(tmp_path / "a"))
    text = dump(scenario)
    assert f"class_from: {tmp_path / 'a'}" in text and "from: ''" in text
    (tmp_path / "resolved.yaml").write_text(text)
    monkeypatch.chdir("/")
    again = load(tmp_path / "resolved.yaml")
    assert again == scenario and digest(again) == digest(scenario)
    assert digest(load(write(tmp_path / "b"))) == digest(scenario)
    assert digest(scenario) != digest(load(SCENARIOS / "base.yaml"))
    (tmp_path / "moved.yaml").write_text(text.replace(str(tmp_path / "a"), str(tmp_path / "gone")))
    assert "creators.class_from: there is no folder gone" in problems(tmp_path / "moved.yaml")[0]


def test_safe_runs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under --safe the module is not even imported."""
    path = write(tmp_path, OPINIONS, "raise SystemExit\n")
    monkeypatch.setenv("TWIN_SAFE", "1")
    (line,) = problems(path)
    assert line.startswith("x.yaml:3 opinions.class: my.hardening is code that did not come with")


def test_none_leaves_out(tmp_path: Path) -> None:
    """In a file, by a flag, and undone by settings above; it is what `enabled: false` is."""
    off = load(SCENARIOS / "base.yaml", ("opinions.enabled=false",))
    path = write(tmp_path, "mechanisms: {opinions: none, ratings: none}\n")
    assert set(off.mechanisms) - set(load(path).mechanisms) == {"ratings"}
    flagged = load(SCENARIOS / "base.yaml", ("opinions=none",))
    assert digest(flagged) == digest(off) and "opinions" not in flagged.mechanisms
    back = load(path, ("opinions.tolerance=0.5",))
    assert "opinions" in back.mechanisms and "ratings" not in back.mechanisms
    (line,) = problems(path, "audience=none")
    assert line.startswith("--set audience=none audience: is left out, but needed by ")
    (line,) = problems(path, "opinions=false")
    assert line == "--set opinions=false opinions: is not a mapping (write none to leave it out)"
    (line,) = problems(path, "opinions.habit=3")
    assert "opinions.habit: no such parameter" in line
    (line,) = problems(path, "opinionss=none")
    assert "no such setting (did you mean opinions?)" in line


def test_declarations_name_what_there_is() -> None:
    """What mechanisms declare that they use of others is there; what a class from nothing must
    offer is described."""
    columns = {
        (table, column.name): name
        for name, kind in REGISTRY.items()
        for table, owned in kind.columns.items()
        for column in owned
    }
    levers = {
        f"{name}.{path}"
        for name, kind in REGISTRY.items()
        for path, info in leaves(kind.Params)
        if meta(info)["lever"]
    }
    metrics = {metric.name: name for name, kind in REGISTRY.items() for metric in kind.metrics}
    for name, kind in REGISTRY.items():
        for table, read in kind.reads.items():
            assert all(columns[table, each] != name for each in read), name
        assert set(kind.heeds) <= levers
        assert all(metrics[each] != name for each in kind.watches)
        assert kind.replaced_by != "none" or kind.instead
        if kind.replaced_by == "any":
            asked = protocol(kind, REGISTRY.values())
            assert all(used.what for used in asked.services.values()), name


def test_schema_takes_a_class_or_none() -> None:
    """An editor does not mark either, but a class for the recommender."""
    blocks = json_schema()["properties"]["mechanisms"]["properties"]
    kinds = [next(iter(each)) for each in blocks["opinions"]["anyOf"]]
    assert kinds == ["$ref", "type", "const"]
    assert [next(iter(each)) for each in blocks["recommender"]["anyOf"]] == ["$ref", "const"]


def test_what_is_unlike() -> None:
    """Arrays by type and axes whatever their length, tuples by their fields, the rest by type."""
    graph = Follows(*(np.zeros(k + 1, np.int32) for k in range(6)))
    longer = Follows(*(np.zeros(k + 9, np.int32) for k in range(6)))
    assert unlike(longer, graph) == "" and unlike(3, 4) == "" and unlike(None, None) == ""
    odd = longer._replace(target=np.zeros(3))
    assert unlike(odd, graph) == "target: an array float64 with 1 axes, not int32 with 1"
    assert unlike(tuple(graph), graph) == "tuple, not Follows"
    assert unlike([0], np.zeros(1)) == "list, not an array"
    assert unlike(1.5, 1) == "float, not int" and unlike(SimpleNamespace(), None)
