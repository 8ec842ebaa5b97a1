"""Imports point down only, with no circle; simpy in one file, numba in the kernels."""

import ast
from pathlib import Path

import twin

ROOT = Path(twin.__file__).parent
FLOORS = (
    ("errors", "units", "compiled", "memory"), ("draws", "crew"), ("kernels", "rhythm"),
    ("columns", "metric", "params"), ("board",), ("world",), ("mechanism",),
    ("mechanisms",), ("yamlish", "outside"), ("problems",), ("checking",), ("scenario", "describe"), ("clocks", "checkpoint"),
    ("engine", "mailbox"), ("readers",),
    ("runfolder", "estimate", "warmed"), ("interventions",), ("run",), ("experiments",), ("cli",), ("__main__", "__init__"),
)
FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names}


def unit(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """Dotted names of twin's modules that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in deeper if (ROOT / Path(*name.split(".")[1:])).with_suffix(".py").exists()
                      or (ROOT / Path(*name.split(".")[1:]) / "__init__.py").exists()} or {node.module}
    return {name for name in found if name.split(".")[0] == "twin"}


def test_every_file_imports_from_below() -> None:
    """A file imports from lower floors, or from its own folder; mechanisms never from one another."""
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        here = unit(path)
        for name in imports(path):
            parts = name.split(".")
            there = parts[1] if len(parts) > 1 else "__init__"
            own = here == there and here in ("kernels", "readers", "experiments", "cli")
            folder = path.parent.name
            inside = here == there == "mechanisms" and len(parts) > 2 and parts[2] == folder != "mechanisms"
            if not (own or inside or FLOOR[there] < FLOOR[here]):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_simpy_is_imported_in_one_file_and_numba_in_kernels() -> None:
    """DESIGN D1 and D9."""
    simpy = [path.name for path in ROOT.rglob("*.py") if "import simpy" in path.read_text() or "from simpy" in path.read_text()]
    numba = {unit(path) for path in ROOT.rglob("*.py") if "import numba" in path.read_text()}
    assert simpy == ["clocks.py"]
    assert numba <= {"compiled", "draws", "kernels"}
