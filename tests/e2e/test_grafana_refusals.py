"""What can go wrong between twin and a Grafana: one line that says where, why and the mend, and
never the token."""

import json
from pathlib import Path

import pytest

from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN, PROMETHEUS
from twin.ground.errors import TwinError, UsageError
from twin.readers import publish
from twin.readers.grafana import Grafana, connect
from twin.readers.grafana_calls import GrafanaError


def pushed(server: Server, boards: Path) -> list[str]:
    """What a push says."""
    lines: list[str] = []
    publish.push(Grafana(server.url, ADMIN), publish.load(boards), PROMETHEUS, None, lines.append)
    return lines


JSON = {"content-type": "application/json"}
REFUSALS = [
    (
        "GET /folders",
        401,
        b'{"message": "Invalid API key"}',
        "refuses the token, 401 .is it expired, or of another Grafana",
    ),
    (
        "GET /folders",
        403,
        b'{"message": "Permissions needed: folders:read"}',
        "no permission to read the folder twin, 403: .*role Editor",
    ),
    (
        "POST /folders",
        409,
        b'{"message": "exists"}',
        "could not make the folder twin, 409: exists .something of that name",
    ),
    (
        "POST /dashboards",
        412,
        b'{"message": "changed", "status": "version-mismatch"}',
        "412: changed .somebody changed it meanwhile",
    ),
    (
        "POST /dashboards",
        412,
        b'{"message": "x", "status": "name-exists"}',
        "another dashboard of that title is in the folder",
    ),
    (
        "POST /dashboards",
        412,
        b'{"message": "x", "status": "plugin-dashboard"}',
        "belongs to a plugin",
    ),
    (
        "POST /dashboards",
        422,
        b'{"message": "bad schema"}',
        "422: bad schema .was it made for a newer Grafana",
    ),
    ("POST /dashboards", 404, b'{"message": "folder not found"}', "404: folder not found"),
    (
        "POST /dashboards",
        400,
        b'{"message": "Dashboard title cannot be empty"}',
        "400: Dashboard title cannot be empty",
    ),
    ("POST /dashboards", 429, b'{"message": "slow down"}', "429: slow down"),
    (
        "POST /datasources",
        409,
        b'{"message": "same name"}',
        "could not make the data source simprom, 409: same name",
    ),
    (
        "POST /dashboards",
        500,
        b'{"message": "database is locked"}',
        "internal error and could not save .*500: database is locked",
    ),
    (
        "POST /dashboards",
        502,
        b"<html>Bad gateway, a message</html>",
        "502: an answer that is not Grafana's",
    ),
    ("POST /dashboards", 503, b"[1]", "503: an answer that is not Grafana's"),
    ("POST /dashboards", 500, b"7", "500: an answer that is not Grafana's"),
    (
        "GET /health",
        200,
        b"<!DOCTYPE html><title>hello</title>",
        "something else than Grafana's JSON",
    ),
    ("GET /health", 200, b'{"status": "UP"}', "is not a Grafana"),
    ("GET /health", 200, b"", "is not a Grafana"),
    ("GET /health", 404, b"not found", "404: .*is that a Grafana, and served under that path"),
    ("GET /health", 503, b'{"database": "failing"}', "503"),
    ("GET /folders", 200, b"<html>log in</html>", "something else than Grafana's JSON"),
]


@pytest.mark.parametrize(
    ("where", "code", "body", "words"),
    REFUSALS,
    ids=[f"{where}-{code}-{n}" for n, (where, code, *_) in enumerate(REFUSALS)],
)
def test_refusals_say_where_why_and_the_mend(
    server: Server, boards: Path, where: str, code: int, body: bytes, words: str
) -> None:
    """Each is one line with Grafana's address, and not the raw exception of a library."""
    server.contract.faults.append((where, code, body, JSON))
    with pytest.raises(GrafanaError, match=words) as caught:
        pushed(server, boards)
    text = str(caught.value)
    assert (
        text.startswith(server.url)
        and "\n" not in text
        and ADMIN not in text
        and caught.value.code == code
    )


def test_an_older_grafana_is_refused_and_the_oldest_is_not(server: Server, boards: Path) -> None:
    """8.5 cannot do what is needed, 9.0 can; a version that cannot be read is no reason to stop."""
    server.contract.version = "8.5.27"
    with pytest.raises(
        GrafanaError, match=r"Grafana 8\.5\.27 is too old .twin needs 9\.0 or newer"
    ):
        pushed(server, boards)
    for version in ("9.0.0", "10.4.1-pre", "main"):
        server.contract.version = version
        assert pushed(server, boards)[0].endswith(version)


def test_a_redirect_is_not_followed(server: Server, boards: Path) -> None:
    """A redirected POST would arrive as a GET and seem to have gone well: the address that answers
    is named instead."""
    for code in (301, 302, 307, 308):
        server.contract.faults[:] = [
            ("POST /folders", code, b"", {"location": "https://grafana.test/sub/api/folders"})
        ]
        with pytest.raises(
            GrafanaError, match=r"redirects to https://grafana.test/sub .give the address"
        ):
            pushed(server, boards)
    assert [line for line in server.contract.asked if line == "GET /folders"] == []


