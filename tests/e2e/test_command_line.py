"""The real command line: its contract, its exactness under kills, its errors."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml

from tests.conftest import PATIENCE_S, SCENARIOS, settings, twin
from tests.given.inside import called
from tests.given.killed import killed
from tests.given.outside import MODULE, write
from twin.ground.units import DAY

TABLES = ("metrics.parquet", "events.parquet")
POLICY = "policies=[{name: likes only, at: 15d, set: {recommender.preset: likes}}]"


def tables(folder: Path) -> list[bytes]:
    """The bytes of a run's results."""
    return [(folder / name).read_bytes() for name in TABLES]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 32 days that nobody disturbed, on one thread."""
    here = tmp_path_factory.mktemp("straight")
    twin(
        "run",
        SCENARIOS / "base.yaml",
        "--out",
        here / "run",
        "--quiet",
        *settings(POLICY),
        cwd=here,
        NUMBA_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
    )
    return here / "run"


def test_run_folder(straight: Path) -> None:
    """A run folder holds what the contract says."""
    names = {path.name for path in straight.iterdir()}
    assert names == {
        "scenario.yaml",
        "manifest.json",
        "metrics.parquet",
        "events.parquet",
        "checkpoints",
        "report.html",
    }
    table = pq.read_table(straight / "metrics.parquet")
    assert table.column_names == ["time", "metric", "labels", "value"]
    assert str(table.schema.field("time").type) == "timestamp[ms, tz=UTC]"
    times = table["time"].unique().to_pylist()
    assert len(times) == 33 and (times[-1] - times[0]).days == 32
    events = pq.read_table(straight / "events.parquet").to_pylist()
    assert [(row["kind"], row["time"].day, row["text"].split(":")[0]) for row in events] == [
        ("policy", 16, "likes only")
    ]
    manifest = json.loads((straight / "manifest.json").read_text())
    assert manifest["status"] == "done" and manifest["sessions"] > 3000
    assert (
        yaml.safe_load((straight / "scenario.yaml").read_text())["mechanisms"]["audience"][
            "initial"
        ]
        == 300
    )


def test_two_threads_and_the_resolved_scenario_give_the_same_bytes(
    straight: Path, tmp_path: Path
) -> None:
    """The resolved scenario of a run, run again on two threads, gives the same bytes."""
    twin(
        "run",
        straight / "scenario.yaml",
        "--out",
        "again",
        "--quiet",
        cwd=tmp_path,
        NUMBA_NUM_THREADS="2",
        OMP_NUM_THREADS="2",
    )
    assert tables(tmp_path / "again") == tables(straight)


def test_reference_mode_gives_the_same_bytes(straight: Path, tmp_path: Path) -> None:
    """`--reference` is slower and the same."""
    twin(
        "run", straight / "scenario.yaml", "--out", "single", "--quiet", "--reference", cwd=tmp_path
    )
    assert tables(tmp_path / "single") == tables(straight)


def test_killed_runs_resume_to_the_same_bytes(straight: Path, tmp_path: Path) -> None:
    """kill -9 again and again, at moments spread over the run, then resume: the bytes of the run
    that nobody killed."""
    command = [
        sys.executable,
        "-c",
        "import twin.running.drive as r; r.CHECKPOINT_SIM_S = 43200; from twin.cli import main; "
        "main()",
    ]
    out = tmp_path / "killed"
    first = [*command, "run", str(straight / "scenario.yaml"), "--out", str(out), "--quiet"]
    again = [*command, "resume", str(out), "--quiet"]
    kills = killed(first, again, out, [day * DAY for day in (2, 8, 16, 24)])
    twin("resume", out, "--quiet", cwd=tmp_path)
    assert kills >= 3
    assert tables(out) == tables(straight)


def test_interrupt_leaves_a_run_that_can_go_on(straight: Path, tmp_path: Path) -> None:
    """Ctrl-C: status 130, a sentence that says how to go on, and the same bytes after doing so."""
    out = tmp_path / "stopped"
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", "run", str(straight / "scenario.yaml"), "--out", str(out)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    while "sessions/s" not in (line := process.stdout.readline()):  # the first line of progress
        assert line, process.wait()
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=PATIENCE_S)[0]
    assert process.returncode == 130
    assert f"twin resume {out}" in rest and "nothing is lost" in rest
    assert (out / "checkpoints").iterdir() and not (out / "metrics.parquet").exists()
    assert "unfinished" in Path(called("report", out, cwd=tmp_path).stdout.strip()).read_text(
        encoding="utf-8"
    )
    again = twin("resume", out, cwd=tmp_path)
    assert "resumes at 2025-01-" in again.stdout and "done" in again.stdout
    assert tables(out) == tables(straight)
    assert "already finished" in called("resume", out, cwd=tmp_path).stdout


def test_live_view_on_a_terminal(straight: Path, tmp_path: Path) -> None:
    """On a terminal the live view draws both sides, sparklines, the policy's mark and the end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "twin",
            "run",
            str(straight / "scenario.yaml"),
            "--out",
            str(tmp_path / "live"),
        ],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "110", "LINES": "40"},
    )
    os.close(theirs)
    seen = b""
    while process.poll() is None or select.select([ours], [], [], 0.1)[0]:
        try:
            seen += os.read(ours, 65536)
        except OSError:
            break
    text = seen.decode()
    for wanted in (
        "Creators",
        "Consumers",
        "Chatbots",
        "sessions/s",
        "left",
        "█",
        "policy: likes only",
        "100 %",
        "done: base",
    ):
        assert wanted in text
    assert process.wait() == 0


