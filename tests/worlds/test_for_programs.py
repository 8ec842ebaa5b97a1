"""What `--json` prints: a check, and the end of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SCENARIOS
from twin import cli
from twin.scenario.describe import digest
from twin.scenario.loading import load

SMALL = f"""
extends: {SCENARIOS / "base.yaml"}
name: small
warm_up: 0d
duration: 2h
policies: []
mechanisms:
  audience: {{initial: 60}}
  creators: {{human: {{initial: 10}}, ai: {{initial: 2}}}}
"""


def test_a_check_and_a_run_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, of a run the last."""
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(SMALL, encoding="utf-8")
    cli.main(["check", "x.yaml", "--json"])
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["digest"] == digest(load("x.yaml")) and found["memory_bytes"] > 10**6
    (row,) = [each for each in found["parameters"] if each["path"] == "audience.initial"]
    assert (row["value"], row["origin"]) == ("60", "x.yaml:8")
    for arguments in (["run", "x.yaml", "--out", "run"], ["resume", "run"]):
        cli.main([*arguments, "--quiet", "--json"])
        (line,) = capsys.readouterr().out.splitlines()
        ended = json.loads(line)
        assert ended["status"] == "done" and ended["reached_s"] == 7200 and ended["undone"] == []
        assert (ended["folder"], ended["name"], ended["branch"]) == ("run", "small", "main")


def test_some_settings_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a setting is, and what differs, as one line too."""
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(SMALL, encoding="utf-8")
    cli.main(["check", "x.yaml", "--json", "--explain", "audience.initial", "--diff"])
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["explained"]["audience.initial"][0].startswith("audience.initial = 60")
    (change,) = [each for each in found["changes"] if each["path"] == "audience.initial"]
    assert change["after"] == "60 consumers" and change["before"]
