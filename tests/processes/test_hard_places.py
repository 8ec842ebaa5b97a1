"""Runs where the machine makes it hard: another encoding, folders that cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS, twin

SMALL = f"""
extends: {SCENARIOS / "base.yaml"}
name: small
warm_up: 0d
duration: 1h
policies: []
mechanisms: {{audience: {{initial: 60}}, creators: {{human: {{initial: 10}}, ai: {{initial: 2}}}}}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario of an hour."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_a_run_in_ascii(small: Path, tmp_path: Path) -> None:
    """`LC_ALL=C` without Python's UTF-8 mode: the report has characters that ASCII lacks, as has
    the scenario."""
    small.write_text(SMALL.replace("name: small", "name: K\u00f6ln \u2588"), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = twin("run", small, cwd=tmp_path, **plain)
    assert "done: K\\xf6ln" in done.stdout and not done.stderr
    for name in ("scenario.yaml", "report.html"):
        assert "K\u00f6ln" in (tmp_path / "runs" / "K-ln---1" / name).read_text(encoding="utf-8")
