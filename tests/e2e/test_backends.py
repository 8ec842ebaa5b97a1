"""Experiments on processes and on Dask as users call them: workers killed mid-task, tasks that
kill, Ctrl-C; always the same bytes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from tests.conftest import PATIENCE_S, SCENARIOS, twin
from tests.e2e.comparing import Place, group, until


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Status and what was said, of a command that ends by itself."""
    try:
        said, error = process.communicate(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said, error


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place of one's own."""
    made = Place(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Results of the comparison on two processes of which none died."""
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    said = twin(*place.command("local:2"), cwd=place.folder).stdout
    assert re.search(r"\d+/9 runs on 2 workers +left \d", said), "progress with time left"
    assert all(
        row["n"] == 3
        for row in pq.read_table(place.folder / "out" / "results.parquet").to_pylist()
        if row["headline"]
    )
    return place.tables()


def clean(place: Place) -> bool:
    """Whether nothing is left of writers that were killed, and no task failed."""
    left = [
        path
        for path in (place.folder / "out").rglob("*")
        if ".part" in path.name or path.parent.name == "failed"
    ]
    return (
        not left
        and json.loads((place.folder / "out" / "manifest.json").read_text())["failed"] == {}
    )


def test_a_killed_process_is_replaced_and_its_task_tried_again(
    place: Place, undisturbed: list[bytes]
) -> None:
    """SIGKILL to a worker process mid-task: status 0 and the same bytes."""
    command = place.start("local:2")
    worker = psutil.Process(place.holder(command))
    assert worker.ppid() == command.pid
    variables = worker.environ()
    assert {variables[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")} == {
        "1"
    }
    worker.kill()
    status, _, error = ended(command)
    assert (status, error) == (0, "")
    assert place.tables() == undisturbed and clean(place)


def test_one_process_gives_the_same_bytes(place: Place, undisturbed: list[bytes]) -> None:
    """Results do not depend on how many workers there were."""
    twin(*place.command("local:1"), "--quiet", cwd=place.folder)
    assert place.tables() == undisturbed


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    """A real Dask scheduler on loopback; its address."""
    log = (folder / "scheduler.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "dask",
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(folder / "scheduler.json"),
        ],
        stdout=log,
        stderr=log,
    )
    try:
        until(
            lambda: (
                (folder / "scheduler.json").exists()
                and (folder / "scheduler.json").read_text().endswith("}")
            ),
            120,
        )
        yield json.loads((folder / "scheduler.json").read_text())["address"]
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        log.close()


@contextmanager
def workers(address: str, folder: Path, number: int) -> "Iterator[list[subprocess.Popen[bytes]]]":
    """Real, separate Dask workers whose directories are not the command's, with nobody to start
    them anew."""
    found = []
    for each in range(number):
        here = folder / f"worker{each}"
        here.mkdir(parents=True, exist_ok=True)
        with (here / "log").open("w") as log:
            found.append(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-m",
                        "dask",
                        "worker",
                        address,
                        "--host",
                        "127.0.0.1",
                        "--nthreads",
                        "1",
                        "--no-nanny",
                        "--no-dashboard",
                        "--local-directory",
                        str(here),
                    ],
                    cwd=here,
                    stdout=log,
                    stderr=log,
                )
            )
    try:
        yield found
    finally:
        for process in found:
            process.kill()
            process.wait()


def test_a_cluster_of_separate_workers_of_which_one_is_killed(
    place: Place, undisturbed: list[bytes], tmp_path: Path
) -> None:
    """A scheduler and two workers run; one worker is SIGKILLed mid-task, the other does the rest:
    the bytes of local:2."""
    with scheduler(tmp_path) as address, workers(address, tmp_path, 2) as two:
        command = place.start(address)
        pid = place.holder(command)
        killed = [worker for worker in two if worker.pid == pid]
        assert len(killed) == 1, "the task is in the hands of a worker that this test started"
        killed[0].kill()
        status, said, error = ended(command)
        assert (status, error) == (0, "")
        assert "on 2 workers" in said and "on 1 workers" in said
        assert place.tables() == undisturbed and clean(place)
        assert sum(worker.poll() is None for worker in two) == 1


def test_a_cluster_of_this_machine_gives_the_same_bytes(
    place: Place, undisturbed: list[bytes]
) -> None:
    """--on dask begins workers of its own; one that is killed mid-task is replaced, and none is
    left when the command has ended."""
    command = place.start("dask")
    worker = psutil.Process(place.holder(command))
    assert worker.pid in {
        child.pid for child in psutil.Process(command.pid).children(recursive=True)
    }
    assert {
        worker.environ()[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")
    } == {"1"}
    worker.kill()
    status, _, error = ended(command)
    assert (status, error) == (0, "")
    assert place.tables() == undisturbed and clean(place)
    until(lambda: not group(command.pid), 60)


@pytest.mark.parametrize("on", ["local:2", "dask"])
def test_a_task_that_kills_its_workers_is_kept_and_takes_nobody_with_it(
    on: str, place: Place
) -> None:
    """A world that ends its worker each time: tried three times, kept with its error, in the
    manifest; all others are done; status 1."""
    place.wish("die")
    done = twin(*place.command(on, replicates=4), cwd=place.folder, check=False)
    assert done.returncode == 1, done.stderr
    failed = {"runs/1/0.npy", "runs/1/1.npy"}
    assert {line.split(": ")[1] for line in done.stderr.splitlines()} == failed, done.stderr
    assert (place.folder / "own" / "deaths").read_text() == "xxx" * 2
    out = place.folder / "out"
    kept = json.loads((out / "manifest.json").read_text())["failed"]
    words = (
        "its worker process ended with status 7"
        if on == "local:2"
        else r"its Dask worker tcp://.* is gone"
    )
    assert set(kept) == failed and all(re.fullmatch(words, error) for error in kept.values()), kept
    assert {path.name: path.read_text() for path in (out / "failed").iterdir()} == {
        f"{result.replace('/', '-')}.txt": error for result, error in kept.items()
    }
    assert {str(path.relative_to(out)) for path in out.glob("runs/*/*.npy")} == {
        f"runs/{replicate}/{name}.npy"
        for replicate in range(4)
        for name in ("trunk", 0, 1)
        if replicate != 1 or name == "trunk"
    }
    assert {
        row["n"] for row in pq.read_table(out / "results.parquet").to_pylist() if row["headline"]
    } == {3}


@pytest.mark.parametrize("on", ["local:2", "dask"])
def test_ctrl_c_leaves_no_process_and_a_folder_that_goes_on(
    on: str, place: Place, undisturbed: list[bytes]
) -> None:
    """SIGINT to the whole process group, as a terminal sends it: status 130, one line, nothing left
    running, later the same bytes."""
    command = place.start(on)
    place.holder(command)
    os.killpg(command.pid, signal.SIGINT)
    status, _, error = ended(command)
    assert status == 130
    assert (
        error
        == "error: interrupted, nothing that is done is lost; continue with: twin resume out\n"
    )
    until(lambda: not group(command.pid), 60)
    assert (
        json.loads((place.folder / "out" / "manifest.json").read_text())["status"] == "interrupted"
    )
    assert not [path for path in (place.folder / "out").rglob("*") if ".part" in path.name]
    before = {path: path.stat().st_mtime_ns for path in (place.folder / "out").glob("runs/*/*.npy")}
    assert 1 <= len(before) < 9
    done = twin(*place.command(on), cwd=place.folder)
    assert "resumes out" in done.stdout and f"{len(before)}/9 runs" in done.stdout
    assert all(path.stat().st_mtime_ns == time for path, time in before.items()), (
        "what was done is not done again"
    )
    assert place.tables() == undisturbed and clean(place)


def test_workers_end_with_a_command_that_is_killed(place: Place, undisturbed: list[bytes]) -> None:
    """SIGKILL to the command itself, which can clean up nothing: its workers see it and end; the
    same command goes on."""
    command = place.start("local:2")
    place.holder(command)
    command.kill()
    command.communicate()
    until(lambda: not group(command.pid), 60)
    twin(*place.command("local:2"), "--quiet", cwd=place.folder)
    assert place.tables() == undisturbed and clean(place)


def test_an_address_of_files_serves_as_folder(place: Place, undisturbed: list[bytes]) -> None:
    """--out with a URL, through workers: the same bytes."""
    twin(*place.command("local:2", out=f"file://{place.folder}/there"), "--quiet", cwd=place.folder)
    assert place.tables("there") == undisturbed


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (
            "loca",
            "--on loca: unknown (did you mean local?; write local, local:4, dask, or the address "
            "of a Dask scheduler",
        ),
        ("local:0", "--on local:0: write local:N with a number of processes"),
        ("local:two", "--on local:two: write local:N"),
        ("local:", "--on local:: write local:N"),
        ("tcp://127.0.0.1:9", "--on tcp://127.0.0.1:9: no Dask scheduler answers there"),
        (
            "tcpp://127.0.0.1:9",
            "--on tcpp://127.0.0.1:9: no Dask scheduler answers there (unknown address scheme "
            "'tcpp'",
        ),
    ],
)
def test_wrong_places_are_refused_in_a_line(on: str, words: str, place: Place) -> None:
    """Unknown values of --on, and a place where no scheduler is: one line with the mend, status
    2."""
    done = twin(*place.command(on), cwd=place.folder, check=False)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, (
        done.stderr
    )


def test_without_dask_the_extra_is_named(place: Place) -> None:
    """Dask is optional: where it is missing, the line says what to install."""
    (place.folder / "distributed.py").write_text("raise ImportError('not here')\n")
    done = twin(
        *place.command("dask"),
        cwd=place.folder,
        check=False,
        PYTHONPATH=f"{place.folder}:{os.environ.get('PYTHONPATH', '')}",
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: --on dask: Dask is not installed here (pip install 'twin[cluster]')\n"
    )


def test_workers_with_another_program_are_refused(place: Place, tmp_path: Path) -> None:
    """A worker whose twin differs would give other bytes: refused before any task, by name; so is a
    worker without it."""
    other = tmp_path / "other"
    shutil.copytree(
        SCENARIOS.parent / "twin", other / "twin", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (other / "twin" / "ground" / "units.py").open("a") as file:
        file.write("# changed\n")
    none = tmp_path / "none"
    (none / "twin").mkdir(parents=True)
    (none / "twin" / "__init__.py").write_text(
        "raise ImportError('there is no twin on this machine')\n"
    )
    for path, words in (
        (other, "would give other results: source of twin"),
        (none, "cannot import twin as installed here"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(path))
            patch.setenv("PYTHONSAFEPATH", "1")
            (tmp_path / path.name / "run").mkdir()
            with (
                scheduler(tmp_path / path.name / "run") as address,
                workers(address, tmp_path / path.name / "run", 1),
            ):
                patch.undo()
                wait_for(address)
                done = twin(*place.command(address), cwd=place.folder, check=False)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, (
            done.stderr
        )


def wait_for(address: str) -> None:
    """Until a worker has joined."""
    from distributed import Client

    with Client(address) as client:
        client.wait_for_workers(1, timeout=PATIENCE_S)


def test_a_scheduler_that_goes_away_is_a_line(
    place: Place, tmp_path: Path, undisturbed: list[bytes]
) -> None:
    """When the scheduler ends mid-way, the command does, with a line; on local processes it goes on
    to the same bytes."""
    with scheduler(tmp_path) as address, workers(address, tmp_path, 1):
        command = place.start(address)
        place.holder(command)
    status, _, error = ended(command)
    assert status == 1 and "the Dask scheduler is gone" in error and error.count("\n") == 1, error
    twin(*place.command("local:2"), "--quiet", cwd=place.folder)
    assert place.tables() == undisturbed
