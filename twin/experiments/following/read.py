"""What a calibrated folder foretold, and what was observed of its platform."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.experiments.calibrate.outcome import FORECAST, LEVELS
from twin.experiments.sync import versions
from twin.ground import files, parquet
from twin.ground.digest import sha
from twin.ground.errors import UsageError, nearest
from twin.observing import folder
from twin.observing.daily import Daily, daily, shown
from twin.observing.folder import Observed

FILE = "forecast.parquet"
Fan = tuple[float, ...]
"""Quantiles at LEVELS."""


@dataclass(frozen=True)
class Beside:
    """``foretold``: fans by quantity, and by day and how many days ahead it was; ``observed``: by
    quantity and day; both on the platform's own scale. ``until``: the last day that was read before
    the latest forecast. ``identity``: labels of series."""

    foretold: Mapping[str, Mapping[tuple[dt.date, int], Fan]]
    observed: Daily
    until: dt.date
    identity: Mapping[str, str]
    quick: bool

    def latest(self, quantity: str) -> dict[dt.date, Fan]:
        """The latest forecast of each day."""
        found = self.foretold[quantity]
        return {day: found[day, ahead] for day, ahead in sorted(found, key=lambda key: -key[1])}


def read(out: Path, on: str | None) -> Beside:
    """A calibrated folder beside what was observed. ``on``: an observed folder with later days;
    those of the calibration's own are kept.

    Raises UsageError if the folder is no calibration, has no forecast, or what it read is missing.
    """
    manifest = _manifest(out)
    made = [_rows(each) for each in holders(out, manifest)]
    observed = _observed(manifest["args"], on)
    foretold: dict[str, dict[tuple[dt.date, int], Fan]] = {}
    for rows in made:
        for row in rows:
            day, ahead = row["day"], int(row["ahead_d"])
            fan = tuple(float(row[f"q{level:g}"]) for level in LEVELS)
            # a later version of the same forecast wins
            foretold.setdefault(row["quantity"], {})[day, ahead] = fan
    until = max(day - dt.timedelta(days=ahead) for fans in foretold.values() for day, ahead in fans)
    quick = bool(manifest["args"].get("quick"))
    kept = {name: days for name, days in observed.items() if name in foretold}
    return Beside(foretold, kept, until, identity(manifest), quick)


def holders(out: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """The folders that hold forecasts, oldest first: the calibration's own, then its versions.
    Raises UsageError if there is none."""
    places = [out, *(out / versions.FOLDER / name for name in files.names(out / versions.FOLDER))]
    found = [place for place in places if files.is_file(place / FILE)]
    if not found and manifest.get("status") != "done":
        raise UsageError(f"{out}: has no forecast yet (finish the calibration: twin resume {out})")
    if not found:
        raise UsageError(f"{out}: has no {FILE} (calibrate again into another --out)")
    return found


def identity(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Labels of a calibration's series: the same for the same calibration, wherever its folders
    lie."""
    args = {key: value for key, value in manifest["args"].items() if key != "on"}
    digest = sha([manifest["scenario_digest"], args])[:8]
    return {"calibration": f"{manifest['name']}-{digest}", "scenario": manifest["name"]}


def _manifest(out: Path) -> dict[str, Any]:
    file = out / "manifest.json"
    if not files.is_file(file):
        around = files.beside(out, "calibrated.yaml")
        raise UsageError(
            f"{files.shown(str(out))}: is no calibrated folder ("
            + (
                nearest(out.name, around)
                if around
                else "make one: twin calibrate SCENARIO --on OBSERVED"
            )
            + ")"
        )
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"{file}: cannot be read (calibrate again)") from None
    command = manifest.get("command") if isinstance(manifest, dict) else None
    if command != "calibrate":
        kind = f"a {command}" if command else "something else"
        raise UsageError(f"{out}: holds {kind}, not a calibration (see twin calibrate)")
    return dict(manifest)


def _rows(place: Path) -> Sequence[Mapping[str, Any]]:
    file = place / FILE
    try:
        table = parquet.table(file)
        table = table.select(FORECAST.names).cast(FORECAST)
    except (KeyError, *parquet.DAMAGED):
        raise UsageError(f"{file}: cannot be read (calibrate again)") from None
    if not table.num_rows:
        raise UsageError(
            f"{place}: has no forecast, as it was made with --ahead 0d (calibrate again with "
            f"--ahead 14d)"
        )
    found: Sequence[Mapping[str, Any]] = table.to_pylist()
    return found


def _observed(args: Mapping[str, Any], on: str | None) -> dict[str, dict[dt.date, float]]:
    """Days of the folder that the calibration read, and later ones of ``on``."""
    until = dt.date.fromisoformat(args["until"])
    there = files.is_file(Path(args["on"]) / "manifest.json")
    if not there and on is None:
        raise UsageError(
            f"{args['on']}: what the calibration read is not there (give --on, where it is now)"
        )
    newer = None if on is None else _folder(on)
    own = folder.read(args["on"]) if there else newer
    assert own is not None
    if own.until(until).digest() != args["observed"]:
        where = args["on"] if there else f"--on {on}"
        raise UsageError(
            f"{where}: is not what the calibration read until {until} (calibrate again)"
        )
    if newer is None or newer is own:
        return shown(daily(own))
    if newer.manifest["zone"] != own.manifest["zone"]:
        raise UsageError(
            f"--on {on}: has days in {newer.manifest['zone']}, the calibration read days in "
            f"{own.manifest['zone']} (observe the log with --zone {own.manifest['zone']})"
        )
    later = shown(daily(newer))
    return {name: later.get(name, {}) | days for name, days in shown(daily(own)).items()}


def _folder(on: str) -> Observed:
    try:
        return folder.read(on)
    except UsageError as error:
        raise UsageError(f"--on {error}") from None
