"""A server that answers as Grafana's documented HTTP API says, for machines on which no Grafana can
be had. It keeps what it is given.

Written from the documentation in github.com/grafana/grafana,
docs/sources/developer-resources/api-reference/http-api (and, for 9 to 12,
docs/sources/developers/http_api): folder.md (409 for a folder that exists; 412 before Grafana 8),
dashboard.md (412 with its ``status``), dashboard_versions.md, data_source.md, annotations.md
(milliseconds, at most 100 unless a limit is given, tags are joined by AND), other.md (health);
grafana.com/whats-new/2026-04-14-deprecated-data-source-apis-disabled-by-default (no numeric ids
from 13.0 on); administration/roles-and-permissions (Editor for folders, dashboards and annotations,
Admin for data sources). What the documentation leaves open follows the server's own code:
pkg/services/annotations (newest first; a tag is cut into two at its first colons; tags of at most
500 characters; without a time it is now), pkg/api/datasources.go (409 for an older version, 403 for
a read-only one) and pkg/services/dashboards/errors.go (400 for a provisioned dashboard).

It proves that the calls fit that contract, not that a Grafana keeps it.
"""

import base64
import contextlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

RANK = {"Viewer": 0, "Editor": 1, "Admin": 2}
TAGS_LENGTH = 500
SCHEMA = 42
"""The newest dashboard schema it knows: older ones are moved to it when they are stored."""


class Answer(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, body: Any, **headers: str) -> None:
        self.code, self.body, self.headers = code, body, headers


