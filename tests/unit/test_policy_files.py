"""Policies in files of their own: every one that is shipped loads, `use` and `--policy` find them,
mistakes name the policy file."""

from pathlib import Path

import pytest
import yaml

from tests.conftest import SCENARIOS
from twin.ground.errors import ScenarioError
from twin.ground.units import DAY
from twin.scenario.describe import digest, dump, policy_lines
from twin.scenario.loading import load

FILES = sorted((SCENARIOS / "policies").glob("*.yaml"))
STEP = """# a comment
name: step
set:
  recommender.preset: likes
  recommender.slate: 5
"""


def write(folder: Path, **files: str) -> Path:
    """Policy files in ``folder/own``, and an empty scenario beside that folder."""
    (folder / "own").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "own" / f"{name}.yaml").write_text(text)
    (folder / "x.yaml").write_text("name: x\n")
    return folder / "x.yaml"


def problems(path: Path, text: str = "name: x\n", *policies: str) -> list[str]:
    """The lines that loading prints, without the folder."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(path, policies=policies)
    return str(caught.value).replace(f"{path.parent}/", "").splitlines()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_policy_loads_and_says_what_it_stands_for(file: Path) -> None:
    """Laid on the base scenario without a mistake; it has a name, sets something, and begins with a
    comment."""
    scenario = load(SCENARIOS / "base.yaml", policies=(str(file),))
    assert scenario.policies and all(policy.name and policy.set for policy in scenario.policies)
    assert file.read_text(encoding="utf-8").startswith("# ")


def test_shipped_policies_can_be_laid_together() -> None:
    """No two share a name."""
    files = [yaml.safe_load(file.read_text()) for file in FILES]
    names = [policy["name"] for file in files for policy in file.get("policies", [file])]
    assert len(FILES) >= 30 and len(set(names)) == len(names)


def test_use_lays_other_keys_on_the_file(tmp_path: Path) -> None:
    """`use` is relative to the scenario; keys beside it win, levers in `set` merge, the rest is the
    file's."""
    path = write(tmp_path, step=STEP)
    path.write_text("""policies:
  - {use: own/step.yaml, at: 5d, set: {recommender.slate: 7}}
  - {name: last, set: {recommender.slate: 9}}
""")
    step, last = load(path).policies
    assert (
        step.name == "step"
        and step.at == 5 * DAY
        and step.set == {"recommender.preset": "likes", "recommender.slate": 7}
    )
    assert last.name == "last"
    child = tmp_path / "deeper"
    child.mkdir()
    (child / "y.yaml").write_text("extends: ../x.yaml\n")
    assert load(child / "y.yaml").policies[0].set == step.set


def test_a_file_may_hold_several(tmp_path: Path) -> None:
    """A list becomes that many policies, in order; keys beside `use` go to each."""
    path = write(
        tmp_path,
        two="""policies:
  - {name: a, at: 1d, set: {recommender.slate: 5}}
  - {name: b, set: {recommender.slate: 6}}
""",
    )
    path.write_text(
        "policies:\n  - {name: first, set: {recommender.slate: 4}}\n  - {use: own/two.yaml, until: "
        "9d}\n"
    )
    policies = load(path).policies
    assert [(policy.name, policy.at, policy.until) for policy in policies] == [
        ("first", None, None),
        ("a", DAY, 9 * DAY),
        ("b", None, 9 * DAY),
    ]


