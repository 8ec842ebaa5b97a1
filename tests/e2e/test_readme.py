"""Every command of the README, of the tutorial that follows it and of the page on comparisons, run
as a new user would: in a fresh copy, in the order in which they stand."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, ROOT
from tests.e2e import pages

README = (ROOT / "README.md").read_text()
COMMANDS = pages.commands(*pages.GROUPS["test_readme.py"])
BEHIND: list[subprocess.Popen[bytes]] = []


SET_UP = os.environ.get("TWIN_SET_UP")
"""Where `.ci/run` has done the set-up of the first command: it is not done a second time."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds, which the first command installs."""
    here = tmp_path_factory.mktemp("clone") / "twin"
    if not SET_UP:
        return pages.copied(here, whole=True)
    pages.copied(here)
    (here / ".venv").symlink_to(Path(SET_UP) / ".venv")
    return here


def test_checks_install_as_the_readme_says() -> None:
    """The second command is what runs this test. It takes the first from the README and does all of
    it but the last part, the first run, which the next test does."""
    first, second = COMMANDS[:2]
    assert second == ".ci/run"
    assert first.count("pip install") == 2
    assert first.rpartition(" && ")[2] == ".venv/bin/twin run scenarios/quickstart.yaml"
    script = (ROOT / ".ci" / "run").read_text()
    (taken,) = re.findall(r"^command=(.*)$", script, re.MULTILINE)
    taken = f"command={taken}\n" + 'echo "$command"; echo "${command% && *}"'
    said = subprocess.run(["bash", "-c", taken], cwd=ROOT, capture_output=True, text=True).stdout
    assert said.splitlines() == [first, first.rpartition(" && ")[0]]
    assert '\nbash -euo pipefail -c "${command% && *}"\n' in script


def test_set_up_and_main_job(fresh: Path) -> None:
    """The first command, on a machine that has only Python: set-up, half a year, a report."""
    said = pages.bash(COMMANDS[0].rpartition(" && ")[2] if SET_UP else COMMANDS[0], fresh)
    assert "done: quickstart to 2025-06-30" in said
    assert (fresh / "runs" / "quickstart-1" / "report.html").stat().st_size > 10**6


@pytest.mark.parametrize("command", COMMANDS[2:])
def test_command(command: str, fresh: Path) -> None:
    """Each later command does what it says without an error."""
    if command.endswith("&"):
        BEHIND.append(pages.begun(command.removesuffix("&"), fresh))
        return
    if command == "wait":
        assert BEHIND.pop().wait(PATIENCE_S) == 0
        return
    said = pages.bash(command, fresh)
    if command == "python read.py":  # effects on both sides, distinguishable from noise
        row = r"^(?:producer|consumer) \w+ .*\(-?[\d.e-]+, -?[\d.e-]+\)$"
        assert len(re.findall(row, said, re.MULTILINE)) >= 2
    if command == "python side_by_side.py":
        rows = [line.split() for line in said.splitlines()]
        assert len(rows) == 3 and rows[1][1] != rows[1][2]


def test_readme_is_a_first_screen() -> None:
    """At most 150 lines; what it is for, what it is not for, a picture and two commands before
    anything else."""
    assert len(README.splitlines()) <= 150
    head = README[: README.index("\n## ")]
    assert "**For**" in head and "**Not for**" in head and head.count("](dashboards/") == 1
    assert head.count("```bash") == 2
    questions = README[README.index("## Three questions") : README.index("## What is in it")]
    assert questions.count("```bash") == 3


def test_links_and_pictures_exist() -> None:
    """No link into the project leads nowhere."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
