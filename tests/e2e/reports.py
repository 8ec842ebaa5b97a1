"""Reports as tests read them: hostile text that goes into one, and a page with what went wrong."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.conftest import PATIENCE_S

EVIL = "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


UNFOLD = """async () => {
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });
  await drawAll();
}"""
"""Draws all there is; a page by itself draws what is near the screen."""


def page_of(browser: Any, report: Path, width: int) -> tuple[Page, list[str]]:
    """The report as a page, drawn, and what went wrong."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    wrong: list[str] = []
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "data:", "blob:"))
            else wrong.append(request.url)
        ),
    )
    page.goto(report.as_uri())
    page.evaluate(UNFOLD)
    page.wait_for_function(
        """() => { const roots = Bokeh.documents.flatMap(d => d.roots());
        return roots.length && roots.every(root => { const view = Bokeh.index.find_one_by_id(root.id);
        return view && view.el.clientWidth > 100 && view.el.clientHeight > 50; }); }""",
        timeout=1000 * PATIENCE_S,
    )
    return page, wrong
