"""What the lock's packages are known to suffer from: pip-audit's answer, read."""

import json
from pathlib import Path

import pytest

from tests import supply


def test_what_could_not_be_audited_is_no_success(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A known vulnerability has status 1, a package of which nothing was to be learnt 3, and an
    answer that is none says so; pip-audit is asked as a command."""
    vulnerable = {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}
    sound = {"name": "b", "version": "3", "vulns": []}
    unknown = {"name": "c", "skip_reason": "not found on PyPI"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert supply.main(["audit"]) == 2 and "pip install pip-audit" in capsys.readouterr().err
    for listed, status, said in (
        ([vulnerable, sound], 1, "a 1: X-1 (mended in: 2)\n2 packages audited, 1 known"),
        ([sound], 0, "1 packages audited, 0 known"),
        ([sound, unknown], 3, "NOT AUDITED, as PyPI's data could not be reached: 1 packages"),
        (None, 3, "pip-audit gave no answer: no network"),
    ):
        script = tmp_path / "pip-audit"
        answer = json.dumps({"dependencies": listed}) if listed else "no network"
        stream = ">&2" if listed is None else ""
        script.write_text(f"#!/bin/sh\n/bin/cat {stream} <<'END'\n{answer}\nEND\n")
        script.chmod(0o755)
        assert supply.main(["audit"]) == status
        printed = capsys.readouterr()
        assert said in printed.out + printed.err
