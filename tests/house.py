"""What the package looks like from outside, in numbers, beside what it should: `python -m
tests.house`.

    circles            groups of files that import each other, also inside functions or for types
    inner imports      imports inside functions
    long lines         share of lines of more than 100 characters
    comments           share of lines that are a comment of their own
    long functions     functions of more than 60 lines (in kernels: 90)
    wide functions     functions of more than 8 parameters; commands, whose parameters are options,
                       aside
    long files         share of files of more than 300 lines

Each has a target and a bound. The bound is what `tests/unit/test_house.py` refuses to pass; where
it is not the target yet, it may only be tightened.
"""

from __future__ import annotations

import ast
import functools
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

import twin

ROOT = Path(twin.__file__).parent
WIDTH, PARAMETERS, LINES, KERNEL_LINES, FILE_LINES = 100, 8, 60, 90, 300
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measure:
    """One number: what it is, what it should be, what it may be today (at most, or at least), and
    where it is worst."""

    name: str
    value: float
    target: float
    bound: float
    worst: tuple[str, ...] = ()
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the bound is kept."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass(frozen=True)
class File:
    """A source file: dotted name, lines, syntax."""

    name: str
    lines: list[str]
    tree: ast.Module

    @property
    def kernel(self) -> bool:
        """Whether it is compiled."""
        return self.name.startswith("twin.kernels.")

    def functions(self) -> Iterator[Function]:
        """All functions, inner ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@functools.cache
def files() -> list[File]:
    """All files of the package, read and parsed once."""
    made = []
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = ".".join(("twin", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        made.append(File(name, text.splitlines(), ast.parse(text)))
    return made


def imported(file: File, known: set[str]) -> set[str]:
    """Files of the package that a file imports anywhere."""
    found = set()
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (deeper & known) or {node.module}
    return found & known


def graph(of: list[File]) -> nx.DiGraph:
    """Who imports whom."""
    known = {file.name for file in of}
    return nx.DiGraph([(file.name, there) for file in of for there in imported(file, known)])


def length(function: Function) -> int:
    """Lines of a function, without its docstring and what decorates it."""
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return (
        (function.end_lineno or 0)
        - function.lineno
        + 1
        - ((first.end_lineno or 0) - first.lineno + 1 if documented else 0)
    )


def parameters(function: Function) -> int:
    """Parameters, self aside; 0 for a command of click, whose parameters are its options."""
    if any(
        "command" in ast.unparse(each) or "group" in ast.unparse(each)
        for each in function.decorator_list
    ):
        return 0
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def measures(of: list[File]) -> list[Measure]:
    """All measures, in the order of the head of this file."""
    lines = [line for file in of for line in file.lines]
    each = [(file, function) for file in of for function in file.functions()]
    circles = [
        " ".join(sorted(group))
        for group in nx.strongly_connected_components(graph(of))
        if len(group) > 1
    ]
    inner = {
        f"{file.name}:{node.lineno}"
        for file, function in each
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    long = {
        f"{file.name}.{function.name}": length(function)
        for file, function in each
        if length(function) > (KERNEL_LINES if file.kernel else LINES)
    }
    wide = {
        f"{file.name}.{function.name}": parameters(function)
        for file, function in each
        if parameters(function) > PARAMETERS
    }
    large = {file.name: len(file.lines) for file in of if len(file.lines) > FILE_LINES}
    comments = sum(line.lstrip().startswith("#") for line in lines)

    def worst(of: dict[str, int]) -> tuple[str, ...]:
        return tuple(
            f"{name} {size}" for name, size in sorted(of.items(), key=lambda item: -item[1])
        )

    return [
        Measure("circles", len(circles), 0, 0, tuple(circles)),
        Measure("inner imports", len(inner), 15, 15, tuple(sorted(inner))),
        Measure("long lines, %", 100 * sum(len(line) > WIDTH for line in lines) / len(lines), 1, 1),
        Measure("comments, %", 100 * comments / len(lines), 2, 2, at_least=True),
        Measure("long functions", len(long), 0, 0, worst(long)),
        Measure("wide functions", len(wide), 0, 0, worst(wide)),
        Measure("long files, %", 100 * len(large) / len(of), 5, 5, worst(large)),
    ]


def main() -> None:
    """Print the table, and with names of measures as arguments where each is worst."""
    found = files()
    lines = sorted(length(function) for file in found for function in file.functions())
    print(
        f"{len(found)} files, median {statistics.median(len(file.lines) for file in found):.0f} "
        f"lines; functions "
        f"{statistics.median(lines):.0f} lines, nine in ten at most {lines[len(lines) * 9 // 10]}, "
        f"longest {lines[-1]}"
    )
    for measure in measures(found):
        mark = "met" if measure.met else "kept" if measure.kept else "BROKEN"
        print(
            f"{measure.name:16s} {measure.value:8.4g}   target {measure.target:g}, bound "
            f"{measure.bound:g}   {mark}"
        )
        if any(wish in measure.name for wish in sys.argv[1:]):
            print("\n".join(f"    {place}" for place in measure.worst))


if __name__ == "__main__":
    main()
