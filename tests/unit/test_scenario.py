"""Scenarios: every mistake is named with its place and its mend, and nothing is lost between
writing and loading."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from twin.cli import main
from twin.ground.errors import ScenarioError
from twin.ground.units import DAY, format_duration, parse_duration
from twin.scenario.describe import describe, digest, dump
from twin.scenario.loading import Scenario, load
from twin.scenario.schema import json_schema
from twin.world.params import leaves, meta


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90d", 90 * DAY),
        ("1d12h", 129_600),
        ("1h 30min", 5400),
        (" 2w 1d ", 15 * DAY),
        ("1y", 365 * DAY),
        ("0.5d", 43_200),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    """One unit or a sum of several; a year has 365 days."""
    assert parse_duration(text) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


def test_policies_have_dates(tmp_path: Path) -> None:
    """A date, or one with a time of day, wherever a policy has a time; it is kept as the time since
    the start, and what lies before the start or is no day is named."""
    (tmp_path / "x.yaml").write_text(
        "start: 2025-01-01\nduration: 90d\npolicies:\n"
        "  - {name: a, at: 2025-02-01, until: 2025-02-03T12:30, set: {recommender.slate: 5}}\n"
        "  - {name: b, when: sessions > 1, after: '2025-01-11', set: {recommender.slate: 6}}\n"
    )
    a, b = load(tmp_path / "x.yaml").policies
    assert (a.at, a.until, b.after) == (31 * DAY, 33 * DAY + 45_000, 10 * DAY)
    dumped = dump(load(tmp_path / "x.yaml"))
    assert "at: 31d" in dumped and "2025-02" not in dumped
    wrong = (
        "start: 2025-01-01\nduration: 90d\npolicies: [{at: DATE, set: {recommender.slate: 5}}]\n"
    )
    for date, said in (
        ("2024-12-31", "x.yaml:3 policies.0.at: 2024-12-31 is before the start"),
        ("2025-02-30", "x.yaml:3 policies.0.at: 2025-02-30 is not a date"),
    ):
        assert problems(tmp_path, wrong.replace("DATE", date))[0].startswith(said)


def test_many_units_that_are_none_are_refused_at_once() -> None:
    """A sum is read in one go, however long: with a choice at every space this would not end."""
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration("1d " * 5000 + "x")


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, and nothing went wrong."""
    with pytest.raises(SystemExit) as ended:
        main([])
    said = capsys.readouterr()
    assert ended.value.code == 0 and not said.err
    assert said.out.startswith("Usage: twin") and "\n  recommend " in said.out


def problems(tmp_path: Path, text: str, *sets: str) -> list[str]:
    """The lines that loading a text prints, without the folder."""
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "x.yaml", sets)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


