"""Machine code is kept apart for every version of a kernel and of what it calls."""

import os
import shutil
import subprocess
import sys
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
        ("units", {"create"}, {"ranking", "draws", "training"}),
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


def test_code_kept_for_a_class_that_has_moved_is_compiled_again(tmp_path: Path) -> None:
    """What a kernel is given may be of a class that an update moved: the kernel finds no code for
    it, and makes new."""
    shape = "from typing import Any, NamedTuple\nclass Shape(NamedTuple):\n    x: Any\n"
    (tmp_path / "work.py").write_text(
        "from twin.ground.compiled import kernel\n@kernel\ndef first(shape):\n"
        "    return shape.x[0]\n"
    )
    env = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for here, there in (("one", "other"), ("other", "one")):
        (tmp_path / f"{here}.py").write_text(shape)
        (tmp_path / f"{there}.py").write_text("")
        text = f"import numpy, {here}, work; print(work.first({here}.Shape(numpy.ones(1))))"
        done = subprocess.run(
            [sys.executable, "-c", text], env=env, capture_output=True, text=True, check=False
        )
        assert done.stdout == "1.0\n", done.stderr
    assert len(list((tmp_path / "cache" / "kernels").iterdir())) == 1


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


def test_kernels_are_kept_there(tmp_path: Path) -> None:
    """A process that compiles leaves its machine code in the folder of the kernel's file."""
    code = "import numpy as np; from twin.ground.draws import children; print(children(np.ones(1, np.uint64), np.zeros(1, np.int64)))"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        check=True,
    )
    assert list(tmp_path.glob("kernels/draws-*/**/draws._children*.nbi"))
