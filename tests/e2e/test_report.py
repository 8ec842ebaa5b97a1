"""The report in a real browser: it draws, it is alone, it fits a phone, and a scenario's text stays
text."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.conftest import PATIENCE_S, SMALL
from tests.e2e.reports import EVIL, UNFOLD
from tests.live_page import browser, visit
from twin.readers.panels import HEADINGS
from twin.readers.report import write_report
from twin.running import drive as run
from twin.scenario.loading import load

VIEWS = (
    """() => Bokeh.documents.flatMap(d => d.roots()).map(r => Bokeh.index.find_one_by_id(r.id))"""
)
DRAWN = f"""() => {{
  const views = ({VIEWS})();
  return views.length > 0 && views.every(v => v && v.el.clientWidth > 100 && v.el.clientHeight > 100);
}}"""
FACTS = f"""() => {{
  const all = e => [e, ...[...e.children, ...(e.shadowRoot ? e.shadowRoot.children : [])].flatMap(all)];
  return {{figures: ({VIEWS})().length, title: document.title,
    fetched: performance.getEntriesByType("resource").map(r => r.name),
    wide: document.documentElement.scrollWidth, width: window.innerWidth,
    beyond: all(document.body)
      .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, nav, pre, svg"))
      .map(e => e.tagName + "." + e.className + " " + e.getBoundingClientRect().right + e.textContent.slice(0, 60))
      .slice(0, 20)}};
}}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small run with a policy and hostile text."""
    here = tmp_path_factory.mktemp("report")
    (here / "x.yaml").write_text(
        f"extends: base.yaml\nname: {json.dumps(EVIL)}\ndescription: {json.dumps(EVIL)}\n"
        f"policies: [{{name: {json.dumps(EVIL)}, at: 10d, set: {{recommender.preset: likes}}}},\n"
        "           {name: patient, when: creator_human_share < 0.0001, set: "
        "{recommender.ai_factor: 0.5}}]\n"
    )
    shutil.copy(Path("scenarios") / "base.yaml", here)
    outcome = run.start(load(here / "x.yaml", (*SMALL, "duration=20d")), here / "run")
    assert outcome.status == "done"
    return here / "run" / "report.html"


def facts(report: Path, width: int, unfold: str) -> dict[str, Any]:
    """What the report says about itself in Chromium once the figures are drawn that ``unfold``
    asks for."""
    with browser() as opened:
        page, complaints, asked = visit(
            opened, report.as_uri(), viewport={"width": width, "height": 800}
        )
        page.evaluate(unfold)
        page.wait_for_function(DRAWN, timeout=1000 * PATIENCE_S)
        return {**page.evaluate(FACTS), "problems": complaints, "asked": asked}


ONE = """async () => {
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });
  await draw("who"); await draw("consumer-0");
}"""
"""All unfolded, and figures of every kind drawn: on a phone the others are as wide."""


@pytest.mark.parametrize(("width", "unfold", "figures"), [(1400, UNFOLD, 60), (375, ONE, 9)])
def test_report_in_a_browser(report: Path, width: int, unfold: str, figures: int) -> None:
    """Every figure is drawn, nothing is fetched, no error is logged, and the page is no wider than
    the screen."""
    found = facts(report, width, unfold)
    assert found["problems"] == []
    assert found["figures"] > figures
    asked = [*found["fetched"], *found["asked"]]
    assert [name for name in asked if not name.startswith(("data:", "file:"))] == []
    assert found["width"] == width and found["wide"] <= width, found["beyond"]


def test_scenario_text_is_never_executed(report: Path) -> None:
    """Markup in names and descriptions is shown, not run."""
    with browser() as opened:
        page, complaints, _ = visit(opened, report.as_uri())
        assert page.title() == f"{EVIL} · twin" and complaints == []
    assert "<img src=x" not in report.read_text(encoding="utf-8")


def test_report_tells_each_sides_story(report: Path) -> None:
    """Sentences and headings per side in order, what never moved in words, and policies that never
    took hold."""
    text = report.read_text(encoding="utf-8")
    assert text.count('<ul class="story">') == 4
    headings = re.findall(r'<h3 id="[^"]+">(.*?)</h3>', text)
    for side in HEADINGS.values():
        mine = [heading for heading in headings if heading in side]
        assert len(mine) >= 4 and mine == [heading for heading in side if heading in mine]
    assert "patient waited for <i>creator_human_share &lt; 0.0001</i> and never took effect" in text
    for heading in ("What a campaign does to them", "Campaigns"):
        assert f"<b>{heading}</b> is listed, not drawn. At zero throughout: Campaign " in text


FIRST = """() => ({
  height: document.documentElement.scrollHeight,
  questions: [...document.querySelectorAll(".answers h2")].map(each => each.textContent),
  folded: [...document.querySelectorAll("details.side")].map(each => [each.id, each.open]),
  drawn: document.querySelectorAll("[data-root-id] > *").length,
  waiting: waiting.size,
  unnamed: [...document.querySelectorAll("button, summary, input, select, a")]
    .filter(each => !(each.getAttribute("aria-label") || each.textContent).trim()).length,
})"""


def test_first_page_is_short_and_answers_five_questions(report: Path) -> None:
    """Sides are folded, pictures of folded ones are not drawn before they are wanted, a link to one
    unfolds it, and the whole first page fits a screenshot."""
    with browser() as opened:
        page, complaints, _ = visit(
            opened, report.as_uri(), viewport={"width": 1200, "height": 900}
        )
        page.wait_for_function(
            "() => document.querySelectorAll('#fig-who_lorenz [data-root-id] > *').length"
        )
        first = page.evaluate(FIRST)
        assert first["questions"] == [
            "What was done?",
            "Who gained?",
            "Who lost?",
            "How sure is that?",
            "What to look at next?",
        ]
        sides = ["producer", "consumer", "platform", "chatbot"]
        assert first["folded"] == [[side, False] for side in sides]
        assert first["height"] < 6000, "it was 30,900 pixels once"
        assert first["waiting"] > 20 and first["drawn"] < 20
        assert first["unnamed"] == 0
        assert len(page.screenshot(full_page=True)) > 20_000
        page.locator("nav a[href='#consumer']").click()
        page.wait_for_function(
            "() => document.querySelector('#consumer').open && document.querySelector("
            "'#consumer figure [data-root-id] > *')",
            timeout=1000 * PATIENCE_S,
        )
        assert page.evaluate("waiting.size") < first["waiting"]
        assert complaints == []


def test_one_click_saves_a_picture_for_slides(report: Path, tmp_path: Path) -> None:
    """As PNG and as SVG, under the title, with where it comes from; sharp enough for a slide; in
    dark mode on white, too."""
    with browser() as opened:
        page, complaints, _ = visit(opened, report.as_uri(), color_scheme="dark")
        figure = page.locator("#fig-who_lorenz")
        title = figure.locator(".t").inner_text()
        for kind in ("png", "svg"):
            with page.expect_download(timeout=1000 * PATIENCE_S) as found:
                figure.get_by_label(f"Save “{title}” as {kind.upper()}").click()
            found.value.save_as(tmp_path / f"picture.{kind}")
            assert found.value.suggested_filename.endswith(f"lorenz-curves-of-creators.{kind}")
        width = page.evaluate("document.querySelector('#fig-who_lorenz [data-part]').clientWidth")
        assert complaints == []
    svg = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert title in svg and "Made by twin" in svg and "<path" in svg
    with Image.open(tmp_path / "picture.png") as image:
        assert image.width == 3 * width
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
        # title, axes, curves and source, not an empty sheet
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 50


def test_report_is_one_file_of_sensible_size(report: Path) -> None:
    """One file below 6 MB that names no other."""
    text = report.read_text(encoding="utf-8")
    assert len(text) < 6e6
    assert not re.search(r'<(script|link|img|iframe)[^>]*\b(src|href)="', text)
    for title in (
        "Creators",
        "Consumers",
        "The platform",
        "Chatbots",
        "Both sides at a glance",
        "Resolved scenario",
    ):
        assert title in text


def test_report_of_a_run_that_has_hardly_begun(report: Path, tmp_path: Path) -> None:
    """An unfinished run without a single reading gives a page that says so."""
    shutil.copytree(report.parent, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    for key in ("sessions", "wall_s", "memory_mb"):
        del manifest[key]
    (tmp_path / "run" / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    (tmp_path / "run" / "metrics.parquet").unlink()
    (tmp_path / "run" / "events.parquet").unlink()
    assert "unfinished" in write_report(tmp_path / "run").read_text()
