"""The campaigns of `python -m tests.campaign`, for a few seconds; and that they would find what is
wrong."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.campaign import disk, fuzz, kill, requests, samples
from tests.campaign.surfaces import SURFACES
from twin.scenario import checking

SLOW = ("log of others", "run folder", "mailbox")
"""Surfaces on which an input takes a world."""
SERVED = ("request",)
"""Those that need a run in a process of its own."""
QUICK = [name for name in SURFACES if name not in SLOW + SERVED]


def test_inputs_that_are_nearly_right_break_nothing() -> None:
    """Scenarios, settings, policies, ranges, graphs and tables of people, each with a few things
    changed: valid, or refused in lines."""
    found = fuzz.campaign(20261128, QUICK, inputs=80)
    assert not found.failures, "\n".join(found.lines())
    # neither are all refused, nor is every one valid
    assert 3 < found.accepted < 50 and found.inputs == 80


def test_folders_and_commands_that_are_nearly_right_break_nothing() -> None:
    """Run folders with bits flipped and files missing, commands to a run, and logs of others."""
    found = fuzz.campaign(20261128, SLOW, inputs=7)
    assert not found.failures, "\n".join(found.lines())
    assert 0 < found.accepted < 7


def test_requests_that_are_nearly_right_break_nothing() -> None:
    """Of the live page and the metrics endpoint of a run: answered, or refused by a status."""
    found = fuzz.campaign(20261129, SERVED, inputs=150)
    assert not found.failures, "\n".join(found.lines())
    assert 3 < found.accepted < 75


def test_an_answer_to_a_stranger_is_found() -> None:
    """Its own judgement: what it says of answers that nobody should get."""
    asked = "GET /run HTTP/1.1\r\nHost: h:1\r\n"
    told = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"
    known = asked + "Authorization: Bearer secret\r\n"
    assert requests._judged("page", known, told, "h:1", "secret") == 200
    wrong = {
        "without the token": (asked, told),
        "status 500": (known, told.replace(b"200 OK", b"500 Oh")),
        "no HTTP": (known, b"<html>"),
        "with the token": (known, told + b"secret"),
    }
    for words, (request, answer) in wrong.items():
        with pytest.raises(AssertionError, match=words):
            requests._judged("page", request, answer, "h:1", "secret")


def test_a_run_that_is_killed_ends_with_the_same_bytes() -> None:
    """Killed at a random moment, continued, and compared with one that was not."""
    seen = kill.campaign(20261128, runs=1, most=1)
    assert not seen.failures and seen.worlds == 1 and sum(seen.kills.values()) + seen.late == 1


def test_a_disk_that_becomes_full() -> None:
    """A run on a small one says so, and has the same bytes once there is room."""
    seen = disk.campaign(20261128, runs=1, most=1)
    assert not seen.failures
    # only root may mount one; on a machine without that right nothing can be tried
    assert seen.full or (seen.unable and os.geteuid()) or "mount" in seen.unable


def test_a_campaign_of_kills_finds_other_bytes(tmp_path: Path) -> None:
    """Its own judgement."""
    work = object.__new__(kill.Campaign)
    work.folder, work.seen, work.right = tmp_path, kill.Killed(), b"right"
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "manifest.json").touch()
    (tmp_path / "r" / "metrics.parquet").write_bytes(b"wrong")
    work._undisturbed = lambda arguments: None  # type: ignore[method-assign]
    work._ends("r")
    assert work.seen.failures == ["r: other readings than undisturbed"]


def test_a_campaign_finds_a_fault_and_makes_its_input_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A crash at one value, in a file of fifty lines: the line is left, the fault is counted once
    and named by its place."""

    def crash(given: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(checking, "parse_start", crash)
    monkeypatch.setattr(fuzz, "TRIES", 40)
    found = fuzz.campaign(1, ["set"], inputs=3)
    (failure,) = found.failures.values()
    assert failure.kind.startswith("ZeroDivisionError at twin/scenario/checking.py:")
    assert failure.count == 3 and len(failure.text) < 30
    line = next(found.lines())
    assert line.startswith("set: 3 x ZeroDivisionError at") and line.isprintable()
    assert "twin-trace" not in line


def test_a_smaller_input_fails_in_the_same_way() -> None:
    """Lines are left out first, then characters."""
    text = "".join(f"line {number}\n" for number in range(50)) + "x: [1, 2\n"
    tried: list[str] = []

    def same(other: str) -> bool:
        tried.append(other)
        return "[1" in other

    assert fuzz.minimised(text, same) == "[1" and len(tried) <= fuzz.TRIES


def test_what_a_campaign_takes_for_a_failure() -> None:
    """Its own judgement: silence, other statuses, lines that are no errors."""
    told = fuzz._told
    assert told("set", 0, "", "text") == "" and told("set", 2, "error: a\nerror: b\n", "") == ""
    assert told("set", 0, "", "") and told("set", 2, "", "") and told("set", 1, "error: a", "")
    assert told("set", 2, "error: a\nTraceback", "") and told("set", 2, "error: \x1b[2J", "")


@pytest.mark.parametrize("name", list(SURFACES))
def test_the_same_seed_draws_the_same_inputs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure can be seen again."""
    monkeypatch.chdir(tmp_path)
    for folder in (f"{samples.RUN}/checkpoints/t50400", samples.LOG):
        place = tmp_path / samples.SAMPLES / folder
        place.mkdir(parents=True)
        for file in ("manifest.json", "board.npy", "2025-01-01.parquet"):
            (place / file).write_bytes(b"0123456789")
    first, again = ([SURFACES[name].draw(random.Random(7)) for _ in range(5)] for _ in range(2))
    assert first == again
