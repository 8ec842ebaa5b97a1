"""`twin compare` as users call it: what is exact is exact, what is stopped goes on to the same
bytes, what fails is kept; the report."""

import hashlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import PATIENCE_S, SCENARIOS, settings, twin
from tests.e2e.reports import EVIL, page_of
from tests.given.inside import called
from twin.engine.simulation import Simulation
from twin.experiments.forks import TREATMENTS
from twin.scenario.loading import load

REPLICATES = 3
TABLES = ("results.parquet", "groups.parquet", "course.parquet", "replicates.parquet")
EVIL_FILE = "<img src=x onerror=document.title='owned'>"
COLUMNS = {
    "branch",
    "metric",
    "labels",
    "side",
    "unit",
    "good",
    "headline",
    "base",
    "value",
    "effect",
    "low",
    "high",
    "size",
    "n",
    "p",
    "q",
    "correlation",
    "gain",
    "narrower",
    "runs_saved",
    "appears_s",
}
WORLD = settings("duration=20d", f"description={json.dumps(EVIL)}")


def policies(folder: Path) -> list[str]:
    """Policies: one that sets a lever to its value, one that only chatbots feel, one with hostile
    text, one that never takes
    effect."""
    (folder / "nothing.yaml").write_text("name: nothing\nset: {recommender.ai_factor: 1.0}\n")
    (folder / "forgets.yaml").write_text("name: forgets\nset: {chatbots.memory: false}\n")
    (folder / f"{EVIL_FILE}.yaml").write_text(
        f"name: {json.dumps(EVIL)}\nset: {{recommender.ai_factor: 0.2}}\n"
    )
    (folder / "rare.yaml").write_text(
        "name: rare\nwhen: creator_human_share > 2\nset: {recommender.slate: 2}\n"
    )
    return [
        "--policy",
        "nothing.yaml",
        "--policy",
        "forgets.yaml",
        "--policy",
        f"{EVIL_FILE}.yaml",
        "--policy",
        "nothing.yaml@12d",
        "--policy",
        "rare.yaml",
    ]


