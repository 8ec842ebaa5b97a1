"""Mechanisms from outside the package: found by dotted path, checked like the others, kept to the
scenario that names them."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import SCENARIOS
from tests.given.outside import BLOCK, MODULE, write
from twin.ground.errors import ScenarioError
from twin.mechanisms import REGISTRY
from twin.scenario.describe import digest, dump
from twin.scenario.loading import load
from twin.scenario.schema import json_schema


def problems(path: Path, *sets: str) -> list[str]:
    """The lines that loading prints, without the folder."""
    with pytest.raises(ScenarioError) as caught:
        load(path, sets)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


def test_the_registry_does_not_leak(tmp_path: Path) -> None:
    """Another scenario of the same process knows nothing of it, nor does the built-in registry, nor
    Python's path."""
    before = list(sys.path)
    scenario = load(write(tmp_path))
    assert "census" in scenario.registry and "census" not in REGISTRY and sys.path == before
    (tmp_path / "y.yaml").write_text("mechanisms: {census: {factor: 1.0}}\n")
    assert "y.yaml:1 census: no such mechanism" in problems(tmp_path / "y.yaml")[0]
    assert "census" not in load(SCENARIOS / "base.yaml").mechanisms
    assert "census" not in json.dumps(json_schema()) and "census" in json.dumps(
        json_schema(scenario.registry)
    )


def test_two_folders_may_have_modules_of_one_name(tmp_path: Path) -> None:
    """Each scenario gets the class of its own folder, the same at every load, even where Python has
    a package of that name."""
    first = write(tmp_path / "a")
    second = write(
        tmp_path / "b",
        module=MODULE.replace("What a person", "What one").replace(
            "low=0, high=10", "low=0, high=20"
        ),
    )
    kinds = [load(path).registry["census"] for path in (first, second, first, second)]
    assert kinds[0] is kinds[2] and kinds[1] is kinds[3] and kinds[0] is not kinds[1]
    load(second, ("census.factor=15.0",))
    assert "out of range" in problems(first, "census.factor=15.0")[0]
    here = sys.modules["tests"]
    (tmp_path / "c" / "tests").mkdir(parents=True)
    (tmp_path / "c" / "tests" / "census.py").write_text(MODULE)
    third = write(tmp_path / "c", BLOCK.replace("own.", "tests."))
    assert load(third).registry["census"] is not kinds[0] and sys.modules["tests"] is here


def test_an_edited_module_is_read_anew(tmp_path: Path) -> None:
    """In a long-lived process the next load sees what was changed on disk."""
    path = write(tmp_path)
    assert "out of range" in problems(path, "census.factor=15.0")[0]
    write(tmp_path, module=MODULE.replace("low=0, high=10", "low=0, high=20.0"))
    assert load(path, ("census.factor=15.0",)).mechanisms["census"].model_dump()["factor"] == 15.0


def test_resolved_scenario_finds_the_class_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`dump` records class and folder, loads to the same from anywhere, with the digest of the
    scenario wherever the code lies."""
    scenario = load(write(tmp_path / "a"))
    (tmp_path / "resolved.yaml").write_text(dump(scenario))
    assert f"from: {tmp_path / 'a'}" in dump(scenario)
    monkeypatch.chdir("/")
    again = load(tmp_path / "resolved.yaml")
    assert again == scenario and digest(again) == digest(scenario) == digest(
        load(write(tmp_path / "b"))
    )
    moved = dump(scenario).replace(str(tmp_path / "a"), str(tmp_path / "gone"))
    (tmp_path / "moved.yaml").write_text(moved)
    assert (
        "census.from: there is no folder gone (write the folder"
        in problems(tmp_path / "moved.yaml")[0]
    )


def test_python_path_and_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module is also found in the current folder and on Python's path; the latter needs no
    `from`."""
    write(tmp_path / "code")
    bare = tmp_path / "bare.yaml"
    bare.write_text(BLOCK)
    assert "there is no module own" in problems(bare)[0]
    monkeypatch.chdir(tmp_path / "code")
    assert load(bare).outside["census"].folder == tmp_path / "code"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "code")
    scenario = load(bare)
    assert (
        scenario.outside["census"].folder is None
        and "from" not in yaml.safe_load(dump(scenario))["mechanisms"]["census"]
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == "own"]:
        del sys.modules[name]


