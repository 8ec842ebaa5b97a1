"""`twin observe` as a process: its help, its mistakes, its progress, and Ctrl-C."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, twin
from tests.given.inside import called
from tests.given.logs import BUSY, BUSY_COLUMNS, PLAIN, busy, rows, text, written
from twin.cli import main
from twin.observing import folder
from twin.scenario.yamlish import read_text

MISTAKES = [
    (["log.csv"], 2, "say what the columns mean: give --map columns.yaml, or --layout with one of"),
    (["log.csv", "--map", "map.yml"], 2, "map.yml: no such file (did you mean map.yaml?)"),
    (["log.csv", "--map", "map.yaml", "--layout", "mind"], 2, "--layout: --map is given too"),
    (["log.csv", "--layout", "kuairnd"], 2, "no such layout (did you mean kuairand?)"),
    (["log.csv", "--layout", "kuairand"], 2, "log.csv has no column time_ms"),
    (["--map", "map.yaml"], 2, "LOG: nothing to read (give a file, a folder or a pattern)"),
    (["log.csv", "--map", "map.yaml", "--k", "0"], 2, "0 is not in the range x>=1"),
    (["log.csv", "--map", "map.yaml", "--gap", "1x"], 2, "--gap gap: '1x' is not a duration"),
    (["log.csv", "--map", "map.yaml", "--out", "log.csv"], 2, "log.csv: is a file (give --out a"),
    (["log.csv", "--map", "map.yaml", "--out", "."], 2, "this folder is not empty"),
    (["log.csv", "--map", "map.yaml", "--threads", "0"], 2, "0 is not in the range x>=1"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), MISTAKES)
def test_mistakes_are_lines(
    arguments: list[str],
    status: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each begins with ``error:``, names the flag, and leaves nothing."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "log.csv", text(rows()))
    written(tmp_path / "map.yaml", PLAIN)
    with pytest.raises(SystemExit) as ended:
        main(["observe", *arguments])
    said = capsys.readouterr().err
    assert ended.value.code == status
    assert words in said and all(line.startswith("error: ") for line in said.splitlines())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "map.yaml"]


def test_from_log_to_folder(tmp_path: Path) -> None:
    """The command in a process of its own; what it says is in the manifest, and it can be quiet."""
    written(tmp_path / "log.csv", text(busy(), BUSY_COLUMNS))
    written(tmp_path / "map.yaml", BUSY)
    given = ("observe", "log.csv", "--map", "map.yaml", "--zone", "Asia/Tokyo")
    said = twin(*given, "--out", "one", cwd=tmp_path).stdout
    quiet = called(*given, "--out", "two", "--quiet", "--threads", "2", cwd=tmp_path).stdout
    assert quiet == "" and "This log can identify:" in said and "random exposure:" in said
    found = folder.read(tmp_path / "one")
    assert f"read log.csv, {(tmp_path / 'log.csv').stat().st_size / 1e3:.3g} kB" in said
    assert f"{found.manifest['first']} to {found.manifest['last']}, days in Asia/Tokyo" in said
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_layout_can_be_printed_and_changed(tmp_path: Path) -> None:
    """What is printed is a map, and reads back as one."""
    shown = called("observe", "--layout", "kuairand", "--show-map", "--zone", "UTC", cwd=tmp_path)
    tree = read_text(shown.stdout, "map", problems := [])
    assert not problems and tree.plain()["zone"] == "UTC"
    assert tree.plain()["responses"]["click"] == "is_click"


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while it works: status 130, one line, neither the folder nor a part of it."""
    written(tmp_path / "log.csv", text(rows(300_000, people=5000, days=20)))
    written(tmp_path / "map.yaml", PLAIN)
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", "observe", "log.csv", "--map", "map.yaml", "-q"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob("observed.part/people/*")) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 130, said
    assert said == "error: interrupted; nothing was written, and nothing is left behind\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "map.yaml"]
