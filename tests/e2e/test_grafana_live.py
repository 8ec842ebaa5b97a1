"""Annotations while a run goes on: as they come, whatever becomes of Grafana or of the run, and
without a trace of the token."""

import asyncio
import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PATIENCE_S, ROOT, settings
from tests.e2e.grafana_contract import Contract, Server
from tests.e2e.grafana_place import ADMIN, CLEAN, Place
from twin.ground.units import DAY
from twin.readers.annotations import Annotator
from twin.readers.service import Hub
from twin.record import mailbox
from twin.record.watch import RunInfo

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
DAY_MS = 86_400_000
BEGAN_MS = round(START.timestamp() * 1000)
POLICIES = (
    "policies=[{name: likes, at: 3d, until: 6d, set: {recommender.preset: likes}}, {name: late, "
    "at: 8d, set: "
    "{audience.counts_shown: false}}]"
)
LIVE = settings(
    "duration=10d", POLICIES, "campaigns.accounts=4", "campaigns.begin=2d", "campaigns.end=5d"
)
SHOWN = [(2, 5, "campaign begun"), (3, 6, "likes"), (8, 8, "late")]


def begun(here: Path, name: str, url: str | None, *more: str) -> subprocess.Popen[str]:
    """A small run in a process of its own."""
    flags = ("--grafana", url) if url else ()
    return started(
        here, "run", str(ROOT / "scenarios" / "base.yaml"), "--out", name, *LIVE, *flags, *more
    )


def started(here: Path, *args: str) -> subprocess.Popen[str]:
    """The command line in a process of its own, with a token."""
    return subprocess.Popen(
        [sys.executable, "-m", "twin", *args],
        cwd=here,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**CLEAN, "GRAFANA_TOKEN": ADMIN},
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    """Let it end; what it said."""
    said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, said
    assert ADMIN not in said
    return said


def shown(contract: Contract) -> list[tuple[int, int, str]]:
    """The annotations in a contract: first and last day, text up to its colon."""
    with contract.lock:
        return sorted(
            (
                (each["time"] - BEGAN_MS) // DAY_MS,
                (each["timeEnd"] - BEGAN_MS) // DAY_MS,
                each["text"].split(":")[0],
            )
            for each in contract.annotations.values()
        )


def until(true: Any, what: str) -> None:
    """Wait for something that is to come."""
    late = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < late, what
        time.sleep(0.02)


def test_marks_come_while_the_run_goes_on(server: Server, tmp_path: Path) -> None:
    """The first are there before the run ends, all at its end, its bytes are those of a run that
    nobody watches, and the token is in no process list, no output and no file."""
    quiet = begun(tmp_path, "quiet", None)
    ended(quiet)
    process = begun(tmp_path, "run", server.url, "--pace", "4")
    until(lambda: shown(server.contract), "no annotation while the run goes on")
    assert process.poll() is None
    seen = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        seen += str(process.args[4]).encode() in line  # type: ignore[index]
        assert ADMIN.encode() not in line
    assert seen >= 1
    said = ended(process)
    assert (
        f"annotations go to Grafana 13.2.0 at {server.url}" in said
        and f"3 annotations are at {server.url}" in said
    )
    assert shown(server.contract) == SHOWN
    for name in ("metrics", "events"):
        assert (tmp_path / "run" / f"{name}.parquet").read_bytes() == (
            tmp_path / "quiet" / f"{name}.parquet"
        ).read_bytes()
    assert not any(
        ADMIN.encode() in path.read_bytes()
        for path in (tmp_path / "run").rglob("*")
        if path.is_file()
    )
    place = Place(server.url, ADMIN, server.contract)
    assert (
        "0 added, 0 removed, 3 unchanged"
        in place.twin("grafana", "annotate", tmp_path / "run").stdout
    )


def test_a_grafana_that_comes_later_gets_every_mark(tmp_path: Path) -> None:
    """Away when the run begins: noted once, and the marks are there when it is back."""
    with Server() as server:
        port = server.http.server_address[1]
    process = begun(tmp_path, "run", server.url, "--pace", "0.5")
    here = tmp_path / "run"
    until(lambda: mailbox.is_open(here), "the run does not begin")

    def ask(what: str, **more: Any) -> dict[str, Any]:
        return mailbox.command(here, {"do": what, **more})

    # the campaign began a day ago, which is two seconds; the rest of the run can wait
    until(lambda: ask("status")["now_s"] >= 3 * DAY, "the run does not move")
    ask("pace", days_per_second=0.05)
    with Server(port=port) as server:
        until(lambda: shown(server.contract), "nothing comes after all")
        assert process.poll() is None
        ask("pace", days_per_second=None)
        said = ended(process)
        assert shown(server.contract) == SHOWN
    assert (
        said.count("refuses the connection") == 1
        and "its annotations follow when Grafana takes them" in said
    )


def test_a_grafana_that_never_comes_costs_the_run_nothing(tmp_path: Path) -> None:
    """The run ends well and says how its marks get there later; then they do."""
    with Server() as server:
        port = server.http.server_address[1]
    # the status of what was asked for and not done
    said = ended(begun(tmp_path, "run", server.url), 3)
    last = said[said.index("not all annotations are in Grafana") :]
    assert f"twin grafana annotate run --url {server.url}" in " ".join(last.split())
    with Server(port=port) as server:
        Place(server.url, ADMIN, server.contract).twin("grafana", "annotate", tmp_path / "run")
        assert shown(server.contract) == SHOWN


def test_a_killed_run_that_is_resumed_shows_each_mark_once(server: Server, tmp_path: Path) -> None:
    """Killed after the first marks; the resumed run comes to them again, and Grafana shows what a
    whole run shows."""
    process = begun(tmp_path, "run", server.url, "--pace", "4")
    until(
        lambda: any(text == "likes" for *_, text in shown(server.contract)),
        "no mark before the kill",
    )
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended(started(tmp_path, "resume", "run", "--grafana", server.url))
    assert shown(server.contract) == SHOWN


def test_a_wrong_token_ends_the_run_before_it_begins(server: Server, tmp_path: Path) -> None:
    """As does a wrong address: a user who asked for annotations learns it at once, in one line."""
    server.contract.tokens.clear()
    assert "refuses the token, 401" in ended(begun(tmp_path, "a", server.url), 1)
    server.contract.version = "8.0.0"
    assert "Grafana 8.0.0 is too old" in ended(begun(tmp_path, "b", server.url), 1)
    assert "is not the address of a Grafana" in ended(begun(tmp_path, "c", "nonsense"), 2)


def test_a_token_in_the_open_is_warned_of_when_the_run_begins(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the line that says where annotations go; taken for another host, since this machine has no
    other."""
    monkeypatch.setattr("twin.readers.grafana_calls._loopback", lambda host: False)
    monkeypatch.setenv("GRAFANA_TOKEN", ADMIN)
    (tmp_path / "manifest.json").write_text('{"start": "2025-01-01"}')
    labels = {"run_id": "a", "scenario": "a", "branch": "main", "replicate": "0"}
    service = Annotator(server.url)
    service.hub = Hub(
        RunInfo("a", dt.date(2025, 1, 1), 86400, 0, [], tmp_path, labels), lambda text: None
    )
    service.begin(service.hub.info)
    line = asyncio.run(service.open())
    assert line.startswith("annotations go to Grafana") and "unencrypted" in line
