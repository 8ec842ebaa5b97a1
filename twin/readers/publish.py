"""Sends dashboards, their folder and their data source to a Grafana. Repeating it changes nothing.

The message of a dashboard's newest version has a digest of what was pushed, which shows whether it
is up to date. The stored dashboard does not: Grafana converts dashboards to its newest schema. A
change by hand makes a version with another message, so the next push replaces it; Grafana keeps it
in the dashboard's history.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from twin.ground.digest import sha
from twin.ground.errors import UsageError
from twin.ground.units import iso
from twin.readers.dashboards.frame import PAGES, SOURCE_UID
from twin.readers.grafana import Grafana
from twin.readers.grafana_calls import GrafanaError
from twin.record.names import identity

FOLDER, FOLDER_TITLE = "twin", "twin"
SOURCE = SOURCE_UID
# Grafana's own limit
LONGEST_UID = 40
_CHANGES = {
    "created": "would be created",
    "replaced": "would be replaced",
    "changed": "would be changed",
}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class SelectedRun:
    """A run at which dashboards open: its dates and the values of their variables."""

    start: dt.datetime
    end: dt.datetime
    variables: Mapping[str, str]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> SelectedRun:
        """A run from its manifest."""
        labels = identity(manifest)
        start = dt.datetime.fromisoformat(manifest["start"]).replace(tzinfo=dt.UTC)
        return cls(
            start,
            start + dt.timedelta(seconds=manifest["duration_s"]),
            {**labels, "run": labels["run_id"]},
        )


def load(folder: Path) -> list[dict[str, Any]]:
    """The dashboards in a folder, in the order of their links, then by file name. Raises
    UsageError."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise UsageError(f"{folder}: has no dashboards (give --dashboards, a folder with *.json)")
    found = []
    for path in paths:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read: {error}") from None
        uid = data.get("uid") if isinstance(data, dict) else None
        if not isinstance(uid, str) or not 0 < len(uid) <= LONGEST_UID or not data.get("title"):
            raise UsageError(
                f"{path}: is not a dashboard (it needs a title, and a uid of at most {LONGEST_UID} "
                f"characters)"
            )
        found.append(data)
    order = [uid for uid, _ in PAGES]
    return sorted(
        found, key=lambda each: order.index(each["uid"]) if each["uid"] in order else len(order)
    )


def turned(dashboard: Mapping[str, Any], run: SelectedRun) -> dict[str, Any]:
    """A dashboard that opens at a run: its dates, and its values in the variables."""
    variables = []
    for variable in dashboard.get("templating", {}).get("list", []):
        value = run.variables.get(variable.get("name", ""))
        if value is not None:
            many = [value] if variable.get("multi") else value
            variable = {**variable, "current": {"selected": True, "text": many, "value": many}}
        variables.append(variable)
    # the run's own health is shown in wall-clock time
    wall_clock = "now" in str(dashboard.get("time", {}).get("from", ""))
    when = {} if wall_clock else {"time": {"from": iso(run.start), "to": iso(run.end)}}
    return {
        **dashboard,
        **when,
        "templating": {**dashboard.get("templating", {}), "list": variables},
    }


def address(grafana: Grafana, dashboard: Mapping[str, Any], run: SelectedRun | None) -> str:
    """Where to open a dashboard; with a run: at its dates, with it selected."""
    query: list[tuple[str, str]] = []
    if run:
        query = [
            ("from", str(round(run.start.timestamp() * 1000))),
            ("to", str(round(run.end.timestamp() * 1000))),
        ]
        query += [
            (f"var-{each['name']}", run.variables[each["name"]])
            for each in dashboard.get("templating", {}).get("list", [])
            if each.get("name") in run.variables
        ]
    return f"{grafana.url}/d/{dashboard['uid']}" + (f"?{urlencode(query)}" if query else "")