def command(folder: Path, out: str) -> list[str]:
    """The comparison of this file."""
    return [
        "compare",
        str(SCENARIOS / "base.yaml"),
        *policies(folder),
        "--at",
        "10d",
        "--replicates",
        str(REPLICATES),
        "--out",
        out,
        *WORLD,
    ]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished comparison in ``out`` and what was said in ``said``."""
    folder = tmp_path_factory.mktemp("compare")
    (folder / "said").write_text(twin(*command(folder, "out"), cwd=folder).stdout)
    return folder


@pytest.fixture(scope="module")
def rows(here: Path) -> list[dict[str, Any]]:
    """The rows of results.parquet."""
    found: list[dict[str, Any]] = pq.read_table(here / "out" / "results.parquet").to_pylist()
    return found


def test_folder_and_columns(here: Path, rows: list[dict[str, Any]]) -> None:
    """The folder holds what the contract says, with a row per branch and outcome."""
    assert {path.name for path in (here / "out").iterdir()} == {
        *TABLES,
        "manifest.json",
        "scenario.yaml",
        "verdicts.json",
        "report.html",
        "runs",
        "policies",
    }
    assert set(rows[0]) == COLUMNS
    manifest = json.loads((here / "out" / "manifest.json").read_text())
    assert (
        manifest["status"] == "done"
        and manifest["command"] == "compare"
        and manifest["failed"] == {}
    )
    branches = ["nothing", "forgets", EVIL_FILE, "nothing at 12d", "rare"]
    assert manifest["took_effect"] == dict(zip(branches, [REPLICATES] * 4 + [0], strict=True))
    board = Simulation(load(here / "out" / "scenario.yaml")).world.board
    by_group = sum(bool(metric.split) for metric, _ in board.rows)
    assert len(rows) == len(branches) * (len(board.rows) - by_group - len(TREATMENTS))
    groups = pq.read_table(here / "out" / "groups.parquet").to_pylist()
    assert len(groups) == len(branches) * by_group > 0
    # a policy that changes nothing changes it for nobody
    still = [row for row in groups if row["branch"] in ("nothing", "rare") and row["n"]]
    assert still and {row["effect"] for row in still} == {0.0}
    assert {row["side"] for row in rows} == {"producer", "consumer", "platform", "chatbot"}
    weekly = pq.read_table(here / "out" / "course.parquet")
    assert len(weekly) == len(rows)  # ten days are one week and what is left
    assert len(pq.read_table(here / "out" / "replicates.parquet")) == 2 * REPLICATES * len(rows)


@pytest.mark.parametrize("name", ["nothing", "nothing at 12d", "rare"])
def test_a_policy_that_changes_nothing_has_exactly_no_effect(
    name: str, here: Path, rows: list[dict[str, Any]]
) -> None:
    """A lever set to the value that it has, at the fork or later, and a condition never met: zero
    on every outcome, bit for bit."""
    mine = [row for row in rows if row["branch"] == name and row["n"]]
    assert len(mine) > 300
    assert all(
        row["effect"] == row["low"] == row["high"] == row["size"] == 0
        for row in mine
        if row["n"] > 1
    )
    assert not any(row["q"] < 0.05 for row in mine)
    board = Simulation(load(here / "out" / "scenario.yaml")).world.board
    seen = [
        place for place, (metric, _) in enumerate(board.rows) if metric.name not in TREATMENTS
    ]  # those say that a policy is in force
    number = 1 + ["nothing", "forgets", EVIL_FILE, "nothing at 12d", "rare"].index(name)
    for replicate in range(REPLICATES):
        base, other = (
            np.load(here / "out" / "runs" / str(replicate) / f"{branch}.npy")
            for branch in (0, number)
        )
        assert base[:, seen].tobytes() == other[:, seen].tobytes()


def test_a_policy_on_a_mechanism_on_which_nothing_depends_leaves_the_rest_alone(
    here: Path, rows: list[dict[str, Any]]
) -> None:
    """Assistants that forget change what happens with assistants, and not one bit of creators,
    consumers and the platform."""
    board = Simulation(load(here / "out" / "scenario.yaml")).world.board
    others = [
        place
        for place, (metric, _) in enumerate(board.rows)
        if metric.side != "chatbot" and metric.name not in TREATMENTS
    ]
    for replicate in range(REPLICATES):
        base, other = (
            np.load(here / "out" / "runs" / str(replicate) / f"{branch}.npy") for branch in (0, 2)
        )
        assert base[:, others].tobytes() == other[:, others].tobytes()
    mine = [row for row in rows if row["branch"] == "forgets" and row["n"] > 1]
    assert all(
        row["effect"] == row["low"] == row["high"] == 0 for row in mine if row["side"] != "chatbot"
    )
    assert any(row["effect"] for row in mine if row["side"] == "chatbot")


def test_effects_are_those_of_the_pairs(here: Path, rows: list[dict[str, Any]]) -> None:
    """Effect and ends of the interval follow from replicates.parquet by hand: mean and t(2) =
    4.30265 sd / sqrt 3."""
    pairs = pq.read_table(here / "out" / "replicates.parquet").to_pylist()
    checked = 0
    for row in rows:
        if row["branch"] == EVIL_FILE and row["headline"]:
            d = np.array(
                [
                    pair["value"] - pair["base"]
                    for pair in pairs
                    if pair["window"] == "last"
                    and (pair["branch"], pair["metric"], pair["labels"])
                    == (row["branch"], row["metric"], row["labels"])
                ]
            )
            half = 4.302652729749464 * d.std(ddof=1) / math.sqrt(3)
            assert row["n"] == 3 and len(d) == 3
            np.testing.assert_allclose(
                [row["effect"], row["low"], row["high"]],
                [d.mean(), d.mean() - half, d.mean() + half],
                rtol=1e-9,
            )
            checked += bool(row["effect"])
    assert checked > 5


def test_the_terminal_tells_both_sides(here: Path) -> None:
    """Headline effects by side with interval, q and verdict; what is untouched; and where the
    report is."""
    said = (here / "said").read_text()
    part = said[said.index(f"{EVIL_FILE}: ") : said.index("nothing at 12d: ")]
    assert re.search(
        r"Creators\n +Posts \(human\) +\S+ -> \S+ .*\[.*\] +q \S+ +(more|less|suggestive|not distinguishable from noise)\n",
        part,
    )
    assert "Consumers\n" in part
    assert said.count("untouched, to the last bit") > 30
    assert "nothing: 0 of 0 series that it touches differ, established beyond noise" in said
    assert said.rstrip().endswith("report: out/report.html")


def test_stopped_comparisons_go_on_to_the_same_bytes(here: Path, tmp_path: Path) -> None:
    """Ctrl-C half-way: status 130 and how to go on; `twin resume`, and the same command again, end
    with the bytes of an undisturbed run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", *command(tmp_path, "stopped")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stdout
    while not re.match(r"[1-9]\d*/21 runs", line := process.stdout.readline()):
        assert line, process.communicate()[1]
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    # two of its branches are made to change nothing, which is said first
    *remarks, error = error.splitlines()
    assert [each.partition(": recommender")[0] for each in remarks] == [
        f"warning: policy {name}: changes nothing" for name in ("nothing", "nothing at 12d")
    ]
    assert "continue with: twin resume stopped" in error
    out = tmp_path / "stopped"
    assert json.loads((out / "manifest.json").read_text())["status"] == "interrupted"
    done = len(list(out.glob("runs/*/*.npy")))
    assert 1 <= done < 21 and not (out / "results.parquet").exists()
    assert (
        "has no results yet (continue with: twin resume stopped)"
        in called("report", "stopped", cwd=tmp_path, check=False).stderr
    )
    for path in tmp_path.glob("*.yaml"):
        path.unlink()  # the folder suffices
    said = called("resume", "stopped", cwd=tmp_path).stdout
    assert "resumes stopped" in said and f"{done}/21 runs" in said
    assert [(out / name).read_bytes() for name in TABLES] == [
        (here / "out" / name).read_bytes() for name in TABLES
    ]
    (out / "results.parquet").unlink()
    twin(*command(tmp_path, "stopped"), "--quiet", cwd=tmp_path)
    assert (out / "results.parquet").read_bytes() == (here / "out" / "results.parquet").read_bytes()


