"""A ranker behind HTTP, as a process of its own: ``ranker_server.py PORT MODE TOKEN SINCE``.

It speaks both forms and ranks by age. MODE is how it misbehaves, "" not at all, from behind its
answer number SINCE on; TOKEN is what it wants to be shown, "" nothing. It imports little, and so is
up at once.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

KEYS = {
    "scores": "scores",
    "nan": "scores",
    "number": "scores",
    "item_scores": "item_scores",
    "items": "item_scores",
}
"""What modes answer with in place of ranked lists."""


def answer(asked: dict[str, Any], key: str) -> dict[str, Any]:
    """By age, the newest first; a batch is answered with ``key``."""
    items = asked["items"]
    if "session" in asked:
        born = {item["id"]: item["created_at"] for item in items}
        # sorted is stable: equals stay in the order of candidates
        return {"ranked_ids": sorted(born, key=born.__getitem__, reverse=True)}
    candidates = asked["sessions"]["candidates"]
    rank = {each: k for k, each in enumerate(sorted(set(items["created_at"])))}
    worth = [rank[each] for each in items["created_at"]]
    if key == "item_scores":
        return {key: worth}
    if key == "scores":
        return {key: [[worth[i] for i in one] for one in candidates]}
    return {
        "ranked_ids": [
            [items["id"][i] for i in sorted(one, key=worth.__getitem__, reverse=True)]
            for one in candidates
        ]
    }


def spoilt(mode: str, told: dict[str, Any]) -> bytes:
    """An answer as a broken service would give it."""
    key = next(iter(told))
    # batched: the first session that has posts; single: the one
    first = (
        next((one for one in told[key] if one), []) if isinstance(told[key][0], list) else told[key]
    )
    if mode == "no ids":
        return b'{"ranked": []}'
    if mode == "lost":
        first.pop()
    if mode == "strange":
        first[0] = "12"
    if mode == "empty":
        first[0] = ""
    if mode == "twice":
        first.append(first[0])
    if mode in ("sessions", "items"):
        told[key].pop()
    if mode == "number":
        first[0] = "high"
    if mode == "new":
        told["new_items"] = [{"id": "1", "url": "https://twin.invalid/1"}]
    if mode == "html":
        return b"<!DOCTYPE html><title>Bad gateway</title>" + b" " * 80
    if mode == "list":
        return b"[]"
    if mode == "nan":
        first[0] = float("nan")
    return json.dumps(told).encode() if mode == "nan" else orjson.dumps(told)


class Handler(BaseHTTPRequestHandler):
    """Answers; ``mode`` and ``since`` are the server's."""

    protocol_version = "HTTP/1.1"
    # or the second packet of an answer waits for the first one's receipt, 40 ms
    disable_nagle_algorithm = True
    mode, since, count, token = "", 0, 0, ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = type(self)
        kind.count += 1
        mode = self.mode if self.count > self.since else ""
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            return self.say(401, b"{}")
        if mode == "500":
            return self.say(500, b"{}")
        if mode == "moved":
            return self.say(302, b"{}", Location="/elsewhere")
        if mode == "silent":
            time.sleep(3600)
        told = spoilt(mode, answer(orjson.loads(body), KEYS.get(mode, "ranked_ids")))
        if mode == "half":
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told[: len(told) // 2])
            self.close_connection = True
            return None
        if mode == "drip":
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            for byte in told:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)
            return None
        return self.say(200, told)

    def say(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    port, mode, token, since = sys.argv[1:]
    Handler.mode, Handler.token, Handler.since = mode, token, int(since)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.daemon_threads = True
    # a client that gives up is no error here
    server.handle_error = lambda request, address: None
    server.serve_forever()
