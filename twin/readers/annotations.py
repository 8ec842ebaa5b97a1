"""The marks of a run as annotations in Grafana, at simulated dates, so that every dashboard shows
when something took effect.

They belong to the whole organisation and are found by their tags: ``twin``, ``run:ID``,
``branch:NAME``, ``replicate:NUMBER`` and ``kind:KIND``. Something that begins and ends (a policy
with an end, a migration, a campaign) is one region. Grafana accepts the same annotation twice, so
existing ones are read first; missing ones are added, and those that no longer apply are removed.

A branch shows what happened after it left its parent, with its name in front. What was before that
is shown by the parent, under the same run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twin.ground.units import at
from twin.readers.grafana import Grafana, connect
from twin.readers.grafana_calls import GrafanaError
from twin.readers.service import Service
from twin.record.results import load_events, load_manifest
from twin.record.watch import RunInfo

KINDS = ("policy", "migration", "campaign")
"""Marks that are shown by default; a mark at every training would hide the rest."""
LONGEST_WAIT_S = 60.0
LAST_TRIES_S = (0.0, 1.0, 3.0)
"""Waits before the last tries, when the run has ended; none begins later than LAST_S."""
LAST_S = 10.0
FOLLOW = "the run continues, and its annotations follow when Grafana takes them"
_LONGEST_TAG = 100
_OPENS_TAG = re.compile(r"<(?=[A-Za-z/!?])")

Mark = tuple[dt.datetime, str, str]


@dataclass(frozen=True, order=True)
class Annotation:
    """What Grafana shows: from, to (the same for a point in time), milliseconds since 1970; kind
    and text of the mark."""

    time_ms: int
    end_ms: int
    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    """What `bring` did: how many annotations it added, removed and found correct."""

    added: int
    removed: int
    kept: int


def from_marks(
    marks: Iterable[Mark], manifest: Mapping[str, Any], kinds: Sequence[str] = KINDS
) -> list[Annotation]:
    """The annotations for the marks of a run, which come in the order of time."""
    parent = manifest.get("parent")
    since = at(dt.date.fromisoformat(manifest["start"]), parent["at_s"] if parent else 0)
    before = f"[{manifest['branch']}] " if parent else ""
    found: list[Annotation] = []
    # places in `found` of what has begun and not ended yet
    running: list[int] = []
    for when, kind, text in marks:
        if kind not in kinds or when < since:
            continue
        time_ms = round(when.timestamp() * 1000)
        # of several that are open, the latest
        begun = next(
            (
                place
                for place in reversed(running)
                if found[place].kind == kind and _ends(kind, found[place].text, text)
            ),
            None,
        )
        if begun is not None:
            running.remove(begun)
            # the end of a policy shows in its region; others also say how they ended
            how = (
                ""
                if kind == "policy"
                else f"; {text if text.startswith('ended: ') else text.partition(': ')[0]}"
            )
            found[begun] = Annotation(found[begun].time_ms, time_ms, kind, found[begun].text + how)
            continue
        if kind == "policy" or text.startswith("begun: "):
            running.append(len(found))
        found.append(Annotation(time_ms, time_ms, kind, text))
    return sorted(
        Annotation(each.time_ms, each.end_ms, each.kind, _shown(before, each.kind, each.text))
        for each in found
    )


def _shown(before: str, kind: str, text: str) -> str:
    """A mark's text as Grafana shows it, which reads it as HTML: the
    name that a scenario gives a policy stays text."""
    return before + _OPENS_TAG.sub("&lt;", text if kind == "policy" else f"{kind} {text}")


def latest(marks: Iterable[Mark]) -> int:
    """The time of the last mark; annotations after it may belong to a part that an
    unfinished run will compute again."""
    return max((round(when.timestamp() * 1000) for when, _, _ in marks), default=0)


def _ends(kind: str, begun: str, text: str) -> bool:
    """Whether a mark is the end of what an earlier one began. A policy without a name cannot be
    matched with its end."""
    if kind == "policy":
        return text.endswith(": ended") and begun.startswith(text.removesuffix("ended"))
    return text.startswith(("ended: ", "cut over: ", "dropped: "))


def tags(run: Mapping[str, str]) -> list[str]:
    """The tags of every annotation of a run; ``run`` is its `names.identity`."""
    return [
        "twin",
        *(
            f"{name}:{_tag(run[label])}"
            for name, label in (("run", "run_id"), ("branch", "branch"), ("replicate", "replicate"))
        ),
    ]


def _tag(value: str) -> str:
    """A value as Grafana stores it: it splits a tag at its colons, trims it, and has room for 100
    characters."""
    return value.replace(":", "-").strip()[:_LONGEST_TAG]


def bring(
    grafana: Grafana,
    run: Mapping[str, str],
    wanted: Sequence[Annotation],
    kinds: Sequence[str] = KINDS,
    until_ms: int | None = None,
) -> Change:
    """Make Grafana show these annotations of a run and, of these kinds and up to ``until_ms``, no
    others."""
    mine = tags(run)
    # counted, since two marks may agree in time, kind and text
    missing, surplus, kept = Counter(wanted), [], 0
    for each in grafana.annotations(mine):
        there = _there(each, mine, kinds)
        if there is None:
            continue
        if missing[there] > 0:
            missing[there] -= 1
            kept += 1
        elif until_ms is None or there.time_ms <= until_ms:
            surplus.append(int(each["id"]))
    # added before others are removed: a failure in between loses none
    added = sorted(missing.elements())
    for done, annotation in enumerate(added):
        try:
            grafana.annotate(
                annotation.time_ms,
                annotation.end_ms,
                annotation.text,
                [*mine, f"kind:{annotation.kind}"],
            )
        except GrafanaError as error:
            raise GrafanaError(
                f"{error}; {done:,} of {len(added):,} new annotations are there, and the next try "
                f"adds only what is missing",
                error.code,
            ) from None
    for number in surplus:
        grafana.unannotate(number)
    return Change(len(added), len(surplus), kept)


def _there(
    found: Mapping[str, Any], mine: Sequence[str], kinds: Sequence[str]
) -> Annotation | None:
    """An annotation that was found, or None if it is none of these."""
    has = set(found.get("tags") or ())
    kind = next((kind for kind in kinds if f"kind:{kind}" in has), None)
    if kind is None or not has.issuperset(mine):
        return None
    return Annotation(
        int(found["time"]),
        int(found.get("timeEnd") or found["time"]),
        kind,
        str(found.get("text", "")),
    )


class Annotator(Service):
    """Sends the marks of a run to Grafana as they come, in a thread of its own. They wait while
    Grafana is unreachable."""

    def __init__(self, url: str) -> None:
        # nothing else: the token stays in the environment, which the sidecar inherits
        self.url = url

    def begin(self, info: RunInfo) -> None:
        """Read the marks up to where the run continues."""
        self._info, self._manifest = info, load_manifest(info.out)
        # of a resumed run: those before the checkpoint, which it will not reach again
        self._marks: list[Mark] = load_events(info.out)
        self._news, self._over, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._reported = False
        self._why = ""

    async def open(self) -> str:
        """Find Grafana. A wrong token or address ends the run before it begins; a Grafana that is
        down does not."""
        self._grafana = connect(self.url)
        try:
            version = await asyncio.to_thread(self._grafana.health)
            await asyncio.to_thread(self._grafana.annotations, tags(self._info.labels))
            line = f"annotations go to Grafana {version} at {self._grafana.url}"
        except GrafanaError as error:
            # the token or the address is wrong, and waiting does not mend that
            if not error.passing:
                raise
            self._reported = True
            line = f"{error}; {FOLLOW}"
        if self._grafana.bare:
            line = f"{line} ({self._grafana.warning()})"
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        # of a resumed run: what an earlier process may not have delivered
        if self._marks:
            self._news.set()
        return line

    def mark(self, now_s: int, kind: str, text: str) -> None:
        """Note a mark; the thread does the rest."""
        if kind in KINDS:
            with self._lock:
                self._marks.append((at(self._info.start, now_s), kind, text))
            self._news.set()

    async def close(self, complete: bool) -> str:
        """Deliver all that are missing, or report how to deliver them."""
        self._over.set()
        self._news.set()
        until = time.monotonic() + LAST_S
        await asyncio.to_thread(self._thread.join)
        # if the run died, nothing waits for this process
        for wait in LAST_TRIES_S if complete else LAST_TRIES_S[:1]:
            await asyncio.sleep(wait)
            if self._why and time.monotonic() > until:
                break
            if await asyncio.to_thread(self._try, complete):
                count = len(from_marks(self._marks, self._manifest))
                return f"{count} annotations are at {self._grafana.url}"
        line = (
            f"not all annotations are in Grafana: {self._why}; later: "
            f"twin grafana annotate {self._info.out} --url {self._grafana.url}"
        )
        # a run that was interrupted will bring them when it is resumed
        if complete:
            self.unfinished, line = line, ""
        return line

    def _work(self) -> None:
        wait = 1.0
        while True:
            self._news.wait()
            if self._over.is_set():
                return
            # before the marks are read: one that comes meanwhile wakes the thread again
            self._news.clear()
            if self._try(last=False):
                wait, self._reported = 1.0, False
                continue
            if not self._reported:
                self._reported = True
                self.hub.note(f"{self._why}; {FOLLOW}")
            # until the run ends, if that is earlier; then as if there were news
            self._over.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
            self._news.set()

    def _try(self, last: bool) -> bool:
        """Send all marks so far; later annotations stay, since a resumed run will reach them
        again."""
        with self._lock:
            marks = list(self._marks)
        try:
            bring(
                self._grafana,
                self._info.labels,
                from_marks(marks, self._manifest),
                until_ms=None if last else latest(marks),
            )
        except GrafanaError as error:
            self._why = str(error)
            return False
        return True
