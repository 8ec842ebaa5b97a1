"""What a live run is asked that it should not answer as it is asked: hosts of others, paths out of the
page, other methods, commands of other sites, headers beyond measure; and what may be answered."""

from __future__ import annotations

from dataclasses import dataclass

CLOSED = 0
"""In place of a status: the connection was closed without an answer."""


@dataclass
class Target:
    """A live run: ports of its page and of its endpoint, and the page's token."""

    page: int
    endpoint: int
    token: str


def request(port: int, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
    """A request; names of headers with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"Host": f"127.0.0.1:{port}", **named}
    if body or method == "POST":
        lines.setdefault("Content-Length", str(len(body)))
    text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{text}\r\n".encode("latin-1") + body


@dataclass(frozen=True)
class Question:
    """What should not be answered as it asks; ``allowed`` are the statuses of a refusal."""

    kind: str
    page: bool
    sent: bytes
    allowed: frozenset[int]


PATHS = (
    *("/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/live.js/../run"),
    *("/report/x/../../manifest.json", "/report/%2e%2e/%2e%2e", "/chapter/..%2f..%2fmanifest.json"),
    *(
        "/.git/config",
        "/live.js%00.css",
        "/static/../manifest.json",
        "/open/" + "a" * 64,
        "/\\..\\x",
    ),
    *(
        "/metrics/../manifest.json",
        "/" + "a" * 9000,
        "/?" + "a=b&" * 2000,
        "http://evil.example/run",
    ),
)
HOSTS = ("evil.example", "127.0.0.1.evil.example", "localhost.evil:80", "10.0.0.7", "")


def questions(target: Target) -> list[Question]:
    """Hosts of others, paths out of the page, other methods, commands of other sites, headers
    beyond measure."""
    page, metrics, bearer = target.page, target.endpoint, f"Bearer {target.token}"
    found: list[Question] = []

    def add(kind: str, here: bool, sent: bytes, *allowed: int) -> None:
        found.append(Question(kind, here, sent, frozenset(allowed)))

    for host in HOSTS:
        add("other host", True, request(page, "/run", Host=host, Authorization=bearer), 403, 400)
        add("other host", False, request(metrics, "/metrics", Host=host), 403, 400)
    for path in PATHS:
        # the front page has no secrets, whatever is behind its question mark
        fine = (200,) if path.startswith("/?") else ()
        add("path", True, request(page, path), *fine, *(400, 401, 403, 404, CLOSED))
        add("path", False, request(metrics, path), *fine, *(400, 403, 404, CLOSED))
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH", "GET\tx"):
        sent = request(page, "/run", method, Authorization=bearer)
        add("method", True, sent, *(400, 405, CLOSED))
        add("method", False, request(metrics, "/metrics", method), *(400, 405, CLOSED))
    pause = b'{"do": "pause"}'
    good = {"Authorization": bearer, "Content_Type": "application/json"}
    for more in (
        {**good, "Origin": "http://evil.example"},
        {**good, "Origin": "null"},
        good,
        {**good, "Origin": f"http://127.0.0.1:{page}", "Sec_Fetch_Site": "cross-site"},
        {**good, "Origin": f"http://127.0.0.1:{page}", "Content_Type": "text/plain"},
        {**good, "Origin": f"http://127.0.0.1:{page}", "Authorization": "Bearer x"},
    ):
        sent = request(page, "/command", "POST", pause, **more)
        add("command of another site", True, sent, *(401, 403, 415, 429))
    for size in (20_000, 200_000):
        huge = {f"X_{k}": "a" * 1000 for k in range(size // 1000)}
        add("huge header", True, request(page, "/", **huge), 400, 431, CLOSED)
        add("huge header", False, request(metrics, "/metrics", **huge), 400, 431, CLOSED)
    return found
