"""The pages of docs/: the site builds without a warning, no link leads nowhere, reference pages are
what the declarations say, every command is run by some test, and the notebook runs."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbclient import NotebookClient

from tests import reference
from tests.conftest import PATIENCE_S, ROOT
from tests.e2e import pages


class Found(HTMLParser):
    """What a page of the site points to, and what can be pointed to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        for name in ("href", "src"):
            if name in given:
                self.targets.append(given[name])
                if tag != "a":
                    self.fetched.append(given[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode from a copy."""
    here = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", here / "docs", ignore=shutil.ignore_patterns("runs", ".*"))
    shutil.copy2(ROOT / "zensical.toml", here)
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=here,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return here / "site"


def test_site_is_whole(site: Path) -> None:
    """A page for every file of docs/; every link, picture and anchor leads somewhere within the
    site; nothing is fetched from another host."""
    made = {path: Found(path.read_text()) for path in site.rglob("*.html")}
    for source in (ROOT / "docs").rglob("*.md"):
        place = source.relative_to(ROOT / "docs").with_suffix("")
        folder = site if place.name == "index" else site / place
        assert folder / "index.html" in made, source
    wrong = []
    for path, page in made.items():
        if path.name == "404.html":
            continue  # its links are absolute: it is served from anywhere
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            to = to / "index.html" if to.is_dir() else to
            if not to.is_file():
                wrong.append(f"{path.relative_to(site)}: {target}")
            elif parts.fragment and to in made and parts.fragment not in made[to].ids:
                wrong.append(f"{path.relative_to(site)}: no {target}")
    assert not wrong
    for page in made.values():
        assert not [each for each in page.fetched if re.match(r"(https?:)?//", each)]


def test_pages_are_in_the_navigation() -> None:
    """Every page can be found, and once."""
    listed = re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text())
    assert Counter(listed) == Counter(page.removeprefix("docs/") for page in pages.PAGES[1:])


def test_reference_is_what_the_declarations_say() -> None:
    """``python -m tests.reference`` would change nothing."""
    for path, text in reference.pages().items():
        assert path.read_text() == text, f"{path.name} is old: run python -m tests.reference"


def test_every_command_is_run_by_one_test() -> None:
    """A page with commands belongs to one group, and each group's file runs its pages."""
    grouped = [page for group in pages.GROUPS.values() for page in group]
    with_commands = [page for page in pages.PAGES if pages.blocks("bash", page)]
    assert Counter(grouped) == Counter(with_commands)
    for name in pages.GROUPS:
        assert f'GROUPS["{name}"]' in (ROOT / "tests" / "e2e" / name).read_text()
    kinds = {
        kind for page in pages.PAGES for kind, _ in pages.BLOCK.findall((ROOT / page).read_text())
    }
    assert kinds <= {"bash", "yaml", "python"}, "a block of another kind is run by no test"


def test_files_shown_twice_are_the_same() -> None:
    """A scenario that two pages show is one file."""
    shown: dict[str, str] = {}
    for name, text in pages.named_files(*pages.PAGES):
        assert shown.setdefault(name, text) == text, name
    for page in pages.PAGES:
        for text in pages.blocks("python", page):
            assert re.match(r"# [\w/-]+\.py\n", text), (
                f"{page}: a block of Python that no test runs"
            )


def test_numbers_have_their_leading_zero() -> None:
    """0.29, never .29, outside code."""
    for page in pages.PAGES:
        if "/reference/" not in page:
            prose = re.sub(
                r"```.*?```|`[^`]*`|\]\([^)]*\)", "", (ROOT / page).read_text(), flags=re.DOTALL
            )
            assert not re.findall(r"(?<![\w.])[-+−]?\.\d+", prose), page


def test_notebook_runs(tmp_path: Path) -> None:
    """Every cell of the first notebook, in a kernel of its own; runs and pictures are shown; it is
    kept without outputs, which would grow old."""
    source = ROOT / "docs" / "first-world.ipynb"
    book = nbformat.read(source, as_version=4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") for cell in book.cells)
    (tmp_path / "docs").mkdir()
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    client = NotebookClient(
        book,
        timeout=PATIENCE_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path / "docs")}},
    )
    client.execute()
    shown = [
        output.data["text/html"]
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    assert sum("<figure" in text for text in shown) == 2
    assert "chronological" in "".join(shown)
    assert "enjoyed_per_session" in shown[-1]
    for target in re.findall(r"\]\(([\w/.-]+)\)", "".join(cell.source for cell in book.cells)):
        assert (ROOT / "docs" / target).exists(), target