CASES = {
    "duplicate key": (
        "mechanisms:\n  audience:\n    initial: 1\n    initial: 2\n",
        "x.yaml:4 audience.initial: is given twice, first on line 3 (keep one of them)",
    ),
    "1e-3": (
        "mechanisms:\n  recommender: {regularisation: 1e-3}\n",
        "x.yaml:2 recommender.regularisation: 1e-3 would be read as text by YAML (write 0.001)",
    ),
    "12:30": ("mechanisms:\n  audience: {again_gap: 12:30}\n", "base 60"),
    "off": (
        "mechanisms:\n  creators: {enabled: off}\n",
        "off is ambiguous in YAML (write true or false, or quote it: 'off')",
    ),
    "yes as value": ("mechanisms:\n  audience: {counts_shown: yes}\n", "yes is ambiguous"),
    "NaN": (
        "mechanisms:\n  recommender: {learning_rate: .nan}\n",
        "x.yaml:2 recommender.learning_rate: .nan is not a finite",
    ),
    "infinity": (
        "mechanisms:\n  recommender: {learning_rate: .inf}\n",
        ".inf is not a finite number",
    ),
    "overflow": (
        "mechanisms:\n  recommender: {learning_rate: 1.0e999}\n",
        "is not a finite number",
    ),
    "negative rate": (
        "mechanisms:\n  audience: {arrivals: -3/d}\n",
        "x.yaml:2 audience.arrivals: '-3/d' is negative",
    ),
    "rate without unit": (
        "mechanisms:\n  audience: {arrivals: 3}\n",
        "is not a rate (write a number, a slash and a unit",
    ),
    "a parameter of another mechanism": (
        "mechanisms:\n  creators: {counts_shown: true}\n",
        "x.yaml:2 creators.counts_shown: no such parameter (did you mean audience.counts_shown?)",
    ),
    "a sum with a hole": ("duration: 1d12\n", "'1d12' is not a duration"),
    "duration without unit": ("duration: 90\n", "x.yaml:1 duration: 90 is not a duration"),
    "out of range": (
        "mechanisms:\n  recommender: {dim: 4096}\n",
        "x.yaml:2 recommender.dim: 4096 is out of range (between 1 and 512 floats)",
    ),
    "duration out of range": (
        "mechanisms:\n  recommender: {refresh: 2h}\n",
        "is out of range (between 1min and 30min s)",
    ),
    "bool for number": (
        "mechanisms:\n  recommender: {dim: true}\n",
        "recommender.dim: True is not a whole number",
    ),
    "text for number": (
        "mechanisms:\n  recommender: {dim: many}\n",
        "recommender.dim: many is not a whole number",
    ),
    "unknown parameter": (
        "mechanisms:\n  audience: {initail: 5}\n",
        "x.yaml:2 audience.initail: no such parameter (did you mean initial?)",
    ),
    "unknown nested": (
        "mechanisms:\n  audience: {responses: {clik: {intercept: 1.0}}}\n",
        "did you mean click?",
    ),
    "unknown mechanism": (
        "mechanisms:\n  recomender: {}\n",
        "x.yaml:2 recomender: no such mechanism (did you mean recommender?)",
    ),
    "mechanism on top": ("audience: {initial: 5}\n", "move it below mechanisms:"),
    "unknown top key": (
        "duratoin: 3d\n",
        "x.yaml:1 duratoin: no such top-level key (did you mean duration?)",
    ),
    "unknown choice": ("mechanisms:\n  recommender: {preset: lieks}\n", "did you mean likes?"),
    "list for mapping": ("mechanisms: [audience]\n", "x.yaml:1 mechanisms: is not a mapping"),
    "scalar for mapping": ("mechanisms: {audience: 5}\n", "audience: is not a mapping"),
    "bad date": ("start: 2025-02-30\n", "x.yaml:1 start: '2025-02-30' is not a date"),
    "self-extending": (
        "extends: x.yaml\n",
        "x.yaml:1 extends: is circular: x.yaml -> x.yaml",
    ),
    "missing base": ("extends: bsae.yaml\n", "there is no file bsae.yaml beside this one"),
    "empty": ("", "x.yaml:1: is not a mapping (the file is empty"),
    "comments only": ("# nothing\n", "the file is empty"),
    "list": ("- a\n", "x.yaml:1: is not a mapping"),
    "not YAML": ("a: [\n", "is not YAML"),
    "alias bomb": (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "x.yaml:1: YAML anchors and aliases are not used here",
    ),
    "merge key": ("mechanisms:\n  audience:\n    <<: {initial: 5}\n", "x.yaml:3"),
    "tag": ("name: !!python/object/apply:os.system [ls]\n", "YAML tags are not used here"),
    "two documents": ("name: a\n---\nname: b\n", "document"),
    "policy lever": (
        "policies: [{at: 1d, set: {recommender.presett: x}}]\n",
        "no such lever (did you mean recommender.preset?)",
    ),
    "policy not a lever": (
        "policies: [{at: 1d, set: {recommender.lists: 4}}]\n",
        "recommender.lists: cannot be changed during a run",
    ),
    "policy value": (
        "policies: [{at: 1d, set: {recommender.slate: 5000}}]\n",
        "5000 is not a value that it can take (between 1 and 100)",
    ),
    "policy metric": (
        "policies: [{when: opinion_varance < 1, set: {recommender.slate: 5}}]\n",
        "did you mean opinion_variance?",
    ),
    "off the grid": (
        "mechanisms: {recommender: {retrain_every: 61min}}\n",
        "61min is not a multiple of recommender.refresh (10min)",
    ),
    "needed and left out": (
        "mechanisms: {network: {enabled: false}}\n",
        "network: is left out, but needed by audience, ",
    ),
    "edge list without file": (
        "mechanisms:\n  network: {kind: edge_list}\n",
        "needs a file of edges (add --set network.path=FILE",
    ),
    "missing edge list": (
        "mechanisms:\n  network: {kind: edge_list, path: no.txt}\n",
        "x.yaml:2 network.path: there is no file no.txt",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_mistakes(case: str, tmp_path: Path) -> None:
    """Each mistake is one line with its place, the reason and the mend."""
    text, wanted = CASES[case]
    lines = problems(tmp_path, text)
    assert len(lines) == 1 and wanted in lines[0] and lines[0].startswith("x.yaml")


def test_all_mistakes_at_once_in_order(tmp_path: Path) -> None:
    """Several mistakes are all told, sorted by line."""
    lines = problems(
        tmp_path,
        "duratoin: 1d\nseed: -1\nmechanisms:\n  audience: {initail: 1, arrivals: -1/d}\n",
        "creators.foo=1",
    )
    assert [line.split(" ")[0] for line in lines] == [
        "--set",
        "x.yaml:1",
        "x.yaml:2",
        "x.yaml:4",
        "x.yaml:4",
    ]


def test_what_yaml_misreads_hides_no_other_mistake(tmp_path: Path) -> None:
    """Values that YAML would misread, a base that is missing, unknown names and values out of range
    are all told at once, once."""
    lines = problems(
        tmp_path,
        """extends: nowhere.yaml
nmae: x
duration: 10
mechanisms:
  audience: {inital: 100, leave: -1, again: 1e-3, again_gap: 12:30}
  recommender: {rankng: off, preset: likess, dim: 32, dim: 4096}
  network: {kind: edge_list, path: off}
policies:
  - {at: 12:30, set: {recommender.quotas.explore: 3}}
  - {at: 5d, set: {recommender.presett: likes, recommender.slate: .nan}}
""",
        "audience.arrivals=.inf",
        "creators.human.inital=3",
    )
    wanted = (
        "--set audience.arrivals=.inf",
        "--set creators.human.inital=3",
        "x.yaml:1 extends",
        "x.yaml:2 nmae",
        "x.yaml:3 duration",
        "x.yaml:5 audience.inital",
        "x.yaml:5 audience.leave",
        "x.yaml:5 audience.again:",
        "x.yaml:5 audience.again_gap:",
        "x.yaml:6 recommender.dim",
        "x.yaml:6 recommender.rankng",
        "x.yaml:6 recommender.preset",
        "x.yaml:7 network.path",
        "x.yaml:9 policies.0.at",
        "x.yaml:9 policies.0.set.recommender.quotas.explore: no such lever (did you mean "
        "recommender.quota.explore?)",
        "x.yaml:10 policies.1.set.recommender.presett",
        "x.yaml:10 policies.1.set.recommender.slate",
    )
    assert len(lines) == len(wanted)
    for start in wanted:
        assert any(line.startswith(start) for line in lines), start


def test_extends_circle_of_two(tmp_path: Path) -> None:
    """a extends b extends a."""
    (tmp_path / "b.yaml").write_text("extends: x.yaml\n")
    assert "x.yaml -> b.yaml -> x.yaml" in problems(tmp_path, "extends: b.yaml\n")[0]


@pytest.mark.parametrize(
    "content",
    [
        b"a" * 100_000_000,
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"a: " + b"{b: " * 20_000,
        b"9" * 190_000,
        b"a: 1\n" * 30_000,
        b"a: " + b"b\n\n" * 40_000,
        b"? " * 90_000,
        b"- " * 90_000,
    ],
)
def test_monsters_are_refused_quickly(content: bytes, tmp_path: Path) -> None:
    """100 MB, binary, and deeply nested files get a refusal, and soon."""
    (tmp_path / "x.yaml").write_bytes(content)
    begin = time.monotonic()
    with pytest.raises(ScenarioError):
        load(tmp_path / "x.yaml")
    assert time.monotonic() - begin < 30  # a hang, not a speed


@pytest.mark.parametrize("name", ["base", "quickstart", "two_years"])
def test_dump_loads_to_the_same(name: str, tmp_path: Path) -> None:
    """The resolved scenario loads to the same scenario, with the same digest."""
    scenario = load(SCENARIOS / f"{name}.yaml")
    (tmp_path / "x.yaml").write_text(dump(scenario))
    again = load(tmp_path / "x.yaml")
    assert again == scenario and digest(again) == digest(scenario)


def test_partly_given_groups_keep_their_other_defaults(tmp_path: Path) -> None:
    """Setting one number of a nested set leaves its other numbers as that place declares them."""
    (tmp_path / "x.yaml").write_text(
        "mechanisms: {audience: {responses: {click: {intercept: -2.0}}}}\n"
    )
    plain, changed = (
        load(path).mechanisms["audience"].model_dump()
        for path in (_empty(tmp_path), tmp_path / "x.yaml")
    )
    assert plain["responses"]["click"]["match"] == changed["responses"]["click"]["match"] != 0
    plain["responses"]["click"]["intercept"] = -2.0
    assert plain == changed


def _empty(tmp_path: Path) -> Path:
    (tmp_path / "empty.yaml").write_text("name: nothing\n")
    return tmp_path / "empty.yaml"


def test_layers(tmp_path: Path) -> None:
    """A child's values win over its base's, --set wins over both, and the rest stays."""
    (tmp_path / "base.yaml").write_text(
        "duration: 5d\nseed: 4\nmechanisms: {audience: {initial: 7, leave: 0.5}}\n"
    )
    (tmp_path / "x.yaml").write_text("extends: base.yaml\nmechanisms: {audience: {initial: 8}}\n")
    scenario = load(tmp_path / "x.yaml", ("seed=9",))
    audience = scenario.mechanisms["audience"].model_dump()
    assert (scenario.duration, scenario.seed, audience["initial"], audience["leave"]) == (
        5 * DAY,
        9,
        8,
        0.5,
    )


def test_every_number_is_documented(small: Callable[..., Scenario]) -> None:
    """Every parameter has a sentence and a source; every number of a scenario is described with its
    origin."""
    scenario = small("recommender.dim=8")
    for params in scenario.mechanisms.values():
        for path, info in leaves(type(params)):
            assert info.description and meta(info)["source"], path
    rows = {row.path: row for row in describe(scenario)}
    assert rows["recommender.dim"].origin == "--set" and rows["recommender.dim"].unit == "floats"
    assert (
        rows["audience.return_a"].origin.startswith("base.yaml:")
        and rows["recommender.author_cap"].origin == "default"
    )


def test_schema_names_every_parameter() -> None:
    """The JSON Schema has every mechanism with every parameter and describes it."""
    schema = json_schema()
    blocks = schema["properties"]["mechanisms"]["properties"]
    assert {"audience", "creators", "network", "recommender", "opinions", "chatbots"} <= set(blocks)
    ref = blocks["audience"]["anyOf"][0]["$ref"]
    audience = schema["$defs"][ref.rpartition("/")[2]]["properties"]
    assert "enabled" in audience and all("description" in one for one in audience.values())
