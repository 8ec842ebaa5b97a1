"""Annotations in a Grafana that is slow, busy, broken, or lets nobody write: one clear line, nothing
doubled, nothing lost."""

import asyncio
import datetime as dt
import json
from pathlib import Path

import pytest

from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN, EDITOR, VIEWER, Place
from twin.readers.annotations import Annotation, Annotator, Change, bring
from twin.readers.grafana import Grafana
from twin.readers.grafana_calls import GrafanaError
from twin.readers.service import Hub
from twin.record.results import Recorder
from twin.record.watch import RunInfo

START = dt.date(2025, 1, 1)
RUN = {"run_id": "a", "scenario": "a", "branch": "main", "replicate": "0"}
HOUR_MS = 3_600_000
BEGAN_MS = 1_735_689_600_000


def marks(count: int) -> list[Annotation]:
    """So many policies that begin and end."""
    return [
        Annotation(
            BEGAN_MS + k * HOUR_MS, BEGAN_MS + (k + 9) * HOUR_MS, "policy", f"p{k}: x -> {k}"
        )
        for k in range(count)
    ]


def texts(server: Server) -> list[str]:
    """What it shows."""
    return sorted(each["text"] for each in server.contract.annotations.values())


def wanted(count: int) -> list[str]:
    """What it should show."""
    return sorted(each.text for each in marks(count))


def run_folder(folder: Path, count: int) -> Path:
    """A finished run with so many policies that begin and end."""
    folder.mkdir()
    facts = {
        **RUN,
        "name": "a",
        "replicate": 0,
        "metrics": [],
        "start": str(START),
        "duration_s": 365 * 86400,
        "status": "done",
    }
    (folder / "manifest.json").write_text(json.dumps(facts))
    recorder = Recorder(folder, START, [])
    for k in range(count):
        recorder.mark(k * 7200, "policy", f"p{k}: x -> {k}")
        recorder.mark(k * 7200 + 3600, "policy", f"p{k}: ended")
    recorder.flush(365 * 86400)
    recorder.finish()
    return folder


def test_a_thousand_marks_with_an_end_are_there_once(server: Server, tmp_path: Path) -> None:
    """As regions; and the second time nothing is done."""
    place = Place(server.url, EDITOR, server.contract)
    run = run_folder(tmp_path / "run", 1000)
    said = place.twin("grafana", "annotate", run).stdout
    assert "1000 of them with an end: 1000 added, 0 removed, 0 unchanged" in said
    found = server.contract.annotations.values()
    assert all(each["timeEnd"] - each["time"] == HOUR_MS for each in found)
    assert "0 added, 0 removed, 1000 unchanged" in place.twin("grafana", "annotate", run).stdout


def test_a_token_that_may_only_view_is_told_what_it_needs(server: Server, tmp_path: Path) -> None:
    """One line with the role; with the right token all are there."""
    run = run_folder(tmp_path / "run", 3)
    refused = Place(server.url, VIEWER, server.contract).twin(
        "grafana", "annotate", run, check=False
    )
    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 1 and "no permission to make annotations, 403" in line
    assert "it needs the role Editor" in line and "0 of 3 new annotations are there" in line
    assert not texts(server)
    Place(server.url, EDITOR, server.contract).twin("grafana", "annotate", run)
    assert texts(server) == wanted(3)


def test_a_busy_grafana_gets_all_in_one_go(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After, or without: the call is repeated, which was not done. One that stays
    busy is given up, with one line."""
    grafana = Grafana(server.url, ADMIN)
    server.contract.stumbles = (3, 429, {"Retry-After": "0"}, False)
    assert bring(grafana, RUN, marks(40)) == Change(40, 0, 0) and texts(server) == wanted(40)
    monkeypatch.setattr("twin.readers.grafana_calls.PAUSE_S", 0.01)
    server.contract.stumbles = (3, 429, {}, False)
    assert bring(grafana, RUN, marks(50)) == Change(10, 0, 40) and texts(server) == wanted(50)
    monkeypatch.setattr("twin.readers.grafana_calls.PATIENCE_S", 0.1)
    server.contract.stumbles = (1, 429, {}, False)
    with pytest.raises(
        GrafanaError, match=r"is asked too often and could not make .*, 429"
    ) as error:
        bring(grafana, RUN, marks(60))
    assert "0 of 10 new annotations" in str(error.value) and "\n" not in str(error.value)
    server.contract.stumbles = (1, 429, {"Retry-After": "99999"}, False)
    with pytest.raises(GrafanaError, match="429"):
        bring(grafana, RUN, marks(60))


@pytest.mark.parametrize("done", [False, True])
def test_a_broken_grafana_shows_each_mark_once_in_the_end(server: Server, done: bool) -> None:
    """500 and 502 at every fourth call, with what was asked for done or not: each try says how far
    it came, and adds what is missing."""
    grafana = Grafana(server.url, ADMIN)
    server.contract.stumbles = (4, 502 if done else 500, {}, done)
    for _ in range(40):
        try:
            bring(grafana, RUN, marks(20))
        except GrafanaError as error:
            assert error.passing and "has an internal error and could not" in str(error)
            assert " new annotations are there, and the next try adds only" in str(error)
        else:
            break
    assert texts(server) == wanted(20)


def test_a_slow_grafana_shows_each_mark_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does what it was asked to, and answers when nobody listens any more: one line, and the
    next try finds it done."""
    monkeypatch.setattr("twin.readers.grafana_calls.PATIENCE_S", 0.2)
    server.contract.slow_s = 0.4
    with pytest.raises(GrafanaError, match=r"does not answer within 0.2 s .*; 0 of 5 new") as error:
        bring(Grafana(server.url, ADMIN), RUN, marks(5))
    assert error.value.passing and "\n" not in str(error.value)
    server.contract.slow_s = 0.0
    assert bring(Grafana(server.url, ADMIN), RUN, marks(5)) == Change(4, 0, 1)
    assert texts(server) == wanted(5)


@pytest.mark.parametrize("code", [429, 503])
def test_a_run_begins_although_grafana_is_busy(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Too many calls, or trouble there, pass: said once when the run begins; at its end all marks
    are there."""
    monkeypatch.setattr("twin.readers.grafana_calls.PATIENCE_S", 0.5)
    monkeypatch.setenv("GRAFANA_TOKEN", ADMIN)
    service = Annotator(server.url)
    run = run_folder(tmp_path / "run", 4)
    info = RunInfo("a", START, 365 * 86400, 0, [], run, RUN)
    service.hub = Hub(info, lambda text: None)
    service.begin(info)
    server.contract.faults = [("GET /annotations", code, b"", {})]

    async def watch() -> tuple[str, str]:
        said = await service.open()
        server.contract.faults = []
        return said, await service.close(complete=True)

    begin, end = asyncio.run(watch())
    assert f", {code}" in begin and "its annotations follow when Grafana takes them" in begin
    assert "4 annotations are at" in end and texts(server) == wanted(4)