def test_flags_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--policy FILE` and `FILE@TIME` add to the scenario's list, relative to the current
    folder."""
    path = write(tmp_path, step=STEP, other=STEP.replace("step", "other"))
    path.write_text("policies: [{name: mine, set: {recommender.slate: 4}}]\n")
    monkeypatch.chdir(tmp_path)
    scenario = load(path, policies=("own/step.yaml@90min", f"{tmp_path}/own/other.yaml"))
    assert [(policy.name, policy.at) for policy in scenario.policies] == [
        ("mine", None),
        ("step", 5400),
        ("other", None),
    ]
    lines = policy_lines(scenario)
    assert lines[0].endswith("(x.yaml:1)") and lines[1].endswith("(step.yaml:3)")
    assert lines[1].startswith("policy step: at 90min: recommender.preset=likes")
    path.write_text("name: x\n")
    assert [policy.name for policy in load(path, policies=("own/step.yaml",)).policies] == ["step"]
    assert [
        policy.name for policy in load(path, ("policies=[{use: own/step.yaml}]",)).policies
    ] == ["step"]


def test_resolved_scenario_holds_them(tmp_path: Path) -> None:
    """`dump` writes policies out, so that a run folder needs no policy file."""
    path = write(tmp_path, step=STEP)
    scenario = load(path, policies=(f"{tmp_path}/own/step.yaml@5d",))
    (tmp_path / "own" / "step.yaml").unlink()
    path.write_text(dump(scenario))
    again = load(path)
    assert (
        "use" not in yaml.safe_load(dump(scenario))["policies"][0]
        and again == scenario
        and digest(again) == digest(scenario)
    )


MISTAKES = {
    "lever": (
        STEP.replace("preset", "presett"),
        "own/step.yaml:4 set.recommender.presett: no such lever (did you mean recommender.preset?)",
    ),
    "value": (
        STEP.replace("5", "5000"),
        "own/step.yaml:5 set.recommender.slate: 5000 is not a value that it can take (between 1 "
        "and 100)",
    ),
    "key": (STEP + "untl: 3d\n", "own/step.yaml:6 untl: no such parameter (did you mean until?)"),
    "duration": (STEP + "until: 3\n", "own/step.yaml:6 until: 3 is not a duration"),
    "misread": (
        STEP.replace("likes", "off"),
        "own/step.yaml:4 set.recommender.preset: off is ambiguous in YAML",
    ),
    "twice": (STEP + "name: again\n", "own/step.yaml:6 name: is given twice, first on line 2"),
    "grid": (
        STEP + "until: 61min\n",
        "own/step.yaml:6 until: 61min is not a multiple of recommender.refresh",
    ),
    "chain": (
        STEP + "use: other.yaml\n",
        "own/step.yaml:6 use: a policy file cannot use another (name both files in the scenario)",
    ),
    "metric": (
        STEP + "when: opinion_varance < 1\n",
        "own/step.yaml:6 when: no metric is named opinion_varance",
    ),
    "empty": ("", "own/step.yaml:1: is not a mapping (the file is empty"),
    "list": ("- {name: a}\n", "own/step.yaml:1: is not a mapping"),
    "policies not a list": ("policies: {name: a}\n", "own/step.yaml:1 policies: is not a list"),
    "item": (
        "policies:\n  - {name: a, set: {recommender.slate: 5}}\n  - likes\n",
        "own/step.yaml:3 policies.1: is not a mapping",
    ),
    "beside": (
        "at: 5d\npolicies: [{name: a, set: {recommender.slate: 5}}]\n",
        "own/step.yaml:1 at: stands beside a list of policies",
    ),
    "in a list": (
        "policies:\n  - {name: a, set: {recommender.slate: 5}}\n  - {name: b, set: "
        "{recommender.slat: 5}}\n",
        "own/step.yaml:3 policies.1.set.recommender.slat: no such lever (did you mean "
        "recommender.slate?)",
    ),
    "not YAML": ("a: [\n", "own/step.yaml:2: is not YAML"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_name_the_policy_file(case: str, tmp_path: Path) -> None:
    """A mistake in a policy file is one line with that file and its line, however the file is
    brought in."""
    text, wanted = MISTAKES[case]
    path = write(tmp_path, step=text)
    for lines in (
        problems(
            path,
            "policies:\n  - {name: first, set: {recommender.slate: 4}}\n  - use: own/step.yaml\n",
        ),
        problems(path, "name: x\n", f"{tmp_path}/own/step.yaml"),
    ):
        assert len(lines) == 1 and lines[0].startswith(wanted), lines


def test_mistakes_in_naming_a_file(tmp_path: Path) -> None:
    """A missing file, a folder that is not there, a wrong time and a file used twice are told where
    they were written."""
    path = write(tmp_path, step=STEP)
    assert problems(path, "policies: [{use: own/stp.yaml}]\n") == [
        "x.yaml:1 policies.0.use: there is no file own/stp.yaml (did you mean step.yaml?)"
    ]
    assert (
        "there is no folder nowhere" in problems(path, "policies: [{use: nowhere/step.yaml}]\n")[0]
    )
    assert problems(path, "policies: [{use: 3}]\n")[0].startswith(
        "x.yaml:1 policies.0.use: is not a file name"
    )
    assert (
        "did you mean step.yaml?" in problems(path, "name: x\n", f"{tmp_path}/own/stp.yaml@5d")[0]
    )
    assert problems(path, "name: x\n", f"{tmp_path}/own/step.yaml@5")[0].startswith(
        "--policy own/step.yaml@5 at: '5' is not a duration"
    )
    twice = problems(path, "policies: [{use: own/step.yaml}, {use: own/step.yaml, at: 3d}]\n")
    assert len(twice) == 1 and twice[0].startswith(
        "own/step.yaml:2 name: two policies are named step"
    )
    assert len(problems(path, "policies: [{use: own/step.yaml, untl: 3d}]\n")) == 1
    assert problems(path, "policies: {use: own/step.yaml}\n") == [
        "x.yaml:1 policies: is not a list (begin each policy with `- name: ...`)"
    ]


def test_levers_get_the_mechanisms_units(tmp_path: Path) -> None:
    """A lever that is a rate or a duration may be written with its unit; what the world gets is the
    number."""
    path = write(tmp_path)
    path.write_text(
        "policies: [{name: more, set: {creators.ai.arrivals: 36/h, creators.ai_pay: 0}}]\n"
    )
    scenario = load(path)
    assert scenario.policies[0].set == {"creators.ai.arrivals": "36/h", "creators.ai_pay": 0}
    values = scenario.mechanisms["policies"].model_dump()["plan"][0]["set"]
    assert values == {"creators.ai.arrivals": 864.0, "creators.ai_pay": 0.0}
    assert (
        "creators.ai.arrivals: -1/d"
        not in problems(path, "policies: [{name: a, set: {creators.ai.arrivals: -1/d}}]\n")[0]
    )
