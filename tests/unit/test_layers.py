"""Imports point down only, with no circle between any two files; simpy in one file, numba in the
kernels."""

import ast
from pathlib import Path

import networkx as nx

import twin

ROOT = Path(twin.__file__).parent
FLOORS = (
    "ground",
    "kernels",
    "world",
    "mechanisms",
    "scenario",
    "engine",
    "record",
    "readers",
    "running",
    "experiments",
    "cli",
    "__main__",
)
"""Folders of the package, lowest first; a file imports from lower floors and from its own."""


def modules() -> dict[str, Path]:
    """All files of the package by dotted name; a folder is its ``__init__``."""
    named = {
        ".".join(("twin", *path.relative_to(ROOT).with_suffix("").parts)): path
        for path in sorted(ROOT.rglob("*.py"))
    }
    return {name.removesuffix(".__init__"): path for name, path in named.items()}


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Dotted names of the package's modules that a file imports anywhere, inside functions and for
    types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (deeper & known.keys()) or {node.module}
    return {name for name in found if name.split(".")[0] == "twin"}


def graph() -> nx.DiGraph:
    known = modules()
    return nx.DiGraph(
        [(name, there) for name, path in known.items() for there in imports(path, known)]
    )


def test_every_file_imports_from_below() -> None:
    """A file imports from lower floors, or from its own; mechanisms never from one another."""
    wrong = []
    for here, there in graph().edges:
        mine, theirs = here.split(".")[1:], there.split(".")[1:]
        if not mine:
            wrong.append(f"twin/__init__.py imports {there}")
        elif mine[0] == theirs[0] == "mechanisms":
            if len(theirs) > 1 and theirs[1] != mine[1]:
                wrong.append(f"{here} imports {there}")
        elif theirs and FLOORS.index(theirs[0]) > FLOORS.index(mine[0]):
            wrong.append(f"{here} imports {there}")
    assert not wrong


def test_no_two_files_import_each_other() -> None:
    """Not in one folder either, nor inside functions, nor through others."""
    assert [
        sorted(circle) for circle in nx.strongly_connected_components(graph()) if len(circle) > 1
    ] == []


def test_floors_are_the_folders() -> None:
    """Nothing lies beside them but the package itself and its command."""
    found = {
        path.stem
        for path in ROOT.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert found == {*FLOORS, "__init__"}


def test_simpy_is_imported_in_one_file_and_numba_in_kernels() -> None:
    """DESIGN D1 and D9."""
    simpy = [
        path.name
        for path in ROOT.rglob("*.py")
        if "import simpy" in path.read_text() or "from simpy" in path.read_text()
    ]
    numba = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "import numba" in path.read_text()
    }
    assert simpy == ["clocks.py"]
    assert all(
        name in ("ground/compiled.py", "ground/draws.py") or name.startswith("kernels/")
        for name in numba
    )