class Contract:
    """The state of one Grafana. What tests may set: everything below."""

    def __init__(self) -> None:
        self.version, self.hide_version, self.database = "13.2.0", False, "ok"
        self.tokens = {
            "glsa_admin_1": "Admin",
            "glsa_editor_1": "Editor",
            "glsa_viewer_1": "Viewer",
        }
        self.users = {("grace", "pass wörd"): "Admin"}
        self.folder_exists = 409
        self.empty = False
        """Whether calls that change something answer with an empty body."""
        self.versions_as_list = False
        self.source_health: tuple[int, dict[str, Any]] = (
            200,
            {"status": "OK", "message": "Successfully queried the Prometheus API."},
        )
        self.faults: list[tuple[str, int, bytes, dict[str, str]]] = []
        """What is answered instead: a pattern for 'METHOD /api/path', status, body, headers."""
        self.stumbles: tuple[int, int, dict[str, str], bool] | None = None
        """Every so manieth change is answered with this status and these headers instead; whether
        it was done all the same."""
        self.slow_s = 0.0
        """How long the answer to a change takes, which is done at once."""
        self.folders: dict[str, dict[str, Any]] = {}
        self.sources: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []
        """Every request: 'METHOD /api/path?query'."""
        self.lock = threading.RLock()
        self.number = 0

    def changes(self) -> list[str]:
        """The requests that were no reading."""
        return [line for line in self.asked if not line.startswith("GET ")]

    def next(self) -> int:
        self.number += 1
        return self.number

    def role(self, authorization: str) -> int:
        kind, _, secret = authorization.partition(" ")
        if kind == "Bearer" and secret in self.tokens:
            return RANK[self.tokens[secret]]
        if kind == "Basic":
            user, _, password = base64.b64decode(secret).decode().partition(":")
            if (user, password) in self.users:
                return RANK[self.users[user, password]]
        raise Answer(401, {"message": "Invalid API key" if kind == "Bearer" else "Unauthorized"})

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: Any, authorization: str
    ) -> Any:
        """What a call gives; raises Answer for anything but 200."""
        if (method, path) == ("GET", "/health"):
            shown = {} if self.hide_version else {"commit": "087143285", "version": self.version}
            data = {"database": self.database, **shown}
            if self.database != "ok":
                raise Answer(503, data)
            return data
        role = self.role(authorization)
        for pattern, name, least, action in ROUTES:
            match = re.fullmatch(pattern, f"{method} {path}")
            if match:
                if role < RANK[least]:
                    raise Answer(
                        403,
                        {
                            "accessErrorId": "ACE0123456789",
                            "title": "Access denied",
                            "message": f"You'll need additional permissions to perform this "
                            f"action. Permissions needed: {action}",
                        },
                    )
                found = getattr(self, name)(*map(unquote, match.groups()), query=query, body=body)
                return None if self.empty and method != "GET" else found
        raise Answer(404, {"message": "Not found"})

    def settings(self, **_: Any) -> Any:
        return {"buildInfo": {"version": self.version, "commit": "087143285"}}

    # folders

    def folder(self, uid: str, **_: Any) -> Any:
        if uid not in self.folders:
            raise Answer(404, {"message": "folder not found", "status": "not-found"})
        return self.folders[uid]

    def make_folder(self, body: Any, **_: Any) -> Any:
        if not body.get("title"):
            raise Answer(400, {"message": "folder title cannot be empty"})
        uid = body.get("uid") or f"f{self.next()}"
        if uid in self.folders:
            raise Answer(
                self.folder_exists,
                {
                    "message": "the folder has been changed by someone else",
                    "status": "version-mismatch",
                },
            )
        self.folders[uid] = {"id": self.next(), "uid": uid, "title": body["title"], "version": 1}
        return self.folders[uid]

    # data sources

    def source(self, uid: str, **_: Any) -> Any:
        if uid not in self.sources:
            raise Answer(404, {"message": "Data source not found"})
        return self.sources[uid]

    def make_source(self, body: Any, **_: Any) -> Any:
        if not body.get("name") or not body.get("type"):
            raise Answer(400, {"message": "bad request data"})
        uid = body.get("uid") or f"s{self.next()}"
        if uid in self.sources or body["name"] in [each["name"] for each in self.sources.values()]:
            raise Answer(409, {"message": "data source with the same name already exists"})
        self.sources[uid] = {
            "basicAuth": False,
            "isDefault": False,
            "readOnly": False,
            "jsonData": {},
            "secureJsonFields": {},
            **body,
            "uid": uid,
            "id": self.next(),
            "orgId": 1,
            "version": 1,
        }
        return {
            "datasource": self.sources[uid],
            "id": self.sources[uid]["id"],
            "message": "Datasource added",
            "name": body["name"],
        }

    def change_source(self, uid: str, body: Any, **_: Any) -> Any:
        now = self.source(uid)
        if now["readOnly"]:
            raise Answer(403, {"message": "Cannot update read-only data source"})
        if body.get("version") not in (None, 0, now["version"]):
            raise Answer(
                409,
                {
                    "message": "Datasource has already been updated by someone else. Please reload "
                    "and try again"
                },
            )
        fresh = {
            "basicAuth": False,
            "isDefault": False,
            "readOnly": False,
            "jsonData": {},
            "secureJsonFields": now["secureJsonFields"],
        }
        self.sources[uid] = {
            **fresh,
            **body,
            "uid": uid,
            "id": now["id"],
            "orgId": 1,
            "version": now["version"] + 1,
        }
        return {
            "datasource": self.sources[uid],
            "id": now["id"],
            "message": "Datasource updated",
            "name": body["name"],
        }

    def check_source(self, uid: str, **_: Any) -> Any:
        self.source(uid)
        if self.source_health[0] != 200:
            raise Answer(*self.source_health)
        return self.source_health[1]

    # dashboards

    def dashboard(self, uid: str, **_: Any) -> Any:
        kept = self.dashboards.get(uid)
        if kept is None:
            raise Answer(404, {"message": "Dashboard not found"})
        newest = kept["versions"][-1]
        return {
            "dashboard": newest["data"],
            "meta": {
                "folderUid": kept["folder"],
                "provisioned": kept["provisioned"],
                "version": newest["version"],
                "url": f"/d/{uid}/x",
                "canSave": True,
            },
        }

    def versions(self, uid: str, query: dict[str, list[str]], **_: Any) -> Any:
        self.dashboard(uid)
        newest = list(reversed(self.dashboards[uid]["versions"]))[
            : int(query.get("limit", ["1000"])[0])
        ]
        shown = [
            {
                "id": each["version"],
                "uid": uid,
                "version": each["version"],
                "message": each["message"],
            }
            for each in newest
        ]
        return shown if self.versions_as_list else {"continueToken": "", "versions": shown}

    def save_dashboard(self, body: Any, **_: Any) -> Any:
        data = body.get("dashboard") or {}
        if not data.get("title"):
            raise Answer(400, {"message": "Dashboard title cannot be empty"})
        uid = data.get("uid") or f"d{self.next()}"
        if len(uid) > 40:
            raise Answer(400, {"message": "uid too long, max 40 characters"})
        folder, overwrite = body.get("folderUid") or "", bool(body.get("overwrite"))
        if folder and folder not in self.folders:
            raise Answer(404, {"message": "folder not found", "status": "not-found"})
        if data.get("schemaVersion", 0) > SCHEMA:
            raise Answer(422, {"message": f"schemaVersion {data['schemaVersion']} is not known"})
        kept = self.dashboards.get(uid)
        if kept and kept["provisioned"]:
            raise Answer(400, {"message": "Cannot save provisioned dashboard"})
        if kept and kept["plugin"]:
            raise Answer(
                412,
                {
                    "message": f"The dashboard belongs to plugin {kept['plugin']}",
                    "status": "plugin-dashboard",
                },
            )
        if kept and not overwrite and not data.get("id"):
            raise Answer(
                412,
                {
                    "message": "A dashboard with the same uid already exists",
                    "status": "name-exists",
                },
            )
        if kept and not overwrite and data.get("version") != kept["versions"][-1]["version"]:
            raise Answer(
                412,
                {
                    "message": "The dashboard has been changed by someone else",
                    "status": "version-mismatch",
                },
            )
        if not kept:
            kept = self.dashboards[uid] = {
                "id": self.next(),
                "provisioned": False,
                "plugin": "",
                "versions": [],
            }
        version = len(kept["versions"]) + 1
        kept["folder"] = folder
        kept["versions"].append(
            {
                "version": version,
                "message": body.get("message", ""),
                "data": {
                    **data,
                    "id": kept["id"],
                    "uid": uid,
                    "version": version,
                    "schemaVersion": SCHEMA,
                    "fiscalYearStartMonth": 0,
                },
            }
        )
        return {
            "id": kept["id"],
            "uid": uid,
            "url": f"/d/{uid}/x",
            "status": "success",
            "version": version,
            "slug": "x",
        }

    def remove_dashboard(self, uid: str, **_: Any) -> Any:
        self.dashboard(uid)
        del self.dashboards[uid]
        return {"message": f"Dashboard {uid} deleted", "uid": uid}

    # annotations

    def find(self, query: dict[str, list[str]], **_: Any) -> Any:
        first, last = (int(query.get(name, ["0"])[0]) for name in ("from", "to"))
        limit = int(query.get("limit", ["0"])[0]) or 100
        asked = _pairs(query.get("tags", []))
        every = query.get("matchAny", ["false"])[0] != "true"
        found = []
        for each in self.annotations.values():
            has = _pairs(each["tags"])
            hits = [
                (key, value) in has if value else key in [name for name, _ in has]
                for key, value in asked
            ]
            if asked and not (all(hits) if every else any(hits)):
                continue
            if first > 0 and last > 0 and not (each["time"] <= last and each["timeEnd"] >= first):
                continue
            if query.get("type") == ["alert"]:
                continue
            found.append(each)
        return sorted(found, key=lambda each: (-each["timeEnd"], -each["time"]))[:limit]

    def annotate(self, body: Any, **_: Any) -> Any:
        if not body.get("text"):
            raise Answer(
                400,
                {"message": "Failed to save annotation", "error": "text field should not be empty"},
            )
        tags = [f"{key}:{value}" if value else key for key, value in _pairs(body.get("tags") or [])]
        if len(json.dumps(tags, separators=(",", ":"))) > TAGS_LENGTH:
            raise Answer(400, {"message": "tags length exceeds the maximum allowed"})
        time_ms = body.get("time") or round(time.time() * 1000)
        end_ms = body.get("timeEnd") or time_ms
        number = self.next()
        self.annotations[number] = {
            "id": number,
            "dashboardUID": body.get("dashboardUID") or None,
            "panelId": body.get("panelId", 0),
            "userId": 1,
            "time": min(time_ms, end_ms),
            "timeEnd": max(time_ms, end_ms),
            "text": body["text"],
            "tags": tags,
            "data": {},
        }
        return {"message": "Annotation added", "id": number}

    def unannotate(self, number: str, **_: Any) -> Any:
        if self.annotations.pop(int(number), None) is None:
            raise Answer(404, {"message": "Annotation not found"})
        return {"message": "Annotation deleted"}