def test_what_an_earlier_version_computed_can_be_reported(here: Path, tmp_path: Path) -> None:
    """A setting that a later version added is not in its file: the report is written again, and
    nothing is computed on. A file that was edited is refused."""
    out = tmp_path / "early"
    shutil.copytree(here / "out", out)
    text = (out / "scenario.yaml").read_text()
    early = re.sub(r"^ +random_share: 0\.0\n", "", text, count=1, flags=re.MULTILINE)
    assert early != text
    (out / "scenario.yaml").write_text(text.replace("random_share: 0.0\n", "random_share: 0.01\n"))
    refused = called("report", "early", cwd=tmp_path, check=False)
    assert refused.returncode == 2 and "of another scenario" in refused.stderr
    (out / "scenario.yaml").write_text(early)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["scenario_digest"] = hashlib.sha256(early.encode()).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest))
    (out / "report.html").unlink()
    called("report", "early", cwd=tmp_path)
    assert (out / "report.html").stat().st_size > 10**5
    refused = called("resume", "early", cwd=tmp_path, check=False)
    assert refused.returncode == 2 and "of another scenario" in refused.stderr


def test_another_command_is_refused_that_folder(here: Path, tmp_path: Path) -> None:
    """Other arguments, another scenario, another text of a policy file: a line that says which,
    status 2, and nothing is changed."""
    before = (here / "out" / "manifest.json").read_bytes()
    same = command(here, "out")
    wrong = {
        "replicates": [*same, "--replicates", "4"],
        "at_s": [*same, "--at", "11d"],
        "policies": [*same, "--policy", "forgets.yaml@13d"],
        "another scenario or other --set": [*same, "--set", "seed=9"],
    }
    for words, args in wrong.items():
        done = called(*args, cwd=here, check=False)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, (
            done.stderr
        )
    (here / "forgets.yaml").write_text("name: forgets\nset: {chatbots.memory: true}\n")
    done = called(*same, cwd=here, check=False)
    policies(here)
    assert done.returncode == 2 and "with other policies (give another --out)" in done.stderr
    assert (here / "out" / "manifest.json").read_bytes() == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    done = called(*command(tmp_path, "full"), cwd=tmp_path, check=False)
    assert done.returncode == 2 and "is not empty and holds no experiment" in done.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--policy", "none.yaml"], "--policy none.yaml: there is no file none.yaml"),
        (["--policy", "wrong.yaml"], "wrong.yaml:1 set.recommender.slat: "),
        (
            ["--policy", "nothing.yaml", "--policy", "nothing.yaml"],
            "two branches would be called 'nothing'",
        ),
        (
            ["--policy", "nothing.yaml", "--at", "30d"],
            "--at 30d: is after the end of the run, which lasts 20d",
        ),
        (
            ["--policy", "nothing.yaml", "--x", "creator_incom{by=human}"],
            "did you mean creator_income{by=human}?",
        ),
        (
            ["--policy", "nothing.yaml", "--y", "creator_morale"],
            "--y creator_morale: is no metric of consumers here",
        ),
        (["--policy", "nothing.yaml", "--on", "moon"], "--on moon: unknown"),
        (["--policy", "nothing.yaml", "--replicates", "1"], "--replicates"),
    ],
)
def test_wrong_usage_is_one_line(args: list[str], words: str, tmp_path: Path) -> None:
    """Every error that a user can cause is one line with what is wrong, and status 2."""
    policies(tmp_path)
    (tmp_path / "wrong.yaml").write_text("set: {recommender.slat: 3}\n")
    done = called(
        "compare", SCENARIOS / "base.yaml", *args, "--out", "out", *WORLD, cwd=tmp_path, check=False
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("warning: policy")]
    assert done.returncode == 2 and len(errors) == 1 and words in errors[0], done.stderr


