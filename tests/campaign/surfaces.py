"""What a campaign throws inputs at: scenarios, ``--set``, ``--vary``, policy files and times, graphs,
tables of people, tables of others, run folders, commands to a run, and requests to its page and
endpoint.

A surface draws texts, puts one in its place and turns it into the arguments of a command line, which
is run in this process. Bytes are written as surrogates, as Python reads what is no UTF-8.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.campaign import binary, damage, mailed, mutate, requests

SCENARIO, POLICY, TAKEN = "input.yaml", "policy.yaml", "taken"
"""The files that an input becomes, and a folder that is never empty."""


@dataclass(frozen=True)
class Surface:
    """``file`` is what a text is written into, if anything; ``place`` puts it elsewhere; ``call``
    takes it in place of the command line; ``touches`` is what may change besides, and ``statuses``
    how a command may end; ``after`` says what is wrong with what one left that ended well;
    ``tries``: attempts to make an input smaller, where each takes long."""

    draw: Callable[[random.Random], str]
    arguments: Callable[[str], list[str]]
    file: str = ""
    place: Callable[[Path, str], None] | None = None
    call: Callable[[Path, str], None] | None = None
    touches: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (0, 2)
    after: Callable[[Path, str], str] | None = None
    tries: int | None = None


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
    "edge list": Surface(
        binary.graph,
        lambda text: ["check", binary.GRAPHS, "--set", binary.path(text)],
        place=binary.put,
        touches=(binary.FOLDER,),
    ),
    "people": Surface(
        binary.people,
        lambda text: ["check", "base.yaml", "--set", f"audience.from={binary.file(text)}"],
        place=binary.put,
        touches=(binary.FOLDER,),
    ),
    "creators": Surface(
        binary.makers,
        lambda text: ["check", "base.yaml", "--set", f"creators.from={binary.file(text)}"],
        place=binary.put,
        touches=(binary.FOLDER,),
    ),
    "log of others": Surface(
        binary.log,
        lambda text: ["observe", binary.file(text), "--layout", "twin", "--out", binary.OBSERVED],
        place=binary.put,
        touches=(binary.FOLDER, binary.OBSERVED),
        statuses=(0, 1, 2),
    ),
    "run folder": Surface(
        damage.draw,
        damage.arguments,
        place=damage.place,
        touches=(damage.RUN, damage.BRANCH, damage.OUT),
        statuses=(0, 1, 2, 4),
        after=damage.silent,
        tries=8,
    ),
    "mailbox": Surface(mailed.draw, lambda text: [], call=mailed.call, touches=(mailed.RUN,)),
    "request": Surface(
        requests.draw,
        lambda text: [],
        place=requests.begin,
        call=requests.call,
        touches=(requests.FOLDER,),
    ),
}
