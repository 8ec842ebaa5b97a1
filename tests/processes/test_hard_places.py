"""Runs where the machine makes it hard: another encoding, folders that cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS, twin

SMALL = f"""
extends: {SCENARIOS / "base.yaml"}
name: small
warm_up: 0d
duration: 6h
policies: []
mechanisms: {{audience: {{initial: 60}}, creators: {{human: {{initial: 10}}, ai: {{initial: 2}}}}}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario of six hours."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_a_run_in_ascii_and_in_utf8_writes_the_same(small: Path, tmp_path: Path) -> None:
    """`LC_ALL=C` without Python's UTF-8 mode, which is also what cp1252 is like: the report has
    characters that the machine's encoding lacks."""
    small.write_text(SMALL.replace("name: small", "name: K\u00f6ln \u2588"), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = twin("run", small, "--out", "ascii", cwd=tmp_path, **plain)
    assert "done: K\\xf6ln" in done.stdout and not done.stderr
    twin("run", small, "--out", "utf8", "--quiet", cwd=tmp_path, LC_ALL="C.UTF-8", PYTHONUTF8="1")
    for name in ("scenario.yaml", "metrics.parquet", "events.parquet"):
        assert (tmp_path / "ascii" / name).read_bytes() == (tmp_path / "utf8" / name).read_bytes()
    assert "K\u00f6ln" in (tmp_path / "ascii" / "report.html").read_text(encoding="utf-8")
