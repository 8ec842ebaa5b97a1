"""Dashboards and annotations in Grafana: against a real one where GRAFANA_URL and GRAFANA_TOKEN
name it, and always against a server that answers as Grafana's documented HTTP API says
(`grafana_contract`)."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import PATIENCE_S, ROOT
from tests.e2e.conftest import DASHBOARD
from tests.e2e.grafana_contract import Contract, Server
from tests.e2e.grafana_place import ADMIN, EDITOR, PROMETHEUS, VIEWER, Place
from twin.ground.errors import UsageError
from twin.readers import annotations, publish
from twin.readers.grafana import Grafana
from twin.readers.grafana_calls import GrafanaError
from twin.record.names import identity
from twin.record.results import Recorder, load_events, load_manifest

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
DAY_MS = 86_400_000
BEGAN_MS = round(START.timestamp() * 1000)


def made(
    folder: Path,
    marks: list[tuple[int, str, str]],
    run_id: str = "test-run-1",
    branch: str = "main",
    **more: Any,
) -> Path:
    """A run folder with these marks: (day, kind, text)."""
    folder.mkdir()
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "run_id": run_id,
                "branch": branch,
                "replicate": 0,
                "name": "test",
                "metrics": [],
                "start": "2025-01-01",
                "duration_s": 365 * 86400,
                "status": "done",
                **more,
            }
        )
    )
    recorder = Recorder(folder, START.date(), [])
    for day, kind, text in marks:
        recorder.mark(day * 86400, kind, text)
    recorder.flush(365 * 86400)
    recorder.finish()
    return folder


MARKS = [
    (30, "policy", "chronological: recommender.preset -> chronological"),
    (45, "policy", "rules: x -> 1 over 14d (when a < 0.85)"),
    (60, "policy", "chronological: ended"),
    (70, "retrain", "trained on 1000 impressions"),
    (75, "campaign", "begun: 5 accounts"),
    (80, "migration", "begun: dim 32 -> dim 64"),
    (87, "migration", "cut over: dim 64 serves"),
    (90, "campaign", "ended: called off"),
]


# push


def test_push_makes_everything_and_a_second_push_changes_nothing(
    place: Place, boards: Path
) -> None:
    """Folder, data source and dashboards are where they belong; the second push says unchanged of
    each and writes nothing."""
    given = () if place.contract is None else ("--prometheus", PROMETHEUS)
    first = place.twin("grafana", "push", "--dashboards", boards, *given).stdout.splitlines()
    assert first[-2:] == ["2 dashboards: 2 created", f"open {place.url}/d/twin-test-a"]
    assert place.get("/folders/twin")["title"] == "twin"
    source = place.get("/datasources/uid/simprom")
    assert source["type"] == "prometheus" and source["access"] == "proxy"
    if place.contract:
        assert source["url"] == PROMETHEUS
        assert source["jsonData"] == {
            "timeInterval": "1h",
            "httpMethod": "POST",
            "prometheusType": "Prometheus",
        }
    for uid, title in (("twin-test-a", "Test: two sides"), ("twin-test-b", "Test: policy")):
        there = place.get(f"/dashboards/uid/{uid}")
        assert there["dashboard"]["title"] == title and there["meta"]["folderUid"] == "twin"
    before = len(place.contract.changes()) if place.contract else 0
    second = place.twin("grafana", "push", "--dashboards", boards, *given).stdout
    assert second.count(": unchanged") == 4 and "2 dashboards: 2 unchanged" in second
    assert place.contract is None or len(place.contract.changes()) == before


def test_push_replaces_what_was_changed_on_either_side(place: Place, boards: Path) -> None:
    """A dashboard that twin or a person changed is saved anew; the other one is not touched."""
    given = () if place.contract is None else ("--prometheus", PROMETHEUS)
    place.twin("grafana", "push", "--dashboards", boards, *given)
    theirs = {
        "dashboard": {**place.get("/dashboards/uid/twin-test-a")["dashboard"], "title": "Mine"},
        "folderUid": "twin",
        "overwrite": True,
        "message": "by hand",
    }
    requests.post(
        f"{place.url}/api/dashboards/db",
        json=theirs,
        headers={"Authorization": f"Bearer {place.token}"},
        timeout=PATIENCE_S,
    ).raise_for_status()
    assert "two sides: replaced" in place.twin("grafana", "push", "--dashboards", boards).stdout
    assert place.get("/dashboards/uid/twin-test-a")["dashboard"]["title"] == "Test: two sides"
    (boards / "b.json").write_text(
        json.dumps({**DASHBOARD, "uid": "twin-test-b", "title": "Test: policies"})
    )
    assert (
        "2 dashboards: 1 unchanged, 1 replaced"
        in place.twin("grafana", "push", "--dashboards", boards).stdout
    )
    assert place.get("/dashboards/uid/twin-test-b")["dashboard"]["title"] == "Test: policies"


def test_push_turns_the_dashboards_to_a_run(place: Place, boards: Path, tmp_path: Path) -> None:
    """They open at the run's dates with the run selected, and so does the address that is
    printed."""
    given = () if place.contract is None else ("--prometheus", PROMETHEUS)
    run = made(tmp_path / "run", [])
    told = place.twin(
        "grafana", "push", "--dashboards", boards, "--run", run, *given
    ).stdout.splitlines()
    assert told[-1] == (
        f"open {place.url}/d/twin-test-a?from={BEGAN_MS}&to={BEGAN_MS + 365 * DAY_MS}&var-run=test-run-1&var-branch=main"
    )
    there = place.get("/dashboards/uid/twin-test-a")["dashboard"]
    assert there["time"] == {"from": "2025-01-01T00:00:00.000Z", "to": "2026-01-01T00:00:00.000Z"}
    assert place.get("/dashboards/uid/twin-test-b")["dashboard"]["time"] == {
        "from": "now-15m",
        "to": "now",
    }  # wall-clock stays
    assert [each["current"]["value"] for each in there["templating"]["list"]] == [
        "test-run-1",
        ["main"],
    ]


def test_the_generated_dashboards_are_pushed_without_a_folder(server: Server) -> None:
    """All that `twin dashboards` writes, from an installed twin too; the first to open is the
    overview."""
    place = Place(server.url, ADMIN, server.contract)
    lines = place.twin("grafana", "push", "--prometheus", PROMETHEUS).stdout.splitlines()
    ours = sorted(path.stem for path in (ROOT / "dashboards").glob("*.json"))
    assert sorted(server.contract.dashboards) == ours
    assert lines[-1] == f"open {server.url}/d/twin-overview"
    again = place.twin("grafana", "push", "--dashboards", ROOT / "dashboards").stdout.splitlines()
    assert again[-2:] == [f"{len(ours)} dashboards: {len(ours)} unchanged", lines[-1]]


def test_a_dry_run_writes_nothing(server: Server, boards: Path) -> None:
    """It says what it would do, reads only, and its next word is the same."""
    place = Place(server.url, ADMIN, server.contract)
    for _ in range(2):
        told = place.twin(
            "grafana", "push", "--dashboards", boards, "--prometheus", PROMETHEUS, "--dry-run"
        ).stdout
        assert told.count(": would be created") == 4 and "2 dashboards: 2 would be created" in told
    assert server.contract.changes() == []


def told(server: Server, boards: Path, prometheus: str | None, token: str = ADMIN) -> list[str]:
    """What a push says."""
    lines: list[str] = []
    publish.push(Grafana(server.url, token), publish.load(boards), prometheus, None, lines.append)
    return lines


def test_the_data_source_keeps_what_others_set(server: Server, boards: Path) -> None:
    """A moved Prometheus is changed in place: its login, name and options stay; a second push finds
    it unchanged."""
    server.contract.make_source(
        {
            "uid": "simprom",
            "name": "Mine",
            "type": "prometheus",
            "access": "proxy",
            "url": "http://old:9090",
            "basicAuth": True,
            "basicAuthUser": "prom",
            "jsonData": {"timeInterval": "5m", "exemplars": 1},
        }
    )
    assert "data source simprom: changed" in told(server, boards, PROMETHEUS)
    source = server.contract.sources["simprom"]
    assert (source["name"], source["url"], source["basicAuthUser"]) == ("Mine", PROMETHEUS, "prom")
    assert source["jsonData"]["timeInterval"] == "1h" and source["jsonData"]["exemplars"] == 1
    assert "data source simprom: unchanged" in told(server, boards, PROMETHEUS)


def test_without_an_address_the_data_source_must_be_there(server: Server, boards: Path) -> None:
    """Missing, or of another type: an error that says how to give it, before anything is saved;
    there: it is left alone."""
    with pytest.raises(UsageError, match=r"no data source simprom .give --prometheus"):
        told(server, boards, None)
    assert server.contract.dashboards == {}
    server.contract.make_source({"uid": "simprom", "name": "x", "type": "loki"})
    with pytest.raises(UsageError, match="of the type loki"):
        told(server, boards, None)
    server.contract.sources["simprom"]["type"] = "prometheus"
    assert "data source simprom: unchanged" in told(server, boards, None)


def test_an_editor_may_push_where_the_data_source_is_there(server: Server, boards: Path) -> None:
    """An Editor may not look at data sources, and is told so; to make one is refused with the role
    it needs."""
    assert "data source simprom: not checked (that needs the role Admin)" in told(
        server, boards, None, EDITOR
    )
    assert set(server.contract.dashboards) == {"twin-test-a", "twin-test-b"}
    with pytest.raises(
        GrafanaError,
        match=r"no permission to read the data source simprom, 403: .*\(it needs the role Admin",
    ):
        told(server, boards, PROMETHEUS, EDITOR)
    with pytest.raises(
        GrafanaError, match=r"no permission to make the folder.*\(it needs the role Editor"
    ):
        told(Server(Contract()).__enter__(), boards, None, VIEWER)


def test_what_files_provision_is_left_alone(server: Server, boards: Path) -> None:
    """A Grafana of `deploy/` has data source and dashboards from files: a push says so and goes
    on."""
    told(server, boards, PROMETHEUS)
    server.contract.sources["simprom"] |= {"readOnly": True, "url": "http://other:9090"}
    server.contract.dashboards["twin-test-a"]["provisioned"] = True
    before = len(server.contract.changes())
    lines = told(server, boards, PROMETHEUS)
    assert (
        "data source simprom: provisioned by a file, left unchanged: its address is http://other:9090"
        in lines
    )
    assert "dashboard Test: two sides: provisioned by a file, left unchanged" in lines
    assert len(server.contract.changes()) == before


def test_a_prometheus_that_grafana_cannot_reach_is_said(server: Server, boards: Path) -> None:
    """The commonest slip, an address that only the user's machine reaches, shows in the line of the
    data source."""
    server.contract.source_health = (
        400,
        {"status": "ERROR", "message": "dial tcp 127.0.0.1:9090: connect: connection refused"},
    )
    line = next(
        line
        for line in told(server, boards, "http://127.0.0.1:9090")
        if line.startswith("data source")
    )
    assert line.startswith("data source simprom: created, but ") and "connection refused" in line


def test_old_and_new_shapes_of_answers(server: Server, boards: Path) -> None:
    """Versions as a list, a folder that exists told by 412, empty bodies, a hidden version: all
    make no difference."""
    contract = server.contract
    contract.versions_as_list = contract.empty = contract.hide_version = True
    contract.folder_exists = 412
    assert told(server, boards, PROMETHEUS)[0] == f"Grafana at {server.url}: 13.2.0"
    assert "2 dashboards: 2 unchanged" in told(server, boards, PROMETHEUS)
    grafana = Grafana(server.url, ADMIN)
    grafana.make_folder("twin", "twin")  # somebody was quicker: it is there, and that was wanted
    grafana.annotate(BEGAN_MS, BEGAN_MS, "x", ["b&c", "a b"])
    assert [each["text"] for each in grafana.annotations(["b&c", "a b"])] == [
        "x"
    ] and grafana.annotations(["b"]) == []
    grafana.unannotate(1)


def test_no_call_is_made_by_a_numeric_id(server: Server, boards: Path, tmp_path: Path) -> None:
    """Grafana 13 has none of them; only annotations have no other name."""
    told(server, boards, PROMETHEUS)
    told(server, boards, "http://other:9090")
    annotated(server, made(tmp_path / "run", MARKS))
    numbered = [
        line
        for line in server.contract.asked
        if any(part.isdigit() for part in line.split("?")[0].split("/"))
    ]
    assert all(line.startswith("DELETE /annotations/") for line in numbered)


# annotate


def annotated(
    server: Server, run: Path, kinds: tuple[str, ...] = annotations.KINDS
) -> annotations.Change:
    """Bring a run's marks to the server."""
    wanted = annotations.from_marks(load_events(run), load_manifest(run), kinds)
    return annotations.bring(
        Grafana(server.url, ADMIN), identity(load_manifest(run)), wanted, kinds
    )


