"""The command that writes and checks dashboards."""

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, twin
from tests.given.boards import FOLDER, MADE, asked
from tests.given.grafana_types import problems

OWN = '''"""Counts cats."""

from twin.world.mechanism import Mechanism
from twin.world.metric import Metric
from twin.world.params import Params


class None_(Params):
    """None."""


class Cats(Mechanism):
    """Cats."""

    name = "cats"
    Params = None_
    metrics = (Metric("cats_seen", "gauge", "cats", "Cats seen.", "consumer", "Cats", labels={"fur": ('"short"', "long")}, good="up",
                      headline=True),)

    def measure(self):
        """Two cats."""
        self.world.board.set_all("cats_seen", [1, 1])
'''


def test_an_own_mechanism_gets_its_panels(tmp_path: Path) -> None:
    """From a scenario: a heading of its own after the known ones, a headline on the overview, the
    scenario's dates."""
    (tmp_path / "cats.py").write_text(OWN)
    (tmp_path / "mine.yaml").write_text(
        f"extends: {ROOT / 'scenarios' / 'base.yaml'}\nname: mine\nstart: 2024-02-01\nduration: "
        f"100d\n"
        "mechanisms: {cats: {class: cats.Cats}, ratings: {enabled: false}}\n"
        "policies:\n  - {name: early, at: 10d, set: {recommender.preset: likes}}\n"
        "  - {name: late, at: 40d, set: {recommender.preset: likes}}\n"
    )
    told = twin("dashboards", "mine.yaml", "--out", "d", cwd=tmp_path).stdout
    assert "8 dashboards, 8 written" in told
    made = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "d").glob("*.json")}
    rows = [panel["title"] for panel in made["twin-consumers"]["panels"] if panel["type"] == "row"]
    assert rows[-1] == "Cats" and "How they rate" not in rows
    assert "twin_cats_seen" in asked(made["twin-overview"]) and "twin_rating_mean" not in asked(
        made["twin-consumers"]
    )
    assert made["twin-overview"]["time"] == {
        "from": "2024-02-01T00:00:00.000Z",
        "to": "2024-05-11T00:00:00.000Z",
    }
    (day,) = [
        each["query"] for each in made["twin-policy"]["templating"]["list"] if each["name"] == "at"
    ]
    assert day == "40"  # the first policy with a whole window before it
    assert all(problems(each) == [] for each in made.values())


def test_the_check_of_the_command_fails_on_what_is_out_of_step(tmp_path: Path) -> None:
    """`twin dashboards --check` is silent about what is right, names what is not, and writes
    nothing."""
    here = [sys.executable, "-m", "twin", "dashboards", "--check", "--out"]
    good = subprocess.run(
        [*here, str(FOLDER)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    bad = subprocess.run(
        [*here, str(tmp_path / "none")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert bad.returncode == 1 and bad.stderr.count("is out of date") == len(MADE)
    assert not (tmp_path / "none").exists()
