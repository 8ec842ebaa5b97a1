"""The contract for a class of a user's own, as users start it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.given.stand_ins import HARDENING, write


def test_a_model_that_lacks_something_is_one_failure(tmp_path: Path) -> None:
    """`TWIN_MECHANISM=... pytest --pyargs twin.testing` says what to add, once and without a
    traceback."""
    write(tmp_path, opinions=HARDENING.replace('Column("stubbornness"', 'Column("closed"'))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--pyargs", "twin.testing"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TWIN_MECHANISM": "my.hardening.Hardening"},
        check=False,
    )
    assert done.returncode == 1 and "1 failed" in done.stdout and "passed" not in done.stdout
    assert 'under "consumers": Column("stubbornness", "f4", "1", "Weight of' in done.stdout
    assert "it has no column consumers.stubbornness, which campaigns reads" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