def test_annotations_lie_at_simulated_dates(place: Place, tmp_path: Path) -> None:
    """Milliseconds of simulated time, tags that find them, regions for what ended; the second time
    nothing is done."""
    run = made(tmp_path / "run", MARKS)
    first = place.twin("grafana", "annotate", run).stdout
    assert (
        "4 annotations (policy, migration, campaign), 3 of them with an end: 4 added, 0 removed, 0 "
        "unchanged" in first
    )
    found = place.marks("test-run-1")
    assert [
        ((each["time"] - BEGAN_MS) / DAY_MS, (each["timeEnd"] - BEGAN_MS) / DAY_MS, each["text"])
        for each in found
    ] == [
        (30, 60, "chronological: recommender.preset -> chronological"),
        (45, 45, "rules: x -> 1 over 14d (when a < 0.85)"),
        (75, 90, "campaign begun: 5 accounts; ended: called off"),
        (80, 87, "migration begun: dim 32 -> dim 64; cut over"),
    ]
    assert set(found[0]["tags"]) == {
        "twin",
        "run:test-run-1",
        "branch:main",
        "replicate:0",
        "kind:policy",
    }
    assert not any(each.get("dashboardUID") for each in found)
    assert "0 added, 0 removed, 4 unchanged" in place.twin("grafana", "annotate", run).stdout
    assert place.marks("test-run-1") == found
    assert (
        "1 added, 0 removed, 0 unchanged"
        in place.twin("grafana", "annotate", run, "--kind", "retrain").stdout
    )
    assert len(place.marks("test-run-1")) == 5
    wrong = place.twin("grafana", "annotate", run, "--kind", "retrian", check=False)
    assert wrong.returncode == 2 and "did you mean retrain?" in wrong.stderr


