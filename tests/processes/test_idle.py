"""Commands say what cannot act before they run, and their reports do after."""

import json
from pathlib import Path

from tests.conftest import SCENARIOS, settings
from tests.given.inside import called

BASE = SCENARIOS / "base.yaml"
VAIN = "recommender.tables.post.slots=256,65536"


def test_sweep_says_it_on_the_terminal_and_in_the_report(tmp_path: Path) -> None:
    """Two points that are the same to the last digit are not left without a word."""
    done = called(
        "sweep", BASE, *settings("duration=1d"), "--vary", VAIN, "--out", "out", cwd=tmp_path
    )
    text = (
        "recommender.tables.post.slots: varying it cannot act while recommender.tables.post.kind "
        "is collisionless"
    )
    assert f"warning: {text}" in done.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["remarks"] == [text]
    assert text in (tmp_path / "out" / "report.html").read_text()


def test_run_and_check_say_it(tmp_path: Path) -> None:
    """A run is not refused for a policy after its end, and says so before and after."""
    late = "policies=[{name: late, at: 9d, set: {recommender.slate: 8}}]"
    args = (BASE, *settings("duration=1d"), "--set", late)
    text = "policy late: begins at 9d, after the end of the run (1d), so it is never in effect"
    assert text in called("check", *args, cwd=tmp_path).stdout
    done = called("run", *args, "--quiet", "--out", "out", cwd=tmp_path)
    assert f"warning: --set policies: {text}" in done.stderr
    assert text in (tmp_path / "out" / "report.html").read_text()
