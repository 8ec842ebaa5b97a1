"""Every command of the README, run as a new user would: in a fresh copy, in the order in which they
stand."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN
from tests.e2e.prometheus import Prometheus
from twin.record.mailbox import is_open

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(README) if kind == language]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds, with the README's own files (a scenario, a mechanism) written where it
    says."""
    here = tmp_path_factory.mktemp("clone") / "twin"
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in names:
        if (ROOT / name).exists():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, here / name)
    for text in blocks("yaml") + blocks("python"):
        name = re.match(r"# ([\w/-]+\.\w+)", text)
        if name:
            (here / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (here / name[1]).write_text(text)
    return here


BEHIND: list[subprocess.Popen[bytes]] = []
SAID: dict[str, str] = {}
"""What commands have printed."""


def environment(cwd: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PATH": f"{cwd / '.venv' / 'bin'}:{os.environ['PATH']}", **more}


def begun(command: str, cwd: Path) -> subprocess.Popen[bytes]:
    """A run in the background, once it takes commands."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=cwd,
        env=environment(cwd, TWIN_NO_BROWSER="1"),
        stdout=subprocess.DEVNULL,
    )
    folder, until = cwd / command.split("--out ")[1].split()[0], time.monotonic() + 240
    while not is_open(folder) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    return process


def bash(command: str, cwd: Path, **more: str) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=1800,
        env=environment(cwd, **more),
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def commands() -> list[str]:
    return [line for block in blocks("bash") for line in block.strip().splitlines()]


def test_checks_install_as_the_readme_says() -> None:
    """The second command is what runs this test; it installs with the words of the first."""
    first, second = commands()[:2]
    assert second == ".ci/run"
    script = (ROOT / ".ci" / "run").read_text()
    installs = re.findall(r"bin/pip install ([^&\n]*)", first)
    assert len(installs) == 2
    for words in installs:
        assert f'bin/pip" install {words.strip()}\n' in script


def test_set_up_and_main_job(fresh: Path) -> None:
    """The first command, on a machine that has only Python: set-up, half a year, a report."""
    said = bash(commands()[0], fresh)
    assert "done: quickstart to 2025-06-30" in said
    assert (fresh / "runs" / "quickstart-1" / "report.html").stat().st_size > 10**6


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `deploy/` brings up, at the addresses that the README names: a real Prometheus, and
    Grafana's contract server."""
    with Prometheus(tmp_path_factory.mktemp("prometheus"), port=9090), Server(port=3000):
        yield {"GRAFANA_TOKEN": ADMIN, "TWIN_NO_BROWSER": "1"}


@pytest.mark.parametrize("command", [line for line in commands()[2:] if "real_network" not in line])
def test_command(command: str, fresh: Path, around: dict[str, str]) -> None:
    """Each later command does what it says without an error."""
    if command.endswith("&"):
        BEHIND.append(begun(command.removesuffix("&"), fresh))
    elif command == "wait":
        assert BEHIND.pop().wait(600) == 0
    elif command.startswith("twin resume runs/dim-4"):
        assert "already finished" in bash(command, fresh)
    elif command.startswith("twin check") and "--regularities" in command:
        assert "within" in bash(command, fresh)
    else:
        SAID[command] = bash(command, fresh, **around)


def test_real_network_command(fresh: Path, real_data: Path) -> None:
    """The real follow graph for 90 days, from the folder that the README names."""
    (fresh / "data").mkdir(exist_ok=True)
    shutil.copy2(real_data / "ego-facebook.txt.gz", fresh / "data")
    (command,) = [line for line in commands() if "real_network" in line]
    assert "done: real_network" in bash(command, fresh)


def test_comparison_reads_its_table(fresh: Path) -> None:
    """The Python of "Compare policies", on the folder that its command made: effects on both sides,
    told from noise."""
    (snippet,) = [text for text in blocks("python") if "open_experiment" in text]
    (fresh / "read.py").write_text(snippet)
    said = bash("python read.py", fresh)
    assert (
        len(
            re.findall(
                r"^(?:producer|consumer) \w+ .*\(-?[\d.e-]+, -?[\d.e-]+\)$", said, re.MULTILINE
            )
        )
        >= 2
    )


def test_a_finding_is_judged_and_kept(fresh: Path) -> None:
    """What its command left: exact counts hold, every claim is in the table, the report draws every
    outcome; run again, nothing is computed anew.
    """
    (command,) = [line for line in commands() if line.startswith("twin findings")]
    out = fresh / "runs" / "findings"
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert {row["finding"] for row in rows} == {"F5"} and {row["state"] for row in rows} <= {
        "holds",
        "fails",
        "open",
    }
    exact = [row for row in rows if row["kind"] == "exact" and "149" in row["expected"]]
    assert exact and all(row["state"] == "holds" for row in exact)
    page, board, table = (
        (out / "report.html").read_text(),
        (out / "scoreboard.md").read_text(),
        (out / "results.parquet").read_bytes(),
    )
    assert "F5" in page and "the quick set" in page and page.count("data-root-id") >= 4
    (out / "results.parquet").unlink()
    times = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")}
    said, again = SAID[command], bash(f"{command} --world scenarios/base.yaml", fresh)
    assert (
        times and {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")} == times
    )
    assert (
        all(row["says"] in said for row in rows if row["state"] != "holds" and not row["aside"])
        and "F5  " in said
    )
    assert (out / "results.parquet").read_bytes() == table
    assert again.splitlines()[-1] == said.splitlines()[-1]
    assert board.splitlines()[:3] == (out / "scoreboard.md").read_text().splitlines()[:3]


def test_links_and_pictures_exist() -> None:
    """No link into the project leads nowhere."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