def test_quiet_is_quiet(tmp_path: Path) -> None:
    """`--quiet` prints nothing."""
    done = twin(
        "run",
        SCENARIOS / "base.yaml",
        "--out",
        "run",
        "--quiet",
        *settings("duration=1d"),
        cwd=tmp_path,
    )
    assert done.stdout == "" and done.stderr == ""


def test_default_folders_are_numbered(tmp_path: Path) -> None:
    """Without --out, runs/<name>-1, then -2."""
    for number in (1, 2):
        done = called("run", SCENARIOS / "base.yaml", *settings("duration=1d"), cwd=tmp_path)
        assert (
            tmp_path / "runs" / f"base-{number}" / "report.html"
        ).exists() and f"base-{number}" in done.stdout


@pytest.mark.parametrize(
    "name", ["base", "quickstart", "two_years", "real_network", "everything", "forecasts"]
)
def test_schema_accepts_every_scenario_and_refuses_mistakes(name: str, tmp_path: Path) -> None:
    """`twin schema` prints a JSON Schema that editors can use."""
    schema = json.loads(twin("schema", cwd=tmp_path).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    scenario = json.loads(
        json.dumps(yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text()), default=str)
    )
    assert list(checker.iter_errors(scenario)) == []
    scenario["mechanisms"].setdefault("audience", {})["initail"] = 5
    assert len(list(checker.iter_errors(scenario))) == 1


def test_check_explains_everything(tmp_path: Path) -> None:
    """`twin check` shows every number with unit, source and origin, the order of clocks, and an
    estimate."""
    text = twin(
        "check", SCENARIOS / "quickstart.yaml", "--set", "recommender.dim=8", cwd=tmp_path
    ).stdout
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip()}
    assert "8 floats" in lines["recommender.dim"] and "--set" in lines["recommender.dim"]
    assert (
        "quickstart.yaml:" in lines["audience.initial"]
        and "5000 consumers" in lines["audience.initial"]
    )
    assert "base.yaml:" in lines["audience.return_a"] and "KuaiRand" in lines["audience.return_a"]
    assert "default" in lines["recommender.author_cap"] and lines[
        "recommender.author_cap"
    ].endswith("*")
    assert "policy 2026 weights: at 90d" in text
    clocks = text[text.index("Order within one instant") :]
    order = [
        clocks.index(word)
        for word in (
            "audience.browse",
            "policies.apply",
            "recommender.retrain",
            "recommender.refresh",
            "engine.measure",
        )
    ]
    assert order == sorted(order)
    assert "Estimate: about" in text and " MB" in text


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run"], 2, "Missing argument"),
        (["rnu", "x.yaml"], 2, "did you mean run?"),
        (["run", "nothing.yaml"], 2, "no such file"),
        (["run", "x.yaml", "--set", "audience.initail=1"], 2, "did you mean initial?"),
        (["run", "x.yaml", "--sett", "a=1"], 2, "--set"),
        (["run", "x.yaml", "--out", "x.yaml"], 2, "x.yaml"),
        (["run", "x.yaml", "--out", "full"], 2, "not empty"),
        (["resume", "full"], 2, "not a run folder"),
        (["report", "absent"], 2, "not a run folder"),
        (["check", "full"], 2, "is a folder"),
        (["check", "x.yaml", "--policy", "none.yaml@3d"], 2, "there is no file none.yaml"),
        (["check", "x.yaml", "--set", "own.class=none.such.Thing"], 2, "there is no module none"),
        (["schema", "nothing.yaml"], 2, "no such file"),
    ],
)
def test_errors_are_one_line(arguments: list[str], status: int, words: str, tmp_path: Path) -> None:
    """Wrong usage: one line that says what and how to mend it, status 2, no traceback."""
    (tmp_path / "x.yaml").write_text("name: x\n")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    done = called(*arguments, cwd=tmp_path, check=False)
    assert done.returncode == status
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("error: ")


