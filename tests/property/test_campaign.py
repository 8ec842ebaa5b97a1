"""The campaigns of `python -m tests.campaign`, for a few seconds; and that they would find what is
wrong."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.campaign import crowd, disk, fuzz, kill, requests, samples, servers, soak
from tests.campaign.clients import Crowd, Target
from tests.campaign.proxy import Plan
from tests.campaign.surfaces import SURFACES
from tests.conftest import ROOT
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
    assert 0 < found.accepted < 75


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
    """Killed at a random moment, while a checkpoint is half written, and with pages at it; continued,
    and compared with one that was not."""
    seen = kill.campaign(20261128, runs=3, most=1, ways=("run", "checkpoint", "watched"))
    assert not seen.failures and seen.worlds == 3 and sum(seen.kills.values()) + seen.late == 3


def test_a_disk_that_becomes_full() -> None:
    """A run on a small one says so, and has the same bytes once there is room."""
    seen = disk.campaign(20261128, runs=1, most=1)
    assert not seen.failures
    # only root may mount one; on a machine without that right nothing can be tried
    assert seen.full or (seen.unable and os.geteuid()) or "mount" in seen.unable


def test_a_prometheus_behind_a_proxy_that_misbehaves() -> None:
    """An answer is lost, and a login refuses in words that a terminal would obey: all is there
    once, or named."""
    seen = servers.campaign(20261128, times=1, faults=("answer lost", "401"), whole=0)
    assert not seen.failures and not seen.unable and seen.tries == {"answer lost": 1, "401": 1}
    assert seen.met >= 2 and seen.named == 1


def test_a_crowd_at_a_live_run() -> None:
    """Six pages, scrapers and everybody who asks what they should not, for some seconds."""
    seen = crowd.campaign(20261128, crowd.Size(pages=6, scrapes=40, days=2, pace=1.0))
    assert not seen.failures, "\n".join(seen.lines())
    for kind in ("page", "stream", "scrape", "wrong token", "path", "other host", "held open"):
        assert seen.answers[kind], kind


def test_a_soak_of_some_seconds() -> None:
    """Too short for a slope, but everything is looked at, and every reading arrives."""
    seen = soak.campaign(20261128, minutes=0.1, pace=0.5, every_s=0.5)
    assert not seen.failures and not seen.unable, "\n".join(seen.lines())
    assert len(seen.values) == 10 and all(len(each) > 2 for each in seen.values.values())


def test_what_grows_is_told_from_what_wavers() -> None:
    """Values that depend on those before: an interval that took them for independent would call
    most of them growth, this one keeps its promise; true growth is found."""
    draw = np.random.default_rng(20261128)
    hours, flat, naive = np.arange(400) / 720, 0, 0
    for _ in range(60):
        noise = draw.normal(size=400)
        for k in range(1, 400):
            noise[k] += 0.8 * noise[k - 1]
        found = soak.slope(hours, 100 + noise)
        assert found is not None
        flat += found.flat
        slope, cov = np.polyfit(hours, noise, 1, cov=True)
        naive += abs(slope[0]) < 1.96 * np.sqrt(cov[0, 0])
    assert flat >= 50 > 45 > naive
    found = soak.slope(hours, 100 + 30 * hours + noise)
    assert found is not None and not found.flat and found.low < 30 < found.high
    seen = soak.Soaked(list(hours), {"run, RSS": list(100 + 30 * hours + noise)})
    seen.judge()
    assert seen.failures and "not distinguishable" not in seen.failures[0]
    assert soak.slope(hours[:10], hours[:10]) is None
    constant = soak.slope(hours, np.full(400, 8.0))
    assert constant is not None and constant.flat


def test_a_campaign_of_servers_finds_what_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own judgement: readings that are neither there nor named, named ones that are all there,
    a value that differs, a terminal's commands, no end."""
    name = frozenset({("__name__", "twin_x")})
    assert servers.missing({name: {1.0: 2.0, 2.0: 3.0}}, {name: {1.0: 2.0}}) == (1, 0)
    assert servers.missing({name: {1.0: 2.0}}, {name: {1.0: 9.0, 5.0: 1.0}}) == (0, 2)
    work = object.__new__(servers.Servers)
    work.fail = lambda line: failures.append(line)  # type: ignore[method-assign]
    tried = servers._Try(work, Plan("400", 0, 1), Path(), whole=True)
    line = "error: remote write: 3 of 4 readings are not in x"
    for status, said, left, wrong, bad in (
        (0, "all is well", 0, 0, False),
        (3, line, 3, 0, False),
        (0, "all is well", 1, 0, True),
        (3, line, 4, 0, True),
        (3, "error: something", 0, 0, True),
        (0, "all is well", 0, 1, True),
        (1, "Traceback", 0, 0, True),
        (3, line + "\x1b[2J", 3, 0, True),
        (servers.STUCK, "twin/x.py", 0, 0, True),
    ):
        failures: list[str] = []
        monkeypatch.setattr(tried, "compared", lambda server, found=(left, wrong): found)
        tried.judge(None, status, said, 1.0)  # type: ignore[arg-type]
        assert bool(failures) is bad, (status, said)


def test_a_crowd_finds_a_wrong_answer_and_one_that_breaks_off() -> None:
    """Its own judgement; once the run has ended nothing is wrong."""

    async def broken(over: bool) -> Crowd:
        crowd = Crowd(Target(1, 1, "t"), random.Random(1))
        if over:
            crowd.over.set()
        crowd.judge("path", 200, {404}, "/x")
        task = asyncio.create_task(crowd.living("page", fails))
        await asyncio.wait({task}, timeout=1.5)
        crowd.over.set()
        await task
        return crowd

    async def fails() -> None:
        raise EOFError("no more")

    assert set(asyncio.run(broken(False)).wrong) == {"path", "page"}
    assert not asyncio.run(broken(True)).wrong


def test_a_campaign_of_kills_finds_other_bytes(tmp_path: Path) -> None:
    """Its own judgement."""
    work = object.__new__(kill.Campaign)
    work.folder, work.seen, work.begin, work.right = tmp_path, kill.Killed(), [], b"right"
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


def test_a_campaign_collects_its_garbage() -> None:
    """Importing what tests share must not turn the collector off: a campaign would grow for hours."""
    script = "import gc; from tests.campaign import fuzz; print(gc.isenabled())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "True\n"
