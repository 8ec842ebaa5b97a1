"""Machine code is kept apart for every version of the kernels."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from tests.conftest import ROOT
from twin import compiled


def test_any_changed_kernel_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more byte in any kernel, or in draws, and nothing compiled before is used; the same sources give the same folder."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    shutil.copytree(ROOT / "twin", tmp_path / "twin", ignore=shutil.ignore_patterns("__pycache__"))
    before = compiled.folder(tmp_path / "twin")
    assert before.name == compiled.folder(ROOT / "twin").name and before.parent == tmp_path / "twin" / "__pycache__"
    for name in ("draws.py", "kernels/ranking.py"):
        path = tmp_path / "twin" / name
        text = path.read_text()
        path.write_text(text + "\n")
        assert compiled.folder(tmp_path / "twin") != before
        path.write_text(text)
    assert compiled.folder(tmp_path / "twin") == before
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    assert compiled.folder(tmp_path / "twin").parent == tmp_path / "mine"


def test_old_folders_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest few stay, older ones are dropped, others are left alone."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    for age in range(6):
        (tmp_path / f"kernels-{age}").mkdir()
        os.utime(tmp_path / f"kernels-{age}", (1000 - age, 1000 - age))
    (tmp_path / "other").mkdir()
    compiled.use(tmp_path / "kernels-new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kernels-0", "kernels-1", "kernels-2", "kernels-new", "other"]
    assert str(tmp_path / "kernels-new") == numba.config.CACHE_DIR


def test_kernels_are_kept_there(tmp_path: Path) -> None:
    """A process that compiles leaves its machine code in the folder."""
    code = "import numpy as np; from twin.draws import children; print(children(np.ones(1, np.uint64), np.zeros(1, np.int64)))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}, check=True)
    assert list(tmp_path.glob("kernels-*/**/draws._children*.nbi"))