def push(
    grafana: Grafana,
    dashboards: Sequence[Mapping[str, Any]],
    prometheus: str | None,
    run: SelectedRun | None,
    tell: Tell,
    dry: bool = False,
) -> None:
    """Create or update everything, with a line for each. Raises GrafanaError and UsageError."""

    def say(what: str, how: str) -> None:
        tell(f"{what}: {_CHANGES.get(how, how) if dry else how}")

    say(f"Grafana at {grafana.url}", grafana.health())
    say(f"folder {FOLDER}", _folder(grafana, dry))
    say(f"data source {SOURCE}", _source(grafana, prometheus, dry))
    counts: dict[str, int] = {}
    for dashboard in dashboards:
        how = _dashboard(grafana, turned(dashboard, run) if run else dashboard, dry)
        say(f"dashboard {dashboard['title']}", how)
        counts[how] = counts.get(how, 0) + 1
    say(
        f"{len(dashboards)} dashboards",
        ", ".join(
            f"{count} {_CHANGES.get(how, how) if dry else how}" for how, count in counts.items()
        ),
    )
    tell(f"open {address(grafana, dashboards[0], run)}")


def _folder(grafana: Grafana, dry: bool) -> str:
    if grafana.folder(FOLDER):
        return "unchanged"
    if not dry:
        grafana.make_folder(FOLDER, FOLDER_TITLE)
    return "created"


def _source(grafana: Grafana, prometheus: str | None, dry: bool) -> str:
    """Create or change the data source if the address of Prometheus was given; else it must
    exist."""
    try:
        found = grafana.source(SOURCE)
    except GrafanaError as error:
        # An Editor may not read data sources, which matters only if one is to be changed
        if error.code != 403 or prometheus:
            raise
        return "not checked (that needs the role Admin)"
    if not prometheus:
        if found is None:
            raise UsageError(
                f"{grafana.url}: has no data source {SOURCE} (give --prometheus or set "
                f"PROMETHEUS_URL: where Grafana reaches "
                "Prometheus, such as http://prometheus:9090)"
            )
        if found.get("type") != "prometheus":
            raise UsageError(
                f"{grafana.url}: the data source {SOURCE} is of the type {found.get('type')}, not "
                f"prometheus (remove it, or "
                "give --prometheus to change it)"
            )
        return "unchanged"
    wanted = {
        "uid": SOURCE,
        "name": SOURCE,
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus,
    }
    options = {"timeInterval": "1h", "httpMethod": "POST", "prometheusType": "Prometheus"}
    if found is None:
        how = "created"
        if not dry:
            grafana.make_source({**wanted, "jsonData": options})
    # A provisioned source can be changed in its file alone
    elif found.get("readOnly"):
        how = "provisioned by a file, left unchanged" + (
            "" if found.get("url") == prometheus else f": its address is {found.get('url')}"
        )
    else:
        changed = {
            **found,
            **wanted,
            "name": found.get("name") or SOURCE,
            "jsonData": {**(found.get("jsonData") or {}), **options},
        }
        how = "unchanged" if changed == found else "changed"
        # What others set, such as a login for Prometheus, stays. If somebody changed it meanwhile,
        # Grafana refuses, by its version.
        if changed != found and not dry:
            grafana.change_source(changed)
    # A dry run cannot try what it did not make
    trouble = "" if dry and how != "unchanged" else grafana.source_trouble(SOURCE)
    return how + (f", but {trouble}" if trouble else "")


def _dashboard(grafana: Grafana, dashboard: Mapping[str, Any], dry: bool) -> str:
    content = _content(dashboard)
    digest = sha(content, 16)
    found = grafana.dashboard(content["uid"])
    message = f"pushed by twin, content {digest}"
    if found is not None:
        meta = found.get("meta") or {}
        # Grafana takes such a dashboard from its file alone
        if meta.get("provisioned"):
            return "provisioned by a file, left unchanged"
        # As it was pushed, or as Grafana has converted it since
        if meta.get("folderUid") == FOLDER and (
            _content(found["dashboard"]) == content
            or grafana.dashboard_message(content["uid"]) == message
        ):
            return "unchanged"
    if not dry:
        grafana.save_dashboard(content, FOLDER, message)
    return "created" if found is None else "replaced"


def _content(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard without what is the server's own business."""
    return {key: value for key, value in dashboard.items() if key not in ("id", "version")}