def _pairs(tags: list[str]) -> list[tuple[str, str]]:
    """Tags as the server keeps them: name and value, once each."""
    pairs = [tuple(part.strip(" ") for part in [*tag.split(":"), ""][:2]) for tag in tags]
    return list(dict.fromkeys((key, value) for key, value in pairs if key))


UID = r"([^/]+)"
ROUTES = (
    ("GET /frontend/settings", "settings", "Viewer", ""),
    (f"GET /folders/{UID}", "folder", "Viewer", "folders:read"),
    ("POST /folders", "make_folder", "Editor", "folders:create"),
    (f"GET /datasources/uid/{UID}", "source", "Admin", "datasources:read"),
    (f"GET /datasources/uid/{UID}/health", "check_source", "Viewer", "datasources:query"),
    ("POST /datasources", "make_source", "Admin", "datasources:create"),
    (f"PUT /datasources/uid/{UID}", "change_source", "Admin", "datasources:write"),
    (f"GET /dashboards/uid/{UID}", "dashboard", "Viewer", "dashboards:read"),
    (f"GET /dashboards/uid/{UID}/versions", "versions", "Editor", "dashboards:write"),
    (f"DELETE /dashboards/uid/{UID}", "remove_dashboard", "Editor", "dashboards:delete"),
    ("POST /dashboards/db", "save_dashboard", "Editor", "dashboards:create"),
    ("GET /annotations", "find", "Viewer", "annotations:read"),
    ("POST /annotations", "annotate", "Editor", "annotations:create"),
    (r"DELETE /annotations/(\d+)", "unannotate", "Editor", "annotations:delete"),
)
"""What there is; not there: everything by a numeric id, as in Grafana 13."""