REFUSED = {
    "no module": (
        "class: own.censsus.Census",
        MODULE,
        "there is no module own.censsus in",
        "(did you mean own.census?)",
    ),
    "no package": (
        "class: ownn.census.Census",
        MODULE,
        "there is no module ownn in",
        "(did you mean own?)",
    ),
    "no class": (
        "class: own.census.Cencus",
        MODULE,
        "the module own.census has no class Cencus",
        "(did you mean Census?)",
    ),
    "no dots": (
        "class: Census",
        MODULE,
        "'Census' is not the dotted path of a class",
        "(write package.module.Class)",
    ),
    "a number": ("class: 3", MODULE, "3 is not the dotted path", ""),
    "a colon": ("class: 'own.census:Census'", MODULE, "is not the dotted path", ""),
    "not a mechanism": (
        "class: own.census.CensusParams",
        MODULE,
        "own.census.CensusParams is not a mechanism",
        "derive the class from",
    ),
    "other name": (
        "class: own.census.Census",
        MODULE.replace('name = "census"', 'name = "count"'),
        "Census is named count, and not census",
        '(write name = "census" in the class, or count: here)',
    ),
    "no name": (
        "class: own.census.Census",
        MODULE.replace('name = "census"', "pass"),
        "Census has no name",
        '(write name = "census"',
    ),
    "no parameters": (
        "class: own.census.Census",
        MODULE.replace("    Params = CensusParams\n", ""),
        "Census has no parameters",
        "add Params",
    ),
    "error inside": (
        "class: own.census.Census",
        MODULE.replace("import numpy as np", "one = 1 / 0"),
        "importing own.census fails at own/census.py:3: ZeroDivisionError: division by zero",
        "(correct the module)",
    ),
    "import inside": (
        "class: own.census.Census",
        MODULE.replace("import numpy as np", "import nunpy as np"),
        "importing own.census fails at own/census.py:3: ModuleNotFoundError: No module named "
        "'nunpy'",
        "",
    ),
    "syntax inside": (
        "class: own.census.Census",
        MODULE.replace("import numpy as np", "import"),
        "importing own.census fails at own/census.py:3: SyntaxError",
        "",
    ),
    "exit inside": (
        "class: own.census.Census",
        MODULE.replace("import numpy as np", "raise SystemExit(3)"),
        "fails at own/census.py:3: SystemExit: 3",
        "",
    ),
    "folder": (
        "class: own.census.Census, from: nowhere",
        MODULE,
        "census.from: there is no folder nowhere",
        "contains the module's package",
    ),
    "other folder": (
        "class: own.census.Census, from: own",
        MODULE,
        "there is no module own in",
        "",
    ),
    "taken metric": (
        "class: own.census.Census",
        MODULE.replace('"counted"', '"satisfaction"'),
        "its metric satisfaction already belongs to audience",
        "(change it in own.census.Census)",
    ),
    "need": (
        "class: own.census.Census",
        MODULE.replace("    Params =", '    needs = ("magic",)\n    Params ='),
        "it needs the service magic, which no mechanism offers",
        "",
    ),
    "parameter": (
        "class: own.census.Census, facter: 1.0",
        MODULE,
        "census.facter: no such parameter",
        "(did you mean factor?)",
    ),
    "value": (
        "class: own.census.Census, factor: 11.0",
        MODULE,
        "census.factor: 11.0 is out of range (between 0 and 10)",
        "",
    ),
    "grid": (
        "class: own.census.Census, every: 11min",
        MODULE,
        "census.every: 11min is not a multiple of recommender.refresh",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_mistakes(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake is one line with file, line, reason and mend, and brings no follow-up for
    policies that name the mechanism."""
    block, module, reason, mend = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    path = write(
        tmp_path,
        f"policies: [{{at: 1d, set: {{census.factor: 0.5}}}}]\nmechanisms:\n  census: "
        f"{{{block}}}\n",
        module,
    )
    lines = problems(path)
    assert (
        len(lines) == 1
        and lines[0].startswith("x.yaml:4 census.")
        and reason in lines[0]
        and mend in lines[0]
    ), lines


def test_a_built_in_name_is_taken(tmp_path: Path) -> None:
    """A mechanism of one's own has a name of its own, or is made to stand in for one that comes with
    twin; an unknown block says how to bring one."""
    path = write(tmp_path, "mechanisms:\n  opinions: {class: own.census.Census}\n")
    assert problems(path) == [
        "x.yaml:3 opinions.class: Census is named census, and not opinions (write name = "
        '"opinions" in the class, or census: here)'
    ]
    assert (
        "one of your own needs class: package.module.Class"
        in problems(write(tmp_path, "mechanisms:\n  zzz: {}\n"))[0]
    )


def test_left_out(tmp_path: Path) -> None:
    """`enabled: false` does not even import it."""
    path = write(
        tmp_path,
        "mechanisms:\n  census: {class: own.census.Census, enabled: false}\n",
        "raise ValueError\n",
    )
    scenario = load(path)
    assert "census" not in scenario.mechanisms and "census" not in dump(scenario)
