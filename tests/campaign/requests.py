"""Requests that are nearly right, thrown at the live page and the metrics endpoint of a run.

The run is real, and stands at its first day. An input is the bytes of one request, with ``{host}``
and ``{token}`` where those of the run go, so that the same seed draws the same inputs. Each has a
connection of its own, whose writing side is closed where no answer came at once: a server that waits
for more learns that there is none.

Wrong are: a status of the server's own faults (5xx), an answer that is no HTTP, one that says more
than files of the page without the token or under another host, none within `WAITS_S` where the
request was whole, a run that ended, or one that reports a bug.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.campaign import live, mailed, mutate
from tests.campaign.live import Run, running
from tests.campaign.questions import Target

FOLDER = "served"
WAITS_S, AT_ONCE_S = 15.0, 0.25
"""Longest that an answer may take, and when a request that has none is ended."""
INTERIM = b"HTTP/1.1 100 (Continue)\r\n\r\n"
"""Comes first where it was asked for."""
PATHS = (
    *("/", "/live.js", "/live.css", "/run", "/levers", "/face?creators=&consumers=", "/world"),
    *("/stream", "/chapter/opinions", "/readings/opinions?since=3", "/command", "/open/abc"),
    *("/report/abc", "/report/abc/b", "/metrics", "/-/healthy", "/nothing", "/../run", "//run"),
    *("/%2e%2e/%2e%2e/etc/passwd", "/live.js/../../run", "/chapter/..%2f..%2frun", "*", "run", ""),
    *(
        "/readings/x?since=-1",
        "/run?" + "a" * 5000,
        "/\u00e9",
        "/%00",
        "/%",
        "http://a.example/run",
    ),
)
METHODS = (*9 * ("GET",), *6 * ("POST",), "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get")
ODD_METHODS = ("", "G" * 3000, "CONNECT", "GET GET", "\x00", "PRI")
HOSTS = ("a.example", "127.0.0.1", "localhost", "", "{host}.a.example", "{host}\x00", "0.0.0.0")
TOKENS = (
    "Bearer ",
    "Bearer x",
    "bearer {token}",
    "Basic eDp5",
    "Bearer {token}x",
    "\u00e9",
    "{token}",
)
MORE = (
    *("Origin: http://{host}", "Origin: http://a.example", "Origin: null"),
    *("Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin", "Connection: close"),
    *("Accept: application/openmetrics-text", "Accept: */*;q=nan", "Accept-Encoding: gzip;q=1"),
    *("Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue"),
    *("Content-Length: 0", "Content-Length: -1", "Content-Length: 99999999", "Content-Length: 1,2"),
    *(
        "Upgrade: websocket",
        "Range: bytes=0-1",
        "Range: bytes=9-1",
        "If-None-Match: *",
        "Cookie: a",
    ),
    *("X-Long: " + "x" * 9000, "X-Longer: " + "x" * 30_000, ": empty", "no colon", " folded: yes"),
    *("Host: {host}", "Host: a.example", "Content-Type: text/plain", "X-Forwarded-Host: {host}"),
)
KNOWN = {200, 303, 304, 400, 401, 403, 404, 405, 411, 413, 414, 415, 417, 429, 431}
"""Statuses that an answer may have."""
WHOLE = re.compile(rb"^HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


def draw(draw: random.Random) -> str:
    """A request to the page or, where its first line says so, to the endpoint."""
    to = draw.choice(["page", "page", "page", "metrics"])
    method = draw.choice(METHODS if draw.random() < 0.95 else ODD_METHODS)
    path, body = draw.choice(PATHS), ""
    headers = [f"Host: {'{host}' if draw.random() < 0.9 else draw.choice(HOSTS)}"]
    if draw.random() < 0.8:
        token = "Bearer {token}" if draw.random() < 0.85 else draw.choice(TOKENS)
        headers.append(f"Authorization: {token}")
    if method == "POST" and draw.random() < 0.8:
        path, body = "/command", _command(draw)
        headers += ["Origin: http://{host}", "Content-Type: application/json"]
        headers.append(f"Content-Length: {len(body.encode('utf-8', 'surrogatepass'))}")
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        headers.insert(draw.randrange(len(headers) + 1), draw.choice(MORE))
    version = "HTTP/1.1" if draw.random() < 0.95 else draw.choice(["HTTP/1.0", "HTTP/9", "", "x"])
    text = "\r\n".join([f"{method} {path} {version}", *headers, "", body])
    for _ in range(draw.choice([0, 0, 0, 0, 1, 2])):
        text = mutate.garbled(draw, text)
    return f"{to}\n{text}"


def _command(draw: random.Random) -> str:
    """A command of the page. Branches and comparisons, which begin processes, are those that are
    refused: the same checks see them in the mailbox."""
    tree = dict(draw.choice([one for one in mailed.GOOD if one["do"] != "fork"]))
    if draw.random() < 0.3:
        tree = {"do": draw.choice(["compare", "stop", "go"]), "worlds": 1, "branch": "x"}
    if tree["do"] == "pace":
        # a run that hurries is over soon, and the next takes seconds to begin
        tree["days_per_second"] = draw.choice([0.0003, 0.001, 0, -1, "x"])
    if tree["do"] == "intervene":
        form = {"lever": draw.choice(mutate.PATHS), "value": draw.choice(mutate.SCALARS)}
        tree = {"do": "intervene", "form": form, "at": draw.choice(["", "1d", "2025-01-02", "x"])}
    for _ in range(draw.randrange(3)):
        key = draw.choice([*tree, "policy", "file", "yaml", "at", "x"])
        tree[key] = draw.choice([*mutate.SCALARS, *mutate.COLLECTIONS])
    if tree.get("do") == "fork":
        tree["do"] = "branch"
    return json.dumps(tree, default=str)


_standing: dict[Path, tuple[ExitStack, Run, Target]] = {}
"""The run of a campaign, by its folder."""


def call(folder: Path, text: str) -> None:
    """Send a request; print what came, as the command line does: status 2 for what was refused."""
    _, run, target = _standing[folder]
    to, _, request = text.partition("\n")
    port = target.endpoint if to == "metrics" else target.page
    host, token = f"127.0.0.1:{port}", target.token
    raw = request.replace("{host}", host).replace("{token}", token)
    answer = _answer(port, raw.encode("utf-8", "surrogatepass"))
    wrong, ended = run.faults(), run.process.poll()
    if wrong or ended is not None:
        end(folder)
    # one whose pace was raised is over some time, and the next input begins another
    if wrong or ended:
        raise AssertionError(wrong[0] if wrong else f"the run ended with status {ended}")
    status = _judged(to, raw, answer, host, token)
    if status in (200, 303):
        print(status)
        return
    print(f"error: {status or 'closed'}", file=sys.stderr)
    sys.exit(2)


def _answer(port: int, request: bytes) -> bytes:
    """What the server says: a whole answer, or up to the first message of a stream, or until it
    closes."""
    found = b""
    with socket.create_connection(("127.0.0.1", port)) as line:
        try:
            line.sendall(request)
            line.settimeout(AT_ONCE_S)
            while not _complete(found, request):
                try:
                    more = line.recv(65536)
                except TimeoutError:
                    if line.gettimeout() == WAITS_S:
                        raise AssertionError(f"no end of an answer in {WAITS_S:g} s") from None
                    line.settimeout(WAITS_S)
                    line.shutdown(socket.SHUT_WR)
                    continue
                if not more:
                    break
                found += more
        except ConnectionError:
            pass  # refused while it was still being sent: what came before counts
    return found


def _complete(found: bytes, request: bytes) -> bool:
    """Whether that is the end of an answer."""
    found = found.removeprefix(INTERIM)
    whole = WHOLE.match(found)
    if not whole:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", b"\r\n" + whole[2])
    if length is None:
        return b"x-ndjson" in whole[2] and b"\n" in found[whole.end() :]
    return request.startswith(b"HEAD ") or len(found) - whole.end() >= int(length[1])


def _judged(to: str, request: str, answer: bytes, host: str, token: str) -> int:
    """The status of an answer, 0 for none; raises AssertionError for one that is wrong."""
    answer = answer.removeprefix(INTERIM)
    if not answer:
        return 0
    whole = WHOLE.match(answer)
    if not whole:
        raise AssertionError(f"an answer that is no HTTP: {answer[:40]!r}")
    status, headers = int(whole[1]), whole[2].lower()
    if status not in KNOWN:
        raise AssertionError(f"status {status}")
    open_kinds = (b"text/html", b"text/javascript", b"text/css", b"image/svg+xml")
    files_alone = any(b"content-type: " + kind in headers for kind in open_kinds)
    known = f"Bearer {token}" in request and host in request
    if to != "metrics" and status == 200 and not files_alone and not known:
        raise AssertionError("an answer to somebody without the token")
    if token.encode() in answer:
        raise AssertionError("an answer with the token")
    return status


def begin(folder: Path, text: str) -> None:
    """Begin the run where there is none: before an input's time is taken."""
    if folder in _standing:
        return
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    # a day an hour: it stands, as far as requests can see
    command = [*live.begin(("duration=400d",)), "--pace", "0.0003"]
    stack = ExitStack()
    run = stack.enter_context(running(place, [*command, "--live", "--metrics", ":0"]))
    _standing[folder] = stack, run, run.target()


def end(folder: Path) -> None:
    """The run is over."""
    if folder in _standing:
        _standing.pop(folder)[0].close()
