"""`import twin` in a process of its own: cheap to import, and workers that run no script again."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import SCENARIOS, SMALL
from twin.record import naming

SHORT = {"duration": "4d", "warm_up": "0d", "policies": []}


def test_import_is_cheap() -> None:
    """Nothing heavy is imported before it is used."""
    heavy = "('numpy', 'numba', 'bokeh', 'simpy', 'pytest', 'twin.testing')"
    code = (
        f"import sys, twin; print([name for name in {heavy} if name in sys.modules]); "
        "import twin.testing; print('pytest' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["[]", "False"]


def test_commands_start_without_what_they_seldom_need() -> None:
    """Experiments and syncs wait for no library that takes long to import and is rarely asked."""
    code = (
        "import sys, twin.cli.experiments, twin.cli.following, twin.cli.runs; "
        "print([name for name in ('scipy.stats', 'scipy.optimize', 'pandas') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["[]"]


def test_experiments_from_a_script_without_a_guard(tmp_path: Path) -> None:
    """A plain script compares two worlds: its workers do not run it again."""
    script = tmp_path / "ask.py"
    script.write_text(
        f"""import twin
print("once")
base = twin.load({str(SCENARIOS / "base.yaml")!r}, sets={ {**dict(entry.split("=", 1) for entry in SMALL), **SHORT}!r})
found = twin.compare(base, [{str(SCENARIOS / "policies" / "chronological.yaml")!r}], at="2d",
                     replicates=2, out={str(tmp_path / "compared")!r}, on="local:2", name="a question", tags=["pilot"])
print(found.failed, found.results.num_rows > 100, found.report())
print(twin.open_experiment(found.folder).table("course").num_rows > 100)
"""
    )
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path
    )
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == "once" and lines.count("once") == 1
    assert lines[1].startswith("{} True ") and lines[2] == "True"
    assert naming.read(tmp_path / "compared") == naming.Naming("a question", ("pilot",))
