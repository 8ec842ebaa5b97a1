"""The README and the pages of docs/ as a test runs them: their commands, in a fresh copy of the
project, in the order in which they stand.

Every test file takes a few pages and a copy of its own, so that files can run side by side. Files
that a page shows in full (``# name.yaml`` on the first line) are written into every copy.
"""

import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, ROOT
from tests.given.inside import called
from twin.record.mailbox import is_open

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
DOCS = ROOT / "docs"
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md")))
GROUPS = {
    "test_readme.py": ("README.md", "docs/tutorial.md", "docs/how-to/compare.md"),
    "test_docs_worlds.py": (
        "docs/how-to/scenario.md",
        "docs/how-to/population.md",
        "docs/how-to/policies.md",
        "docs/events.md",
        "docs/how-to/at-rest.md",
        "docs/how-to/python.md",
        "docs/how-to/scale-out.md",
        "docs/explanation/exactness.md",
    ),
    "test_docs_experiments.py": (
        "docs/how-to/sweep-and-audit.md",
        "docs/how-to/stress.md",
        "docs/explanation/findings.md",
    ),
    "test_docs_live.py": ("docs/how-to/live.md", "docs/how-to/grafana.md"),
    "test_docs_observe.py": ("docs/how-to/observe.md",),
    "test_docs_calibrate.py": ("docs/how-to/calibrate.md",),
    "test_docs_mechanism.py": (
        "docs/how-to/metric.md",
        "docs/how-to/mechanism.md",
        "docs/how-to/own-models.md",
    ),
    "test_docs_ranker.py": ("docs/how-to/ranker.md",),
    "test_docs_gym.py": ("docs/how-to/gym.md",),
}
"""Which test file runs the commands of which pages."""
WITHIN = re.compile(r"twin (?!.*(--live|--metrics|--remote-write|--grafana|dask))[^|&;<>$`\\]+")
"""Commands of `twin` alone, without a shell's doing and without a process beside theirs: they run
within the process of the tests, which saves the start of one each."""
ANSWERS_WITH_1 = ("--at-rest", "--regularities")
"""Commands that answer a question by their exit status: 1 is an answer too."""


def blocks(language: str, *pages: str) -> list[str]:
    """The code blocks of one language, in order."""
    return [
        text
        for page in pages
        for kind, text in BLOCK.findall((ROOT / page).read_text())
        if kind == language
    ]


def commands(*pages: str) -> list[str]:
    """Every command of the pages. A question of the README that a page repeats is run once, with
    the README."""
    asked = {
        line
        for block in blocks("bash", "README.md")
        for line in block.strip().splitlines()
        if line.startswith(("twin compare", "twin audit", "twin stress"))
    }
    lines = [line for block in blocks("bash", *pages) for line in block.strip().splitlines()]
    if "README.md" in pages:
        return [line for k, line in enumerate(lines) if line not in asked or line not in lines[:k]]
    return [line for line in lines if line not in asked]


def named_files(*pages: str) -> Iterator[tuple[str, str]]:
    """Files that the pages show in full: name and text."""
    for text in blocks("yaml", *pages) + blocks("python", *pages):
        name = re.match(r"# ([\w/-]+\.\w+)", text)
        if name:
            yield name[1], text


def copied(here: Path, *, whole: bool = False) -> Path:
    """What a clone holds, with the files that pages show written where they say.

    Without ``whole`` the package itself stays out: the one that is installed is imported, whose
    kernels are compiled already.
    """
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in names:
        if (ROOT / name).exists() and (whole or not name.startswith("twin/")):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, here / name, follow_symlinks=False)  # links stay links
    for name, text in named_files(*PAGES):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    return here


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds."""
    return copied(tmp_path_factory.mktemp("clone") / "twin")


def environment(cwd: Path, **more: str) -> dict[str, str]:
    """The copy's own installation first, where it has one."""
    return {**os.environ, "PATH": f"{cwd / '.venv' / 'bin'}:{os.environ['PATH']}", **more}


def bash(command: str, cwd: Path, **more: str) -> str:
    """Run a command as the page says, and return what it prints."""
    fine = (0, 1) if any(word in command for word in ANSWERS_WITH_1) else (0,)
    # a user's start of a process is tested with the README, whose copy has an installation
    if not (cwd / ".venv").exists() and WITHIN.fullmatch(command):
        ended = called(*shlex.split(command)[1:], cwd=cwd, check=False, **more)
        assert ended.returncode in fine, (
            f"{command}\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
        )
        return ended.stdout
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=1800,
        env=environment(cwd, **more),
    )
    assert done.returncode in fine, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def answered(command: str, cwd: Path, said: Mapping[str, Sequence[str]]) -> None:
    """Run a command as the page says; its answer holds all that is ``said`` of commands that begin
    as it does."""
    answer = bash(command, cwd)
    for begin, lines in said.items():
        if command.startswith(begin):
            assert all(line in answer for line in lines), answer


def begun(command: str, cwd: Path) -> subprocess.Popen[bytes]:
    """A run in the background, once it takes commands."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=cwd,
        env=environment(cwd, TWIN_NO_BROWSER="1"),
        stdout=subprocess.DEVNULL,
    )
    folder, until = cwd / command.split("--out ")[1].split()[0], time.monotonic() + PATIENCE_S
    while not is_open(folder) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    return process