def test_more_marks_than_a_page_holds(place: Place, tmp_path: Path) -> None:
    """Grafana gives 100 unless told otherwise; 250 marks, two of them alike, are still put there
    once."""
    marks = [(day, "policy", f"p{day}: x -> {day}") for day in range(249)]
    run = made(tmp_path / "run", [*marks, marks[-1]])
    assert "250 added, 0 removed, 0 unchanged" in place.twin("grafana", "annotate", run).stdout
    assert "0 added, 0 removed, 250 unchanged" in place.twin("grafana", "annotate", run).stdout
    assert len(place.marks("test-run-1")) == 250


def test_more_marks_than_any_limit(server: Server, tmp_path: Path) -> None:
    """The limit grows until all are seen: 1,100 marks are found again."""
    run = made(
        tmp_path / "run", [(day % 365, "policy", f"p{day}: x -> {day}") for day in range(1100)]
    )
    assert annotated(server, run) == annotations.Change(1100, 0, 0)
    assert annotated(server, run) == annotations.Change(0, 0, 1100)


def test_only_what_is_no_longer_true_is_removed(place: Place, tmp_path: Path) -> None:
    """A mark that the run has no more goes, a doubled one too; another run's, another branch's and
    a person's stay."""
    run = made(tmp_path / "run", MARKS)
    place.twin("grafana", "annotate", made(tmp_path / "other", MARKS[:1], "test-run-2"))
    place.twin("grafana", "annotate", made(tmp_path / "fork", MARKS[:1], branch="fork-1"))
    place.twin("grafana", "annotate", run)
    headers = {"Authorization": f"Bearer {place.token}"}
    mine = ["twin", "run:test-run-1", "branch:main", "replicate:0"]
    for text, tags in (
        ("rules: x -> 1 over 14d (when a < 0.85)", [*mine, "kind:policy"]),
        ("gone: y -> 2", [*mine, "kind:policy"]),
        ("seen by me", mine),
    ):
        body = {"time": BEGAN_MS + 45 * DAY_MS, "text": text, "tags": tags}
        requests.post(
            f"{place.url}/api/annotations", json=body, headers=headers, timeout=PATIENCE_S
        ).raise_for_status()
    assert "0 added, 2 removed, 4 unchanged" in place.twin("grafana", "annotate", run).stdout
    texts = [each["text"] for each in place.marks("test-run-1")]
    assert len(texts) == 6 and "seen by me" in texts and "gone: y -> 2" not in texts
    assert len(place.marks("test-run-2")) == 1


