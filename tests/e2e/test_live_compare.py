"""Compare with replicates from the live page, in a real browser: it is the comparison of the command
line, it can be stopped and continued, and its result is on the page."""

import json
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, settings
from tests.given.inside import called
from tests.live_page import DRAWN, FAINT, NAMELESS, running, until, visit
from twin.record import verdicts

BASE = ROOT / "scenarios" / "base.yaml"
STATE = (
    """states => states.includes(document.querySelector('li[data-comparison]')?.dataset.state)"""
)
REPLIED = "words => document.getElementById('reply').textContent.includes(words)"
ACT = "li[data-comparison] button"


def test_a_comparison_from_the_page_is_that_of_the_command_line(
    tmp_path: Path, browser: Any
) -> None:
    """Refusals are said beside the button; begun, stopped and continued by the keyboard, it runs in
    a process and a folder of its own, with the bytes of the same command in a terminal; the page
    shows what it found. The run ends as without a page."""
    with running(tmp_path, BASE, *settings("duration=16d"), "--pace", "0.5") as run:
        page, complaints, _ = visit(browser, run.url)
        page.wait_for_selector(DRAWN)
        page.click("#pause")  # however long the rest takes, the run does not end before
        page.wait_for_selector("body[data-state=paused]")
        page.click("#world > summary")
        page.click("[data-tab=yaml]")
        for worlds, yaml, said in (
            ("2", "", "needs a change"),
            ("1", "set: {recommender.preset: likes}", "is no number from 2 to 200"),
            ("9999", "set: {recommender.preset: likes}", "twin compare in a terminal"),
            ("2", "set: {recommender.presset: likes}", "recommender.preset"),
        ):
            page.fill("#yaml", yaml)
            page.fill("#worlds", worlds)
            page.click("#compare")
            until(page, REPLIED, said)
            assert "bad" in page.get_attribute("#reply", "class")
        page.fill("#yaml", "name: likes alone\nset: {recommender.preset: likes}")
        page.fill("#worlds", "2")
        page.focus("#worlds")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        until(page, STATE, ["running"])
        until(
            page,
            "() => document.querySelector('li[data-comparison] .date').textContent.includes('/6 runs')",
        )
        page.focus(ACT)
        page.keyboard.press("Enter")
        until(page, STATE, ["stopped"])
        folder = tmp_path / "a-compare-likes-alone"
        assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"
        assert page.get_attribute(ACT, "aria-label") == "Continue compare-likes-alone"
        assert page.evaluate("document.activeElement.dataset.do") == "go"
        page.keyboard.press("Enter")
        until(page, STATE, ["running"])
        assert page.evaluate(NAMELESS) == []
        page.click("[data-pace=max]")
        page.click("#pause")
        # the run may end before it: its page waits
        until(page, STATE, ["done"], 240)
        (found,) = verdicts.read(folder)
        assert {row["side"] for row in found["rows"]} >= {"producer", "consumer"}
        for standing in {row["standing"] for row in found["rows"]}:
            shown = page.locator(f"tbody[data-standing='{standing}'] tr").all_inner_texts()[1:]
            mine = [row for row in found["rows"] if row["standing"] == standing]
            assert len(shown) == len(mine)
            for text, row in zip(shown, mine, strict=True):
                for part in ("title", "before", "after", "change", "interval", "note"):
                    assert row[part].replace("\xa0", " ") in text.replace("\xa0", " ")
        assert found["lead"] in page.inner_text("#comparisons") and page.evaluate(FAINT) == []
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        report = page.get_attribute("li[data-comparison] a", "href")
        line = page.inner_text("li[data-comparison] code")
        assert report and report.endswith("/compare-likes-alone")
        assert run.process.wait(240) == 0, run.lines
        assert not complaints, (complaints, run.lines)
    assert line.startswith("twin compare a-compare-likes-alone/scenario.yaml")
    called(*line.split()[1:], "--out", "again", "--quiet", cwd=tmp_path)
    for name in ("results.parquet", "groups.parquet", "verdicts.json"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    called("run", "a/scenario.yaml", "--out", "b", "--quiet", cwd=tmp_path)
    for name in ("metrics.parquet", "events.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
