"""What twin asks of a Grafana: folder, data source, dashboards, annotations (`grafana_calls` makes
the calls).

grafana-api has no call for health, for data sources by uid, for dashboard versions and for
annotations without a numeric dashboard id, and puts tags into addresses unquoted. Those go through
its ``api`` by hand.

Grafana 9.0 is the oldest that is supported: it is the first to update data sources by uid, and
numeric ids are deprecated there (release notes 9.0.0, #49396). From 13.0 on calls by numeric id are
disabled (What's new, 2026-04-14), so none is made here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from twin.ground.errors import UsageError
from twin.readers.grafana_calls import (
    TOKEN_FROM,
    Calls,
    GrafanaError,
)

OLDEST = (9, 0)
MOST = 10**6
"""Annotations of one run, at most."""


class Grafana(Calls):
    """One Grafana, seen with one user's rights. Every call raises GrafanaError."""

    def health(self) -> str:
        """The version of a Grafana that is up and new enough. Needs no rights; a wrong token shows
        with the first other call."""
        # grafana-api has no method for it
        data = self._asked("ask for its health", lambda: self._api.GET("/health"))
        if not isinstance(data, dict) or "database" not in data:
            raise GrafanaError(
                f"{self.url}: is not a Grafana (give its address, with the path under which it is "
                f"served)",
                self._code,
            )
        version = data.get("version") or self._version_when_hidden()
        number = re.match(r"(\d+)\.(\d+)", version)
        # a version that is not a number, such as a build of one's own, is let through
        if number and (int(number[1]), int(number[2])) < OLDEST:
            raise GrafanaError(
                f"{self.url}: Grafana {version} is too old (twin needs {OLDEST[0]}.{OLDEST[1]} or "
                f"newer)",
                self._code,
            )
        return version or "of an unknown version"

    def _version_when_hidden(self) -> str:
        """The version for those who are logged in, where the health call hides it
        (``hide_version``)."""
        data = self._asked("ask for its version", lambda: self._api.GET("/frontend/settings"))
        return str(data.get("buildInfo", {}).get("version", "")) if isinstance(data, dict) else ""

    def folder(self, uid: str) -> dict[str, Any] | None:
        """A folder, or None."""
        return self._found(f"read the folder {uid}", lambda: self._face.folder.get_folder(uid))

    def make_folder(self, uid: str, title: str) -> None:
        """Make a folder that is not there."""
        try:
            self._asked(
                f"make the folder {uid}", lambda: self._face.folder.create_folder(title, uid)
            )
        # 409 as documented, 412 before Grafana 8: another process made it, or the title is taken
        except GrafanaError as error:
            if error.code not in (409, 412) or self.folder(uid) is None:
                raise

    def source(self, uid: str) -> dict[str, Any] | None:
        """A data source, or None."""
        return self._found(
            f"read the data source {uid}",
            lambda: self._api.GET(f"/datasources/uid/{quote(uid, safe='')}"),
            "Admin",
        )

    def make_source(self, source: Mapping[str, Any]) -> None:
        """Make a data source that is not there."""
        self._asked(
            f"make the data source {source['uid']}",
            lambda: self._face.datasource.create_datasource(source),
            "Admin",
        )

    def change_source(self, source: Mapping[str, Any]) -> None:
        """Change a data source. grafana-api can only by numeric id, which is disabled from Grafana
        13.0 on."""
        self._asked(
            f"change the data source {source['uid']}",
            lambda: self._api.PUT(
                f"/datasources/uid/{quote(str(source['uid']), safe='')}", json=source
            ),
            "Admin",
        )

    def source_trouble(self, uid: str) -> str:
        """What Grafana says if it cannot reach the database behind a data source, else nothing."""
        try:
            self._asked(
                f"try the data source {uid}",
                lambda: self._api.GET(f"/datasources/uid/{quote(uid, safe='')}/health"),
            )
        except GrafanaError as error:
            return str(error)
        return ""

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """A dashboard and its ``meta``, or None."""
        return self._found(
            f"read the dashboard {uid}",
            lambda: self._face.dashboard.get_dashboard(quote(uid, safe="")),
        )

    def dashboard_message(self, uid: str) -> str:
        """The message with which the newest version of a dashboard was saved. A list in older
        Grafanas, ``versions`` of an object now."""
        data: Any = self._found(
            f"read the versions of {uid}",
            lambda: self._api.GET(f"/dashboards/uid/{quote(uid, safe='')}/versions?limit=5"),
        )
        versions = data if isinstance(data, list) else (data or {}).get("versions", [])
        return (
            str(max(versions, key=lambda each: each.get("version", 0)).get("message", ""))
            if versions
            else ""
        )

    def save_dashboard(self, dashboard: Mapping[str, Any], folder: str, message: str) -> None:
        """Make a dashboard or a new version of it; folderUid, since the numeric folderId is
        deprecated."""
        self._asked(
            f"save the dashboard {dashboard['uid']}",
            lambda: self._face.dashboard.update_dashboard(
                {
                    # found by its uid: numbers differ between Grafanas
                    "dashboard": {**dashboard, "id": None},
                    "folderUid": folder,
                    # also over a change by hand, which Grafana keeps in the history
                    "overwrite": True,
                    "message": message,
                }
            ),
        )

    def annotations(self, tags: Sequence[str]) -> list[dict[str, Any]]:
        """All annotations that have all the tags.

        `get_annotation` of grafana-api does not quote tags, and Grafana gives the newest 100 and no
        next page unless given a limit.
        """
        limit = 1000
        while True:
            query = urlencode(
                [*(("tags", tag) for tag in tags), ("type", "annotation"), ("limit", limit)]
            )
            found = self._asked("read annotations", partial(self._api.GET, f"/annotations?{query}"))
            if not isinstance(found, list):
                raise GrafanaError(
                    f"{self.url}: answers with something else than annotations", self._code
                )
            # as many as asked for may not be all: ask again, for ten times as many
            if len(found) < limit or limit >= MOST:
                return [
                    each
                    for each in found
                    if isinstance(each.get("id"), int) and isinstance(each.get("time"), int)
                ]
            limit *= 10

    def annotate(self, time_ms: int, end_ms: int, text: str, tags: Sequence[str]) -> None:
        """Make an annotation of the whole organisation; `add_annotation` of grafana-api always
        sends a numeric dashboard id."""
        self._asked(
            "make annotations",
            lambda: self._api.POST(
                "/annotations",
                json={"time": time_ms, "timeEnd": end_ms, "text": text, "tags": list(tags)},
            ),
        )

    def unannotate(self, number: int) -> None:
        """Remove an annotation; one that is already gone is no error."""
        self._found(
            "remove annotations", lambda: self._face.annotations.delete_annotations_by_id(number)
        )


def connect(url: str | None) -> Grafana:
    """The Grafana at ``url``, or at GRAFANA_URL, with the token or user that the environment names.
    Raises UsageError."""
    address = url or os.environ.get("GRAFANA_URL")
    if not address:
        raise UsageError(
            "no Grafana was named (give --url or set GRAFANA_URL, such as http://127.0.0.1:3000)"
        )
    token = os.environ.get("GRAFANA_TOKEN", "").strip()
    user, password = os.environ.get("GRAFANA_USER", ""), os.environ.get("GRAFANA_PASSWORD", "")
    if token:
        # requests would print a token that cannot be a header in its error
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise UsageError(
                "GRAFANA_TOKEN: contains a character that no token has (copy it again)"
            )
        return Grafana(address, token)
    if not user or not password:
        raise UsageError(
            f"no token for Grafana (set GRAFANA_TOKEN to one from {TOKEN_FROM}, or GRAFANA_USER "
            f"and GRAFANA_PASSWORD)"
        )
    # as UTF-8: requests encodes text as Latin-1, which lacks most characters
    return Grafana(address, (user.encode(), password.encode()))
