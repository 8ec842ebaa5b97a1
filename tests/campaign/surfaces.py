"""What a campaign throws inputs at: scenarios, ``--set``, ``--vary``, policy files and times.

A surface draws texts and turns one into the arguments of a command line, which is run in this
process.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.campaign import mutate

SCENARIO, POLICY, TAKEN = "input.yaml", "policy.yaml", "taken"
"""The files that an input becomes, and a folder that is never empty."""


@dataclass(frozen=True)
class Surface:
    """``file`` is what a text is written into, if anything."""

    draw: Callable[[random.Random], str]
    arguments: Callable[[str], list[str]]
    file: str = ""


def _setting(draw: random.Random) -> str:
    path = draw.choice(mutate.PATHS)
    if draw.random() < 0.1:
        path = draw.choice(
            [path[:-1], "mechanisms." + path, path + ".x", "policies", "a..b", "", "."]
        )
    text = f"{path}={mutate.flow(mutate.value(draw, path))}"
    return text if draw.random() < 0.9 else text + draw.choice(mutate.TOKENS)


def _varied(draw: random.Random) -> str:
    path = draw.choice(mutate.PATHS)
    ends = [mutate.flow(mutate.value(draw, path)) for _ in range(draw.randrange(1, 4))]
    log = draw.choice(["", "", "", ":log", ":lin"])
    return f"{path}={draw.choice([',', '..', '..'])[:9].join(ends)}{log}"


def _timed(draw: random.Random) -> str:
    name = draw.choice(["policies/likes.yaml", "policies/chronological.yaml", mutate.LONG, ".", ""])
    return f"{name}@{mutate.flow(mutate.value(draw))}"


SURFACES = {
    "scenario": Surface(
        lambda draw: mutate.document(draw, mutate.FILES), lambda text: ["check", SCENARIO], SCENARIO
    ),
    "set": Surface(_setting, lambda text: ["check", "base.yaml", "--set", text]),
    # a folder that is taken: everything is checked, and nothing runs
    "vary": Surface(
        _varied,
        lambda text: ["sweep", "base.yaml", "--vary", text, "--points", "3", "--out", TAKEN],
    ),
    "policy": Surface(
        lambda draw: mutate.document(draw, mutate.POLICIES),
        lambda text: ["check", "base.yaml", "--policy", POLICY],
        POLICY,
    ),
    "policy time": Surface(_timed, lambda text: ["check", "base.yaml", "--policy", text]),
}
