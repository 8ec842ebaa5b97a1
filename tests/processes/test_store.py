"""A process that has read a table ends as others do."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.conftest import PATIENCE_S


def test_a_process_that_read_a_table_ends(tmp_path: Path) -> None:
    """Read as Arrow does it by itself, four in five of such processes abort or hang at their end."""
    table = pa.table({"x": np.arange(5000), "y": np.linspace(0, 1, 5000), "z": ["word"] * 5000})
    pq.write_table(table, tmp_path / "a.parquet")
    code = (
        "import sys; from twin.experiments.work.store import Store; "
        "print(Store(sys.argv[1]).read_table('a.parquet').num_rows)"
    )
    for _ in range(8):
        told = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert (told.returncode, told.stdout, told.stderr) == (0, "5000\n", "")