BROKEN = '''"""Fails in one world."""

from pathlib import Path

from twin.world.mechanism import Every, Mechanism
from twin.world.params import Params


class Broken(Mechanism):
    """Raises in replicate 1, some time after the fork."""

    name = "broken"
    Params = Params

    def clocks(self):
        """Once a day."""
        return [Every(86400, "people", self.tick)]

    def tick(self):
        """Count the failures."""
        if self.world.draws.replicate == 1 and self.world.now >= 8 * 86400:
            with (Path(__file__).parent / "tries.txt").open("a") as file:
                file.write("x")
            raise RuntimeError("the bridge is out")
'''


def test_a_world_that_fails_is_left_out(tmp_path: Path) -> None:
    """Tasks that raise are tried three times and kept with their error; the rest goes on, effects
    are of the pairs left, status 1.

    Once the cause is mended, `twin resume` does what failed, and nothing else is said of it.
    """
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "broken.py").write_text(BROKEN)
    (tmp_path / "x.yaml").write_text(
        "extends: base.yaml\nmechanisms:\n  broken: {class: own.broken.Broken}\n"
    )
    shutil.copy(SCENARIOS / "base.yaml", tmp_path)
    policies(tmp_path)
    done = twin(
        "compare",
        "x.yaml",
        "--policy",
        f"{EVIL_FILE}.yaml",
        "--at",
        "6d",
        "--replicates",
        "4",
        "--out",
        "out",
        *settings("duration=12d"),
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("failed: runs/1/") == 2 and done.stderr.count("the bridge is out") == 2
    assert (tmp_path / "own" / "tries.txt").read_text() == "x" * 6
    kept = sorted(path.name for path in (tmp_path / "out" / "failed").iterdir())
    assert kept == ["runs-1-0.npy.txt", "runs-1-1.npy.txt"]
    assert "Traceback" in (tmp_path / "out" / "failed" / kept[0]).read_text()
    rows = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert {row["n"] for row in rows if row["headline"]} == {3}
    assert any(row["effect"] for row in rows)
    report = (tmp_path / "out" / "report.html").read_text()
    assert (
        "2 of the runs failed three times and are left out" in report
        and "the bridge is out" in report
    )
    (tmp_path / "own" / "broken.py").write_text(
        BROKEN.replace("raise", "return\n            raise")
    )
    twin("resume", "out", "--quiet", cwd=tmp_path)
    rows = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert {row["n"] for row in rows if row["headline"]} == {4}
    assert not list((tmp_path / "out" / "failed").iterdir())
    assert "failed three times" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("width", [1400, 390])
def test_the_report_in_a_browser(here: Path, browser: Any, width: int) -> None:
    """All is drawn, nothing is fetched, nothing is logged, no text is run, and the page is as wide
    as the screen."""
    page, wrong = page_of(browser, here / "out" / "report.html", width)
    assert wrong == []
    assert page.title() == "base: 5 policies · twin"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("img").count() == 0
    assert (
        EVIL in page.locator("body").inner_text() and EVIL_FILE in page.locator("body").inner_text()
    )
    page.close()


def test_axes_can_be_chosen_and_the_table_sorted(here: Path, browser: Any) -> None:
    """Another metric of either side moves points, crosses, ranges and labels of the map; a click on
    a heading sorts; words filter."""
    page, wrong = page_of(browser, here / "out" / "report.html", 1400)
    state = """() => { const plot = Bokeh.documents.flatMap(d => [...d._all_models.values()]).find(m => m.type == "Figure"
        && m.renderers.some(r => r.data_source && "x_mid" in r.data_source.data));
        const cross = plot.renderers.map(r => r.data_source).find(s => "x_mid" in s.data);
        return {x: plot.below[0].axis_label, y: plot.left[0].axis_label, mid: [...cross.data.x_mid], start: plot.x_range.start}; }"""
    before = page.evaluate(state)
    assert before["x"] == "Creators' pay (human) (%, more is better)"
    page.locator("select").nth(0).select_option(label="Posts (AI)")
    page.locator("select").nth(1).select_option(label="Satisfaction")
    after = page.evaluate(state)
    assert after["x"] == "Posts (AI) (%)" and after["y"].startswith("Satisfaction")
    rows = pq.read_table(here / "out" / "results.parquet").to_pylist()
    told = {
        row["branch"]: 100 * row["effect"] / row["base"]
        for row in rows
        if (row["metric"], row["labels"]) == ("posts", "by=ai")
    }
    assert (
        after["mid"] == pytest.approx(list(told.values()))
        and after["mid"] != before["mid"]
        and after["start"] != before["start"]
    )
    page.locator("table.sort th", has_text="Effect").click()
    cells = page.eval_on_selector_all(
        "table.sort tbody tr td:nth-child(6)", "cells => cells.map(cell => cell.dataset.v)"
    )
    values = [float(text) for text in cells]
    known = [value for value in values if not math.isnan(value)]
    assert known == sorted(known) and len(known) > 1000
    page.locator("input.filter").fill("forgets trust in the assistant")
    assert page.locator("table.sort tbody tr:visible").count() == 1
    assert wrong == []
    page.close()


CROSSES = """() => { const crosses = Bokeh.documents.flatMap(d => [...d._all_models.values()])
    .find(m => m.type == "ColumnDataSource" && "x_mid" in m.data).data;
    return Object.fromEntries(["x", "y"].map(which => [which, crosses.branch.map((branch, i) =>
        [branch, crosses[which + "_low"][i], crosses[which + "_high"][i]])])); }"""
VERDICTS = """() => { const table = [...document.querySelectorAll("table.sort")]
    .find(one => [...one.tHead.querySelectorAll("th")].some(th => th.textContent.trim() == "Verdict"));
    const at = name => [...table.tHead.querySelectorAll("th")].findIndex(th => th.textContent.trim() == name);
    const [policy, series, verdict] = ["Policy", "Series", "Verdict"].map(at);
    return [...table.tBodies[0].rows].map(row => [policy, series, verdict].map(k => row.cells[k].textContent.trim())); }"""


def test_a_cross_clears_zero_only_where_words_say_so(here: Path, browser: Any) -> None:
    """Whatever is chosen for the axes: the cross of a policy lies beside zero if and only if the
    table calls the effect established or suggestive; about a second for a hundred choices."""
    page, wrong = page_of(browser, here / "out" / "report.html", 1400)
    said = {(policy, series): verdict for policy, series, verdict in page.evaluate(VERDICTS)}
    quiet, seen = {"not distinguishable from noise", "untouched"}, {True: 0, False: 0}
    for which, place in (("x", 0), ("y", 1)):
        select = page.locator("select").nth(place)
        for name in select.locator("option").all_inner_texts():
            select.select_option(label=name)
            for branch, low, high in page.evaluate(CROSSES)[which]:
                clear = low > 0 or high < 0
                assert clear == (said[branch, name] not in quiet), (branch, name, low, high)
                seen[clear] += 1
    assert seen[True] > 5 and seen[False] > 50 and wrong == []
    page.close()


def test_the_report_tells_what_the_data_say(here: Path, rows: list[dict[str, Any]]) -> None:
    """Summary, methods and notes agree with results.parquet."""
    text = (here / "out" / "report.html").read_text()
    assert f"seed 1, replicates 0 to {REPLICATES - 1}" in text and "Benjamini and Hochberg" in text
    for name in ("nothing", "forgets"):
        mine = [row for row in rows if row["branch"] == name]
        tested = [row for row in mine if row["p"] == row["p"]]
        still = sum(row["effect"] == row["low"] == row["high"] == 0 for row in mine)
        sure = sum(row["q"] < 0.05 for row in mine)
        hints = sum(row["q"] >= 0.05 and (row["low"] > 0 or row["high"] < 0) for row in tested)
        found = re.search(
            rf"<th>{name}</th><td>(\d+) series tested on \S+ pairs, (\d+) established, (\d+) "
            rf"suggestive, (\d+) not distinguishable from noise; (\d+) untouched",
            text,
        )
        assert found and [int(each) for each in found.groups()] == [
            len(tested),
            sure,
            hints,
            len(tested) - sure - hints,
            still,
        ]
    assert f"It took effect in 0 of {REPLICATES} worlds" in text
    assert "untouched to the last bit: posts (human), posts (AI)" in text
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"<(link|img|iframe|[a-z]+ src)", outside) and not re.search(
        r"<script[^>]* src=", text
    )


def test_the_report_can_be_written_anew_with_other_axes(here: Path, tmp_path: Path) -> None:
    """`twin report DIR --x --y` puts these on the axes; what is no metric of that side is refused
    with the nearest."""
    shutil.copytree(here / "out", tmp_path / "out", ignore=shutil.ignore_patterns("runs"))
    assert (
        called(
            "report", "out", "--x", "creator_income{by=ai}", "--y", "sessions", cwd=tmp_path
        ).stdout
        == "out/report.html\n"
    )
    text = (tmp_path / "out" / "report.html").read_text()
    assert (
        '"axis_label":"Creators\' pay (AI) (%, more is better)"' in text
        and '"axis_label":"Sessions (%, more is better)"' in text
    )
    done = called("report", "out", "--x", "sesions", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "--x sesions: is no metric of creators here" in done.stderr
