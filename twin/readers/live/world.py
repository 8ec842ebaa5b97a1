"""The view of the world: what the run shows of it when it is asked, for all pages that look, with
the same in words for those who cannot see the picture.

The run looks at a barrier of its own, and only when a page asks: a page on which the view is folded,
hidden or out of sight asks for nothing, and a run with none that looks does nothing for it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from twin.ground.errors import TwinError, UsageError
from twin.ground.units import moment
from twin.readers.service import Hub
from twin.readers.text import compact
from twin.record.mailbox import command

LEAST_S = 0.5
"""Wall-clock seconds for which a look serves all pages."""
PATIENCE_S = 20.0
OVER = "The view of the world is for worlds that run: it is not kept in the run's folder."


class View:
    """The latest look, for all pages."""

    def __init__(self, hub: Hub) -> None:
        self._hub, self._made, self._taken, self._now_s = hub, b"", float("-inf"), -1
        self._one = asyncio.Lock()

    async def get(self) -> bytes:
        """The view as JSON, made once for all pages; the latest one after the run has ended. Raises
        UsageError where there is none."""
        async with self._one:
            frame = self._hub.frame
            # a world that stands still is looked at once
            still = frame is not None and frame.now_s == self._now_s
            if self._made and (still or time.monotonic() - self._taken < LEAST_S):
                return self._made
            try:
                reply = await asyncio.to_thread(_looked, self._hub)
            except TwinError:
                if not self._made:
                    raise UsageError(OVER) from None
                return self._made
            when = moment(self._hub.info.start, reply["now_s"])
            self._made = compact({**reply["view"], **_words(reply["view"], when)})
            self._taken, self._now_s = time.monotonic(), reply["now_s"]
            return self._made


def _looked(hub: Hub) -> dict[str, Any]:
    return command(hub.info.out, {"do": "look"}, patience_s=PATIENCE_S)


def _words(view: dict[str, Any], when: str) -> dict[str, Any]:
    """The view as a sentence, and as the rows of a table by community."""
    human, assisted, ai = view["seen"]
    all_ = human + assisted + ai
    people, creators = view["active"]
    drawn = len(view["people"]["id"]) + len(view["creators"]["id"])
    says = f"{when}: {people:,} people and {creators:,} creators, of whom {drawn:,} are drawn. "
    if all_ > 0:
        helped = f", those with an AI assistant {_part(assisted, all_)}" if assisted else ""
        alone = "without an AI assistant " if assisted else ""
        says += (
            f"Of what is seen, human creators {alone}get {_part(human, all_)}{helped} and AI "
            f"creators {_part(ai, all_)}; the tenth that is seen most gets "
            f"{_part(view['top'], all_)}."
        )
    table = [
        [
            named(each["band"], len(view["communities"])),
            f"{each['people']:,}",
            "" if each["mean"] is None else f"{each['mean']:+.2f}".replace("-", "−"),
            f"{each['creators']:,}",
            _part(each["seen"], all_) if all_ > 0 else "",
        ]
        for each in view["communities"]
    ]
    head = ["Community", "People", f"Mean {view['axis']}", "Creators", "Part of what is seen"]
    return {"when": when, "says": says.strip(), "head": head, "table": table}


def named(band: int, count: int) -> str:
    """A community as people write it; the last of more than eight are the further ones."""
    return "further" if band == 8 and count > 8 else str(band + 1)


def _part(value: float, of: float) -> str:
    return f"{100 * value / of:.0f} %"