class Server:
    """The contract on a port of the loopback, under a path if one is given; a context manager.
    ``port`` 0 is any."""

    def __init__(self, contract: Contract | None = None, prefix: str = "", port: int = 0) -> None:
        self.contract, self.prefix = contract or Contract(), prefix
        self.http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self.contract, prefix))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}{prefix}"

    def __enter__(self) -> "Server":
        threading.Thread(
            target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()


def _handler(contract: Contract, prefix: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # head and body are written apart: each answer would wait 40 ms for the client's word
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            api = f"{prefix}/api"
            with contract.lock:
                line = f"{self.command} {self.path.removeprefix(api)}"
                contract.asked.append(line)
                for pattern, code, body, headers in contract.faults:
                    if re.search(pattern, line):
                        return self.reply(code, body, headers)
                change = self.command != "GET"
                stumbles = contract.stumbles if change else None
                if stumbles and len(contract.changes()) % stumbles[0] == 0:
                    if stumbles[3]:
                        self.found(parts, api, raw)
                    return self.reply(stumbles[1], b"<html>busy", stumbles[2])
                try:
                    if not parts.path.startswith(api + "/"):
                        return self.reply(
                            200,
                            b"<!DOCTYPE html><title>Grafana</title>",
                            {"content-type": "text/html"},
                        )
                    found = self.found(parts, api, raw)
                    time.sleep(contract.slow_s if change else 0)
                    return self.reply(200, b"" if found is None else json.dumps(found).encode(), {})
                except Answer as answer:
                    return self.reply(answer.code, json.dumps(answer.body).encode(), answer.headers)

        def found(self, parts: SplitResult, api: str, raw: bytes) -> Any:
            return contract.answer(
                self.command,
                parts.path.removeprefix(api),
                parse_qs(parts.query),
                json.loads(raw or b"null"),
                self.headers.get("authorization", ""),
            )

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def reply(self, code: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {
                "content-type": "application/json; charset=UTF-8",
                "content-length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            # one who waits no longer has hung up
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
