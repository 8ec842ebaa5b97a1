"""The campaigns of `python -m tests.campaign`, for a few seconds; and that they would find what is
wrong."""

from __future__ import annotations

import random

import pytest

from tests.campaign import fuzz
from tests.campaign.surfaces import SURFACES
from twin.scenario import checking


def test_inputs_that_are_nearly_right_break_nothing() -> None:
    """Scenarios, settings, policies and ranges, each with a few things changed: valid, or refused
    in lines."""
    found = fuzz.campaign(20261128, list(SURFACES), inputs=70)
    assert not found.failures, "\n".join(found.lines())
    # neither are all refused, nor is every one valid
    assert 3 < found.accepted < 40 and found.inputs == 70


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
def test_the_same_seed_draws_the_same_inputs(name: str) -> None:
    """A failure can be seen again."""
    first, again = ([SURFACES[name].draw(random.Random(7)) for _ in range(5)] for _ in range(2))
    assert first == again