def test_an_unfinished_run_does_not_remove_what_it_may_come_to(
    server: Server, tmp_path: Path
) -> None:
    """What lies after its last mark stays: the process that was killed may have shown it
    already."""
    annotated(server, made(tmp_path / "all", MARKS))
    before = len(server.contract.annotations)
    half = made(tmp_path / "half", MARKS[:4], status="running")
    Place(server.url, ADMIN, server.contract).twin("grafana", "annotate", half)
    assert len(server.contract.annotations) == before


def test_a_branch_shows_what_is_its_own(server: Server, tmp_path: Path) -> None:
    """From the fork on, with the branch's name: dashboards find by the run, whose history its
    parent shows already."""
    annotated(server, made(tmp_path / "run", MARKS))
    fork = made(
        tmp_path / "fork", MARKS, branch="fork-1", parent={"branch": "main", "at_s": 75 * 86400}
    )
    assert annotated(server, fork) == annotations.Change(2, 0, 0)
    texts = [
        each["text"]
        for each in server.contract.annotations.values()
        if "branch:fork-1" in each["tags"]
    ]
    assert texts == [
        "[fork-1] campaign begun: 5 accounts; ended: called off",
        "[fork-1] migration begun: dim 32 -> dim 64; cut over",
    ]
    assert len(server.contract.annotations) == 6