def test_changed_or_damaged_runs_are_refused(straight: Path, tmp_path: Path) -> None:
    """A run whose scenario was edited, or whose manifest is broken, is refused in one line."""
    import shutil

    shutil.copytree(straight, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (tmp_path / "run" / "manifest.json").write_text(
        json.dumps({**manifest, "status": "interrupted"})
    )
    text = (tmp_path / "run" / "scenario.yaml").read_text()
    (tmp_path / "run" / "scenario.yaml").write_text(text.replace("seed: 1", "seed: 2"))
    done = called("resume", "run", cwd=tmp_path, check=False)
    assert (
        done.returncode == 1
        and "was changed since" in done.stderr
        and len(done.stderr.splitlines()) == 1
    )
    (tmp_path / "run" / "manifest.json").write_text("{")
    done = called("resume", "run", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "cannot be read" in done.stderr


def test_mechanism_of_ones_own(tmp_path: Path) -> None:
    """A class beside the scenario runs from another folder, is interrupted and resumed there to the
    same bytes, and is reported."""
    path = write(
        tmp_path / "mine", "mechanisms:\n  census: {class: own.census.Census}\nname: mine\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    twin("run", path, "--out", "whole", "--quiet", *settings("duration=16d"), cwd=elsewhere)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "twin",
            "run",
            str(path),
            "--out",
            "stopped",
            *settings("duration=16d"),
        ],
        cwd=elsewhere,
        text=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    while "sessions/s" not in (line := process.stdout.readline()):  # the first line of progress
        assert line, process.wait()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    twin("resume", "stopped", "--quiet", cwd=elsewhere)
    assert tables(elsewhere / "stopped") == tables(elsewhere / "whole")
    assert "counted" in pq.read_table(elsewhere / "whole" / "metrics.parquet")["metric"].to_pylist()
    assert "Census" in (elsewhere / "stopped" / "report.html").read_text()


def test_error_in_a_mechanism_of_ones_own_is_one_line(tmp_path: Path) -> None:
    """It names the user's file and line, and is not called a bug of twin."""
    path = write(
        tmp_path,
        "mechanisms:\n  census: {class: own.census.Census}\n",
        MODULE.replace('self.keep["sum"] +=', "self.kep +="),
    )
    done = twin("run", path, "--out", "run", *settings("duration=2d"), cwd=tmp_path, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert (
        f"error: {tmp_path / 'own' / 'census.py'}:" in done.stderr
        and "AttributeError" in done.stderr
        and "bug" not in done.stderr
    )


def test_policy_files_on_the_command_line(tmp_path: Path) -> None:
    """`--policy FILE@TIME` is shown by `check` with its file, takes hold in a run, and is in the
    run's resolved scenario."""
    library = SCENARIOS / "policies"
    flags = (
        "--policy",
        f"{library / 'chronological.yaml'}@1d",
        "--policy",
        library / "hide_counts.yaml",
    )
    text = called("check", SCENARIOS / "base.yaml", *flags, *settings(), cwd=tmp_path).stdout
    assert (
        "policy chronological: at 1d: recommender.ranking=chronological" in text
        and "(chronological.yaml:6)" in text
    )
    assert (
        "policy counts hidden: from the start: audience.counts_shown=False  (hide_counts.yaml:5)"
        in text
    )
    twin(
        "run",
        SCENARIOS / "base.yaml",
        "--out",
        "run",
        "--quiet",
        *flags,
        *settings("duration=2d"),
        cwd=tmp_path,
    )
    events = pq.read_table(tmp_path / "run" / "events.parquet").to_pylist()
    assert [(row["time"].day, row["text"].split(":")[0]) for row in events] == [
        (1, "counts hidden"),
        (2, "chronological"),
    ]
    assert [
        each["name"]
        for each in yaml.safe_load((tmp_path / "run" / "scenario.yaml").read_text())["policies"]
    ] == ["chronological", "counts hidden"]


def test_help_teaches(tmp_path: Path) -> None:
    """`twin --help` names every command and begins with an example."""
    text = twin("--help", cwd=tmp_path).stdout
    for word in (
        "run",
        "resume",
        "check",
        "report",
        "schema",
        "twin run quickstart",
    ):
        assert word in text


def test_a_bare_command_is_a_question(tmp_path: Path) -> None:
    """`twin` alone answers with its help, and not with errors."""
    bare = called(cwd=tmp_path, check=False)
    assert bare.stdout == called("--help", cwd=tmp_path).stdout and "error" not in bare.stderr


def test_times_are_given_as_people_write_them(tmp_path: Path) -> None:
    """Dates and sums of durations wherever a time is: in a file, behind @, in --set."""
    (tmp_path / "dated.yaml").write_text("at: 2025-02-01\nset: {recommender.slate: 5}\n")
    (tmp_path / "plain.yaml").write_text("set: {recommender.author_cap: 1}\n")
    text = called(
        *("check", SCENARIOS / "base.yaml", "--set", "duration=1y", "--set", "warm_up=1w2d"),
        *("--policy", "dated.yaml", "--policy", "plain.yaml@2025-03-01T12:00"),
        cwd=tmp_path,
    ).stdout
    found = {line.split()[0]: line.split()[1] for line in text.splitlines() if line.strip()}
    assert found["duration"] in ("1y", "365d") and found["warm_up"] == "9d"
    assert "at 31d" in text and "at 1428h" in text
