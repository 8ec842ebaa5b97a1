"""Imports point down only, with no circle between any two files; simpy in one file, numba in the
kernels."""

import ast

from tests.house import ROOT, files, graph

FLOORS = (
    "ground",
    "kernels",
    "world",
    "ranking",
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
    "gym",
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


def unnamed(source: str) -> list[int]:
    """Lines of calls that open text files in the encoding of the machine. `ruff`'s PLW1514 knows
    those whose type it can infer."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or any(word.arg == "encoding" for word in call.keywords):
            continue
        called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        mode = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
        text = isinstance(mode, str) and "b" not in mode and set(mode) & set("rwax")
        if (
            # the method of a path; `yamlish.read_text` is a function
            (called == "read_text" and not call.args)
            or called == "write_text"
            or (called in ("open", "NamedTemporaryFile", "TemporaryFile") and text)
        ):
            found.append(call.lineno)
    return found


def test_text_files_name_their_encoding() -> None:
    """Else a run ends with a UnicodeEncodeError where the machine's is ASCII, or writes what
    another machine cannot read where it is cp1252."""
    assert unnamed("a.read_text()\na.open('w')\na.open('rb')\na.write_text(x, encoding='u')") == [
        1,
        2,
    ]
    wrong = {
        path.name: lines
        for path in ROOT.rglob("*.py")
        if (lines := unnamed(path.read_text(encoding="utf-8")))
    }
    assert not wrong
