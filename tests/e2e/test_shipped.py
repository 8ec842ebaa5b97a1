"""What comes with twin, by name: in every command, from any folder, also where only a wheel is
installed."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, ROOT, SCENARIOS, settings, twin
from tests.given.inside import called

POLICIES = sorted(path.stem for path in (SCENARIOS / "policies").glob("*.yaml"))
WORLDS = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs, and nothing of the clone."""
    here = tmp_path_factory.mktemp("wheel")
    source = here / "source"
    skipped = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc")
    for folder in ("twin", "scenarios"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=skipped)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    flags = ("--no-build-isolation", "--no-deps", "--no-index", "--quiet")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *flags, "--wheel-dir", here, source],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = here.glob("twin-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(here / "target")
    shutil.rmtree(source)
    return here / "target"


def test_a_wheel_is_enough(installed: Path, tmp_path: Path) -> None:
    """From an empty folder, with nothing of the clone to be found: a scenario and a policy by name,
    and all that are listed; nothing lies beside the package."""
    assert {path.name for path in installed.iterdir()} == {"twin", "twin-0.1.0.dist-info"}
    place = {"PYTHONPATH": str(installed)}
    where = subprocess.run(
        [sys.executable, "-c", "import twin; print(twin.__file__)"],
        cwd=tmp_path,
        env={**os.environ, **place},
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)
    said = twin("check", "quickstart", "--policy", "chronological@30d", cwd=tmp_path, **place)
    assert "policy chronological: at 30d" in said.stdout and "Estimate: about" in said.stdout
    listed = json.loads(twin("policies", "--json", cwd=tmp_path, **place).stdout)
    assert [each["name"] for each in listed] == POLICIES
    worlds = json.loads(twin("scenarios", "--json", cwd=tmp_path, **place).stdout)
    assert [each["name"] for each in worlds] == WORLDS


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "quickstart", "--policy", "chronological"),
        ("check", "everything", "--policy", "chronological@30d"),
        ("check", "quickstart", "--diff"),
        ("schema", "quickstart"),
        ("dashboards", "quickstart", "--out", "boards"),
        ("forecasts", "list", "E02"),
    ],
    ids=" ".join,
)
def test_commands_take_names(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """From a folder that holds no scenario."""
    called(*arguments, cwd=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("run", "quikstart"),
            "quikstart: there is no scenario quikstart (did you mean quickstart? twin scenarios "
            "lists those that come with twin)",
        ),
        (
            ("check", "towm"),
            "towm: there is no scenario towm (did you mean the file town.yaml? twin scenarios lists "
            "those that come with twin)",
        ),
        (
            ("check", "town.yaml", "--policy", "chronologicl@3d"),
            "--policy chronologicl@3d: there is no policy chronologicl (did you mean chronological "
            "or the file chronologic.yaml? twin policies lists those that come with twin)",
        ),
        (
            ("compare", "town.yaml", "--policy", "zzz"),
            "--policy zzz: there is no policy zzz (twin policies lists those that come with twin)",
        ),
        (
            ("stress", "quickstart", "--policy", "zzz", "--goal", "satisfaction_mean > 0"),
            "--policy zzz: there is no policy zzz (twin policies lists those that come with twin)",
        ),
        (
            ("intervene", "nowhere", "hide_count"),
            "hide_count: there is no policy hide_count (did you mean hide_counts? twin policies "
            "lists those that come with twin)",
        ),
        # the policy is found, so it is the run that is missing
        (("intervene", "nowhere", "hide_counts"), "nowhere: "),
        (("fork", "nowhere", "--policy", "hide_counts"), "nowhere: "),
        (
            ("check", "scenarios/quickstart.yaml"),
            "scenarios/quickstart.yaml: there is no file scenarios/quickstart.yaml (write "
            "quickstart for the scenario that comes with twin)",
        ),
        (
            ("check", "town.yaml", "--policy", "chronological.yaml"),
            "--policy chronological.yaml: there is no file chronological.yaml (write chronological "
            "for the policy that comes with twin)",
        ),
        (
            ("policies", "demote"),
            "demote: there is no policy demote (did you mean demote_ai? twin policies lists those "
            "that come with twin)",
        ),
        (
            ("policies", "demote_ai", "--in", "base"),
            "--in base: belongs to the list (leave it out, or demote_ai)",
        ),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_unknown_names_are_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """The nearest shipped name, the nearest file, and where names are listed; status 2."""
    (tmp_path / "town.yaml").write_text("extends: package:twin/base\n")
    (tmp_path / "chronologic.yaml").write_text("set: {recommender.dim: 4}\n")
    done = called(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    if words.endswith(": "):
        assert done.stderr.startswith(f"error: {words}")
    else:
        assert done.stderr == f"error: {words}\n"


def test_a_run_by_name_is_the_run_by_path(tmp_path: Path) -> None:
    """The same bytes and the same digest, wherever the files lie."""
    for out, scenario, policy in (
        ("name", "base", "author_cap"),
        ("path", SCENARIOS / "base.yaml", SCENARIOS / "policies" / "author_cap.yaml"),
    ):
        small = settings("duration=2d")
        called(
            *("run", scenario, "--policy", f"{policy}@1d", "--out", out, "--quiet", *small),
            cwd=tmp_path,
        )
    name, path = tmp_path / "name", tmp_path / "path"
    for file in ("scenario.yaml", "metrics.parquet", "events.parquet"):
        assert (name / file).read_bytes() == (path / file).read_bytes()
    one, other = (json.loads((each / "manifest.json").read_text()) for each in (name, path))
    changing = {"run_id", "wall_s", "memory_mb"}
    assert {key for key in one if one[key] != other.get(key)} <= changing
    assert one["scenario_digest"] == other["scenario_digest"]


def test_the_list_of_policies(tmp_path: Path) -> None:
    """Every policy with what it sets, from the value in a scenario to its own, and its source; as a
    table in a wide terminal, as paragraphs without a line that is too long in a narrow one."""
    wide = called("policies", cwd=tmp_path, COLUMNS="240").stdout
    assert "recommender.ai_factor: 1 -> 0.5" in wide and "name " in wide.splitlines()[0]
    assert "EU Digital Services Act (Regulation 2022/2065), Art. 38" in wide
    narrow = called("policies", "--in", "quickstart", cwd=tmp_path, COLUMNS="60").stdout
    lines = narrow.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == POLICIES
    assert "  recommender.preset: x_2023 -> x_2026" in lines
    assert max(len(line) for line in lines) <= 60
    # `detection` is of a mechanism that this scenario leaves out
    (tmp_path / "bare.yaml").write_text(
        "extends: package:twin/base\nmechanisms: {campaigns: {enabled: false}}\n"
    )
    bare = called("policies", "--in", "bare.yaml", cwd=tmp_path, COLUMNS="240").stdout
    assert "campaigns.detection: not in the scenario -> 0.05" in bare


def test_the_list_of_scenarios(tmp_path: Path) -> None:
    """What each is, how long it runs, and whom it starts with."""
    said = called("scenarios", cwd=tmp_path, COLUMNS="120").stdout
    (quickstart,) = [line for line in said.splitlines() if line.startswith("quickstart")]
    assert quickstart.split()[:5] == ["quickstart", "180d", "5000", "300", "+"]
    (graph,) = [line for line in said.splitlines() if line.startswith("real_network")]
    assert graph.split()[:4] == ["real_network", "90d", "its", "graph's"]


def test_a_name_shows_the_file(tmp_path: Path) -> None:
    """As it is: what is printed can be kept as a file of one's own, which then comes first."""
    for command, name, file in (
        ("policies", "chronological", SCENARIOS / "policies" / "chronological.yaml"),
        ("scenarios", "quickstart", SCENARIOS / "quickstart.yaml"),
    ):
        assert called(command, name, cwd=tmp_path).stdout == file.read_text()
    (tmp_path / "chronological").write_text("name: mine\nset: {recommender.dim: 4}\n")
    assert "name: mine" in called("policies", "chronological", cwd=tmp_path).stdout