def test_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, nobody answers in time, no such host, no TLS: each in words that say what to
    look at."""
    monkeypatch.setattr("twin.readers.grafana_calls.PATIENCE_S", 0.2)
    monkeypatch.setenv("NO_PROXY", "*")
    with Server() as server:
        server.contract.lock.acquire()  # it takes calls and does not answer
        try:
            with pytest.raises(GrafanaError, match=r"does not answer within 0\.2 s"):
                Grafana(server.url, ADMIN).health()
        finally:
            server.contract.lock.release()
        with pytest.raises(GrafanaError, match="TLS failed"):
            Grafana(server.url.replace("http:", "https:"), ADMIN).health()
        gone = server.url
    with pytest.raises(GrafanaError, match=r"refuses the connection .is Grafana up"):
        Grafana(gone, ADMIN).health()
    with pytest.raises(GrafanaError, match="there is no such host"):
        Grafana("http://grafana.invalid:3000", ADMIN).health()


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "no Grafana was named"),
        ({"GRAFANA_URL": "http://127.0.0.1:3000"}, "no token for Grafana .set GRAFANA_TOKEN"),
        ({"GRAFANA_URL": "http://127.0.0.1:3000", "GRAFANA_USER": "x"}, "no token for Grafana"),
        (
            {"GRAFANA_URL": "http://127.0.0.1:3000", "GRAFANA_TOKEN": "geheim\r\nX-Evil: 1"},
            "GRAFANA_TOKEN: contains a character",
        ),
        (
            {"GRAFANA_URL": "127.0.0.1:3000", "GRAFANA_TOKEN": "geheim"},
            "is not the address of a Grafana",
        ),
        (
            {"GRAFANA_URL": "ftp://host", "GRAFANA_TOKEN": "geheim"},
            "is not the address of a Grafana",
        ),
        ({"GRAFANA_URL": "http://host:port", "GRAFANA_TOKEN": "geheim"}, "cannot be read"),
        (
            {"GRAFANA_URL": "http://u:geheim@host", "GRAFANA_TOKEN": "x"},
            "contains a user or password .take it out",
        ),
    ],
)
def test_what_the_environment_lacks(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], words: str
) -> None:
    """Each is a usage error in one line that does not show the secret."""
    for name in ("GRAFANA_URL", "GRAFANA_TOKEN", "GRAFANA_USER", "GRAFANA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=words) as caught:
        connect(None)
    assert "geheim" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(
    server: Server, boards: Path
) -> None:
    """And control characters of a server do not reach the terminal."""
    body = json.dumps({"message": f"token {ADMIN} \x1b[2J\nis odd"}).encode()
    server.contract.faults.append(("GET /folders", 400, body, JSON))
    with pytest.raises(GrafanaError) as caught:
        pushed(server, boards)
    assert "token ***" in str(caught.value) and str(caught.value).isprintable()


def test_a_login_a_path_and_an_odd_address_work(
    boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and password with letters of any alphabet, a Grafana under a path, an address that ends
    in /api/ or a slash."""
    monkeypatch.delenv("GRAFANA_TOKEN", raising=False)
    monkeypatch.setenv("GRAFANA_USER", "grace")
    monkeypatch.setenv("GRAFANA_PASSWORD", "pass wörd")
    with Server(prefix="/tools/grafana") as server:
        for ending in ("", "/", "/api", "/api/"):
            lines: list[str] = []
            publish.push(
                connect(server.url + ending), publish.load(boards), PROMETHEUS, None, lines.append
            )
            assert lines[-1] == f"open {server.url}/d/twin-test-a"
        monkeypatch.setenv("GRAFANA_PASSWORD", "wrong")
        with pytest.raises(
            GrafanaError, match=r"refuses the user or password, 401 .set GRAFANA_USER"
        ):
            connect(server.url).annotations(["twin"])


def test_a_token_in_the_open_is_warned_of() -> None:
    """Plain http is no trouble on this machine; to any other host the user is told."""
    bare = {
        url: Grafana(url, "x").bare
        for url in (
            "http://127.0.0.1:3000",
            "http://localhost",
            "http://[::1]:3000",
            "https://10.1.2.3",
            "http://10.1.2.3:3000",
            "http://grafana.test",
        )
    }
    assert [url for url, warned in bare.items() if warned] == [
        "http://10.1.2.3:3000",
        "http://grafana.test",
    ]
    assert "unencrypted" in Grafana("http://10.1.2.3:3000", "x").warning()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "has no dashboards"),
        ("{", "cannot be read"),
        ("[]", "is not a dashboard"),
        ('{"uid": "x"}', "is not a dashboard"),
        (json.dumps({"uid": "x" * 41, "title": "t"}), "at most 40 characters"),
    ],
)
def test_a_folder_without_dashboards(tmp_path: Path, text: str | None, words: str) -> None:
    """What is no dashboard is named before Grafana is asked anything."""
    if text is not None:
        (tmp_path / "a.json").write_text(text)
    with pytest.raises(TwinError, match=words):
        publish.load(tmp_path)
