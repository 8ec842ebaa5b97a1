"""Input that tries to break things: each is refused in lines that name the place, the reason and
the mend, or it works."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from twin import cli
from twin.ground.errors import ScenarioError
from twin.running import folder as runfolder
from twin.scenario.loading import load


def refused(folder: Path, text: str, *sets: str) -> str:
    """The lines with which a scenario is refused."""
    path = folder / "x.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ScenarioError) as caught:
        load(path, sets)
    lines = str(caught.value).splitlines()
    assert all(line.isprintable() for line in lines)
    return "\n".join(line.replace(f"{folder}/", "") for line in lines)


def test_half_characters_are_refused(tmp_path: Path) -> None:
    """No file can hold them: the run would fail when it writes its scenario."""
    half = "x.yaml:1 name: has half a character (a surrogate) (write the whole character)"
    assert refused(tmp_path, r'name: "\ud800"') == half
    assert "x.yaml:1: a key has half" in refused(tmp_path, r'"\udfff": 1')
    # a byte of a flag that Python could not decode
    assert "LC_ALL=C.UTF-8" in refused(tmp_path, "name: x", "name=K\udcf6ln")


def test_output_that_the_terminal_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """A middle dot in ASCII, a box in cp1252: spelt out, and nothing ends."""
    for encoding in ("ascii", "cp1252"):
        shown = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding=encoding))
        cli.main(["--version"])
        print("\u0416", end="", flush=True)
        assert shown.getvalue().endswith(b"\\u0416")


def test_names_become_names_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any length, and also where file names are ASCII."""
    assert runfolder.slug("K\u00f6ln 2/3") == "K\u00f6ln-2-3"
    assert len(runfolder.slug("\u00e4" * 300).encode()) < 200
    monkeypatch.setattr("os.fsencode", lambda text: text.encode("ascii"))
    assert runfolder.slug("K\u00f6ln") == "K-ln"