def test_text_of_a_scenario_stays_text() -> None:
    """Grafana takes an annotation for HTML: a tag in a policy's name is shown, not obeyed."""
    evil = "<img src=x onerror=alert(1)></p>: x -> 1 (when a < 0.85)"
    [shown] = annotations.from_marks([(START, "policy", evil)], {"start": "2025-01-01"})
    assert shown.text == "&lt;img src=x onerror=alert(1)>&lt;/p>: x -> 1 (when a < 0.85)"


def test_policies_that_overlap_end_each_on_its_own() -> None:
    """Each end closes the policy of its own name; a policy without a name keeps two points."""
    day = [START + dt.timedelta(days=each) for each in range(6)]
    found = annotations.from_marks(
        [
            (day[0], "policy", "a: x -> 1"),
            (day[1], "policy", "b: y -> 2"),
            (day[2], "policy", "z -> 3"),
            (day[3], "policy", "a: ended"),
            (day[4], "policy", "z=3: ended"),
            (day[5], "policy", "b: ended"),
        ],
        {"start": "2025-01-01"},
    )
    assert [
        ((each.time_ms - BEGAN_MS) // DAY_MS, (each.end_ms - BEGAN_MS) // DAY_MS, each.text)
        for each in found
    ] == [(0, 3, "a: x -> 1"), (1, 5, "b: y -> 2"), (2, 2, "z -> 3"), (4, 4, "z=3: ended")]
