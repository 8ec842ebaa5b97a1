"""The mailbox: whoever may write into a run's folder commands it; nothing that lies there can stop
it, and one process has it at a time."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twin.ground.errors import UsageError
from twin.record.mailbox import FOLDER, LARGEST, Mailbox, command, is_open

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


def serving(mailbox: Mailbox, stop: threading.Event, seen: list[dict[str, Any]]) -> None:
    """What a run does at its barriers."""
    while not stop.is_set():
        for name, each in mailbox.commands():
            seen.append(each)
            mailbox.answer(
                name, {"error": "not that"} if each["do"] == "refuse" else {"ok": each["do"]}
            )
        time.sleep(0.005)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Mailbox, list[dict[str, Any]]]]:
    """An open mailbox in tmp_path whose commands are answered, and the commands."""
    stop, seen = threading.Event(), list[dict[str, Any]]()
    with Mailbox(tmp_path) as mailbox:
        thread = threading.Thread(target=serving, args=(mailbox, stop, seen))
        thread.start()
        try:
            yield mailbox, seen
        finally:
            stop.set()
            thread.join()


def test_a_command_is_answered_and_leaves_nothing(
    served: tuple[Mailbox, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """Its text arrives whole, its reply comes back, a refusal becomes an error, and no file stays
    behind."""
    mailbox, seen = served
    assert command(tmp_path, {"do": "hello", "policy": "ü\n\u2028 \ud800"}) == {"ok": "hello"}
    assert seen == [{"do": "hello", "policy": "ü\n\u2028 \ud800"}]
    with pytest.raises(UsageError, match="not that"):
        command(tmp_path, {"do": "refuse"})
    assert [path.name for path in mailbox.folder.iterdir()] == ["open"]


def test_only_the_owner_may_look_in(tmp_path: Path) -> None:
    """The folder and its lock are the owner's alone, even where a folder with other rights was
    there before."""
    (tmp_path / FOLDER).mkdir(mode=0o777)
    with Mailbox(tmp_path) as mailbox:
        assert mailbox.folder.stat().st_mode & 0o777 == 0o700
        assert (mailbox.folder / "open").stat().st_mode & 0o077 == 0
    assert not (tmp_path / FOLDER).exists()


def test_rubbish_is_refused_and_harms_nothing(
    served: tuple[Mailbox, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """No JSON, no command, too long, too deep, a folder, a pipe, a link: each is taken away, and
    the next command is still answered."""
    folder = tmp_path / FOLDER
    outside = tmp_path / "outside"
    outside.write_text('{"do": "through a link"}')
    texts = {
        "a": "{",
        "b": "[1]",
        "c": '{"do": 5}',
        "d": "[" * 100_000,
        "e": json.dumps({"do": "x" * LARGEST}),
        "f": "\x00\xff",
    }
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text, encoding="latin-1")
    (folder / "g.json").mkdir()
    (folder / "g.json" / "inside").touch()
    os.mkfifo(folder / "h.json")
    (folder / "i.json").symlink_to(outside)
    (folder / "j.json").symlink_to(folder / "nowhere")
    (folder / "notes.txt").touch()
    assert command(tmp_path, {"do": "hello"}, patience_s=30) == {"ok": "hello"}
    assert served[1] == [{"do": "hello"}]
    until = (
        time.monotonic() + 30
    )  # a batch goes by names, so rubbish may be taken after the command
    while left := list(folder.glob("*.json")):
        assert time.monotonic() < until, left
        time.sleep(0.01)
    assert json.loads((folder / "b.reply").read_text()) == {"error": "not a command"}
    assert outside.exists()


def test_a_command_that_is_too_long_is_not_sent(
    served: tuple[Mailbox, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """It is refused where it was given, with its size."""
    with pytest.raises(UsageError, match=r"2\.0 MB"):
        command(tmp_path, {"do": "intervene", "policy": "x" * 2 * LARGEST})
    assert served[1] == []


def test_commands_come_in_their_order(tmp_path: Path) -> None:
    """The oldest first; those meant for an earlier process are dropped."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "0.json").write_text('{"do": "stale"}')
    with Mailbox(tmp_path) as mailbox:
        for number in (2, 3, 1):
            (mailbox.folder / f"{number}.json").write_text(json.dumps({"do": str(number)}))
        assert mailbox.waiting() == 3
        assert [each["do"] for _, each in mailbox.commands()] == ["1", "2", "3"]
        assert mailbox.waiting() == 0


def test_nothing_runs_where_nothing_runs(tmp_path: Path) -> None:
    """No folder, no mailbox, or one that is left over: one line that says what to do."""
    with pytest.raises(UsageError, match="no such run folder"):
        command(tmp_path / "none", {"do": "pause"})
    with pytest.raises(UsageError, match="twin resume"):
        command(tmp_path, {"do": "pause"})
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "open").write_text(
        json.dumps({"pid": os.getpid()})
    )  # a number that belongs to another process by now
    assert not is_open(tmp_path)
    with pytest.raises(UsageError, match="nothing runs there now"):
        command(tmp_path, {"do": "pause"})


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


def test_those_who_look_do_not_keep_anybody_out(tmp_path: Path) -> None:
    """Many who ask whether anybody is there, while the folder is taken and given back again and
    again."""
    stop, errors = threading.Event(), list[Exception]()

    def look() -> None:
        while not stop.is_set():
            try:
                is_open(tmp_path)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        with Mailbox(tmp_path):
            assert is_open(tmp_path)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors


def test_the_end_is_told_to_those_who_wait(tmp_path: Path) -> None:
    """A command that was not read when the run ended is answered so; one that was read gets its
    answer, also at the last moment."""
    said: list[str] = []

    def ask(what: str) -> None:
        try:
            said.append(str(command(tmp_path, {"do": what}, patience_s=30)["ok"]))
        except UsageError as error:
            said.append(str(error))

    for read in (False, True):
        with Mailbox(tmp_path) as mailbox:
            thread = threading.Thread(target=ask, args=("last",))
            thread.start()
            while not mailbox.waiting():
                time.sleep(0.001)
            if read:
                for name, each in mailbox.commands():
                    mailbox.answer(name, {"ok": each["do"]})
        thread.join()
    assert said[0].endswith("the run ended before it read the command")
    assert said[1] == "last"
    assert not (tmp_path / FOLDER).exists()


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
