"""`twin observe`: read a log, keep aggregates of it, and say what it can and cannot identify."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twin.ground import files, interrupts
from twin.ground.crew import asked, cores
from twin.ground.digest import sha
from twin.ground.errors import UsageError
from twin.observing import aggregates, bins, folder, identify, sources
from twin.observing.ledger import Ledger
from twin.observing.mapping import Mapped
from twin.observing.progress import Progress
from twin.observing.reading import Read, Reading
from twin.observing.tables import Maker
from twin.observing.tally import AGES, DEPTHS, Tally
from twin.observing.times import date

K, SHARE = 10, 0.01
MOST_THREADS = 4
"""Threads by default: each takes memory, and one reads the file."""


@dataclass(frozen=True)
class Settings:
    """How a log is observed."""

    k: int = K
    """Fewer people are not shown."""
    share: float = SHARE
    """More bad rows stop."""
    quiet: bool = False
    threads: int | None = None


class Interrupted(UsageError):
    """Ctrl-C."""

    status = 130


def observe(given: Iterable[str], mapped: Mapped, out: Path, settings: Settings) -> folder.Observed:
    """Read a log into a folder of aggregates, which is whole or absent.

    Raises UsageError or ScenarioError for everything that cannot be read.
    """
    found = sources.found(given)
    files.free(out, "--out", "an observed folder")
    ledger = Ledger(found, settings.share)
    threads = asked(settings.threads, min(cores(), MOST_THREADS))
    with _work(out) as work:
        if mapped.map.aggregates:
            manifest, tables = _of_aggregates(ledger, mapped, settings)
        else:
            manifest, tables = _of_log(ledger, mapped, work, replace(settings, threads=threads))
        manifest["never"] = list(identify.NEVER)
        folder.write(work, out, manifest, tables)
    return folder.read(out)


@contextmanager
def _work(out: Path) -> Iterator[Path]:
    """A folder beside the one to be made; it goes, whatever happens."""
    work = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        with interrupts.kept():
            yield work
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written: {error.strerror}") from None
    except KeyboardInterrupt:
        raise Interrupted("interrupted; nothing was written, and nothing is left behind") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _of_log(
    ledger: Ledger, mapped: Mapped, work: Path, settings: Settings
) -> tuple[dict[str, Any], dict[str, Any]]:
    progress = Progress(settings.quiet)
    try:
        read = Reading(mapped, ledger, work, progress, settings.threads or 1).run()
    finally:
        progress.close()
    for name in ("people", "items", "unzipped.parquet"):
        shutil.rmtree(work / name, ignore_errors=True)
    (work / "unzipped.parquet").unlink(missing_ok=True)
    _enough(read, settings.k)
    maker = Maker(read.tally, settings.k, read.sources)
    tables = maker.all()
    manifest = _head(ledger, mapped, settings) | _facts(read)
    manifest["privacy"]["left_out"] = {k: v for k, v in maker.suppressed.items() if v}
    manifest["cautions"] = identify.cautions(manifest["facts"], tables)
    manifest["statistics"] = identify.table(tables, _tried(read.tally))
    return manifest, tables


def _tried(tally: Tally) -> set[str]:
    """Cuts, units and quantities that the log has columns for."""
    named = {part for of, _, quantity in tally.histograms for part in (of, quantity)}
    return {*tally.frame.keys, *tally.pairs, *named}


def _enough(read: Read, k: int) -> None:
    """Raise UsageError if nothing could be shown."""
    frame, tally = read.tally.frame, read.tally
    people = tally.counts["all"]["users" if frame.users else "rows"][0]
    if people.max() < k:
        who = "people" if frame.users else "rows"
        all_ = tally.facts["users"] if frame.users else int(people.sum())
        raise UsageError(
            f"{read.ledger.sources[0].path}: no day has {k} {who} ({all_} in all), so nothing "
            f"could be kept (give a smaller --k, or a longer log)"
        )


def _of_aggregates(
    ledger: Ledger, mapped: Mapped, settings: Settings
) -> tuple[dict[str, Any], dict[str, Any]]:
    made = aggregates.read(ledger, mapped, settings.k)
    manifest = _head(ledger, mapped, settings) | made.facts
    manifest["privacy"]["left_out"] = dict(made.suppressed)
    manifest["cautions"] = made.cautions
    manifest["statistics"] = identify.table(made.tables)
    return manifest, made.tables


def _head(ledger: Ledger, mapped: Mapped, settings: Settings) -> dict[str, Any]:
    """What every manifest holds."""
    listed = [
        {
            "name": source.name,
            "bytes": source.size,
            "rows": source.rows,
            "sha256": source.sha256,
            "notes": source.notes,
        }
        for source in ledger.sources
    ]
    return {
        "kind": folder.KIND,
        "schema": folder.SCHEMA,
        "twin": version("twin"),
        "read": {"digest": sha([[e["name"], e["sha256"]] for e in listed]), "files": listed},
        "map": {
            "name": Path(mapped.name).name,
            "digest": mapped.digest(),
            "columns": {".".join(path): column for path, column in mapped.map.named()},
        },
        "zone": mapped.map.zone,
        "rows": {
            "read": ledger.rows,
            "kept": ledger.rows - ledger.count() - sum_ignored(ledger),
            "bad": {
                reason: {"rows": many, "first": ledger.examples(reason)}
                for reason, many in ledger.bad.most_common()
            },
            "ignored": dict(ledger.ignored),
        },
        "privacy": {
            "k": settings.k,
            "rule": "no row about a person, an item or a maker; nothing of a day or cell with "
            f"fewer than {settings.k} people; bins joined until each has {settings.k}; not "
            "differential privacy: two tables may differ by one person",
        },
        "bins": {
            "counts": bins.EDGES.tolist(),
            "shares": bins.SHARES,
            "ages": list(AGES),
            "depths": list(DEPTHS),
            "least_for_share": bins.LEAST_FOR_SHARE,
        },
    }


def sum_ignored(ledger: Ledger) -> int:
    """Rows that were of no use: events of other kinds."""
    return ledger.ignored["events of other kinds"]


def _facts(read: Read) -> dict[str, Any]:
    """What a log adds to the manifest."""
    tally, frame, clock = read.tally, read.tally.frame, read.clock
    rows = int(tally.counts["all"]["rows"].sum())
    impressions = int(tally.counts["all"]["impressions"].sum())
    days = frame.last - frame.first + 1
    facts = {
        "rows": rows,
        "impressions": impressions,
        "users": tally.facts["users"],
        "items": tally.facts["items"],
        "makers": tally.facts["makers"],
        "sessions": tally.facts["sessions"],
        "still_open": tally.facts["still_open"],
        "slight": tally.facts["slight"],
        "repeated_meetings": tally.facts["met"] - tally.facts["meetings"],
        "days": days,
        "resolution": clock.resolution(),
        "zoned": clock.zoned,
        "naive": clock.naive,
        "zone": clock.zone,
        "empty": len(read.empty),
    }
    return {
        "first": date(frame.first).isoformat(),
        "last": date(frame.last).isoformat(),
        "step_d": frame.step,
        "gap_s": frame.gap,
        "unit": clock.unit,
        "empty_days": [date(day).isoformat() for day in read.empty[:1000]],
        "responses": list(frame.responses),
        "amounts": list(frame.amounts),
        "sources": {str(i): name for i, name in enumerate(read.sources) if i},
        "facts": facts,
    }
