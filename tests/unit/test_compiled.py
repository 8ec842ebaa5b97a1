"""Machine code is kept apart for every version of a kernel and of what it calls."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from twin.ground import compiled


def test_a_changed_kernel_recompiles_what_uses_it_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more byte in a file, and the code of all that import it is kept elsewhere; that of the
    others stays where it is."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    package = tmp_path / "twin"
    shutil.copytree(ROOT / "twin", package, ignore=shutil.ignore_patterns("__pycache__"))
    files = {
        path.stem: path for path in [package / "ground" / "draws.py", *package.glob("kernels/*.py")]
    }

    def places() -> dict[str, Path]:
        return {name: compiled.folder(path, package) for name, path in files.items()}

    before = places()
    assert (
        before["ranking"]
        == package
        / "__pycache__"
        / "kernels"
        / compiled.folder(ROOT / "twin" / "kernels" / "ranking.py").name
    )
    for changed, others, untouched in (
        ("draws", {"ranking", "browse", "chat"}, {"index", "maths"}),
        ("ranking", {"browse"}, {"respond", "retrieve", "training", "draws", "links"}),
        ("units", {"pace"}, {"ranking", "draws", "training"}),
    ):
        path = files.get(changed, package / "ground" / f"{changed}.py")
        text = path.read_text()
        path.write_text(text + "\n")
        after = places()
        moved = {name for name in files if after[name] != before[name]}
        assert others <= moved and not moved & untouched, changed
        path.write_text(text)
    assert places() == before
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    assert compiled.folder(files["ranking"], package).parent == tmp_path / "mine" / "kernels"


def test_old_folders_go(tmp_path: Path) -> None:
    """The newest few of a file stay, older ones are dropped, those of others are left alone."""
    for age in range(6):
        for name in ("one", "two"):
            (tmp_path / f"{name}-{age}").mkdir()
            os.utime(tmp_path / f"{name}-{age}", (1000 - age, 1000 - age))
    assert compiled.prepare(tmp_path / "one-new") == tmp_path / "one-new"
    assert sorted(path.name for path in tmp_path.glob("one-*")) == [
        "one-0",
        "one-1",
        "one-2",
        "one-new",
    ]
    assert len(list(tmp_path.glob("two-*"))) == 6
