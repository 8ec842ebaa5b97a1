"""The mailbox between processes: one has it at a time, and the end of one is noticed by others."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.ground.errors import UsageError
from twin.record.mailbox import FOLDER, Mailbox, command, is_open

HOLDER = """
import sys, time
from pathlib import Path
from twin.record.mailbox import Mailbox
with Mailbox(Path(sys.argv[1])):
    print("open", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the folder tmp_path."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.wait()


def test_one_process_has_the_folder(other: subprocess.Popen[str], tmp_path: Path) -> None:
    """A second one is refused with the first one's number; a killed one holds nothing, whatever it
    left behind."""
    assert is_open(tmp_path)
    with pytest.raises(UsageError, match=f"already runs here, pid {other.pid}"):
        Mailbox(tmp_path).open()
    assert is_open(tmp_path), "the refused one took nothing away"
    other.kill()
    other.wait()
    assert (tmp_path / FOLDER / "open").exists()
    assert not is_open(tmp_path)
    with Mailbox(tmp_path):
        assert is_open(tmp_path)
    assert not is_open(tmp_path)


def test_a_killed_run_is_noticed_by_those_who_wait(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Whoever waits for an answer of a process that is killed hears of it, long before patience
    ends."""
    said: list[str] = []

    def ask() -> None:
        try:
            command(tmp_path, {"do": "x"}, patience_s=600)
        except UsageError as error:
            said.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while not list((tmp_path / FOLDER).glob("*.json")):
        time.sleep(0.001)
    other.kill()
    thread.join(60)
    assert len(said) == 1 and "the run ended before it answered" in said[0]


def test_patience_ends_and_the_command_is_withdrawn(
    other: subprocess.Popen[str], tmp_path: Path
) -> None:
    """A run that does not read is named so, and does not find the command later."""
    with pytest.raises(UsageError, match=r"did not answer within 0\.05 s"):
        command(tmp_path, {"do": "x"}, patience_s=0.05)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["open"]
