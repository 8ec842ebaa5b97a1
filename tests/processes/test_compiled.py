"""Machine code is kept where it is said."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


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
