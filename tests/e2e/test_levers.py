"""Hands on a run that goes on: what is done becomes part of its record, and the record replays to the same bytes."""

import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT, settings, twin
from twin import mailbox
from twin.readers.results import load_events

LIKES = "name: likes by hand\nset: {recommender.preset: likes}\n"
GUARD = "name: guard by hand\nwhen: creator_human_share < 2\nshare: 0.5\nset: {audience.counts_shown: false}\n"


def begun(here: Path, *more: str) -> subprocess.Popen[str]:
    """A small run in a process of its own, held at its beginning."""
    command = [sys.executable, "-m", "twin", "run", str(ROOT / "scenarios" / "base.yaml"), "--out", "a", *settings(*more),
               "--pace", "0.001"]
    process = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 240
    while not mailbox.is_open(here / "a") and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return process


def finished(process: subprocess.Popen[str], here: Path) -> None:
    """Let it go on to its end."""
    twin("pace", "a", "max", cwd=here)
    assert process.wait(300) == 0, process.stderr and process.stderr.read()


def tables(folder: Path) -> list[bytes]:
    return [(folder / f"{name}.parquet").read_bytes() for name in ("metrics", "events")]


def test_what_was_done_by_hand_replays_to_the_same_bytes(tmp_path: Path) -> None:
    """Policies given now, at a date and on a condition; the scenario in the folder, run anew, gives the same tables."""
    (tmp_path / "likes.yaml").write_text(LIKES)
    (tmp_path / "guard.yaml").write_text(GUARD)
    (tmp_path / "later.yaml").write_text("name: later\nuntil: 25d\nset: {recommender.diversity: 0.9}\n")
    process = begun(tmp_path)
    twin("pace", "a", "20", cwd=tmp_path)
    time.sleep(0.4)
    held = twin("pause", "a", cwd=tmp_path).stdout
    assert "paused" in held
    assert "likes by hand" in twin("intervene", "a", "likes.yaml", cwd=tmp_path).stdout
    assert "guard by hand" in twin("intervene", "a", "guard.yaml", cwd=tmp_path).stdout
    assert "at 20d" in twin("intervene", "a", "later.yaml", "--at", "2025-01-21", cwd=tmp_path).stdout
    twin("continue", "a", cwd=tmp_path)
    finished(process, tmp_path)
    twin("run", "a/scenario.yaml", "--out", "b", "--quiet", cwd=tmp_path)
    assert tables(tmp_path / "a") == tables(tmp_path / "b")
    kinds = [text for _, kind, text in load_events(tmp_path / "a") if kind == "policy"]
    assert [text.split(":")[0] for text in kinds] == ["likes by hand", "guard by hand", "later", "later"]
    assert not (tmp_path / "a" / "mailbox").exists()
