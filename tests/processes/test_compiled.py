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
