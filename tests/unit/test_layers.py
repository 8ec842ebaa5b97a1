"""Imports point down only, with no circle between any two files; simpy in one file, numba in the
kernels."""

from tests.house import ROOT, files, graph

FLOORS = (
    "ground",
    "kernels",
    "world",
    "mechanisms",
    "scenario",
    "engine",
    "record",
    "readers",
    "observing",
    "running",
    "experiments",
    "public",
    "testing",
    "cli",
    "__main__",
)
"""Folders of the package, lowest first; a file imports from lower floors and from its own."""


def test_every_file_imports_from_below() -> None:
    """A file imports from lower floors, or from its own; mechanisms never from one another."""
    wrong = []
    for here, there in graph(files()).edges:
        mine, theirs = here.split(".")[1:], there.split(".")[1:]
        if not mine:
            continue  # the package itself is the roof: it names what is public
        if not theirs:
            wrong.append(f"{here} imports twin itself")
        elif mine[0] == theirs[0] == "mechanisms":
            if len(theirs) > 1 and theirs[1] != mine[1]:
                wrong.append(f"{here} imports {there}")
        elif theirs and FLOORS.index(theirs[0]) > FLOORS.index(mine[0]):
            wrong.append(f"{here} imports {there}")
    assert not wrong


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
