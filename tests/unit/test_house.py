"""The bounds of `python -m tests.house` are kept, and what it counts is what it says."""

import ast

import click
import pytest

from tests import house
from twin.cli import COMMANDS, cli


@pytest.fixture(scope="module")
def found() -> list[house.Measure]:
    return house.measures(house.files())


def test_bounds_are_kept(found: list[house.Measure]) -> None:
    """What has reached its target stays there, what has not gets no worse."""
    broken = {
        each.name: (each.value, each.bound, each.worst[:5]) for each in found if not each.kept
    }
    assert not broken


def test_what_is_counted() -> None:
    """A circle, an inner import, a long line, a comment, a long and a wide function: each is
    seen."""
    long = "\n".join(f"    x = {i}" for i in range(70))
    one = f"""import twin.b

# why
def wide(self, a, b, c, d, e, f, g, h, i):
    import os
def tall():
    '''Says.'''
{long}
y = "{"z" * 120}"
"""
    made = [
        house.File(name, text.splitlines(), ast.parse(text))
        for name, text in (("twin.a", one), ("twin.b", "def f():\n    from twin import a\n"))
    ]
    seen = {each.name: each for each in house.measures(made)}
    assert seen["circles"].worst == ("twin.a twin.b",)
    assert seen["inner imports"].value == 2
    assert seen["long lines, %"].value == pytest.approx(100 / len([*one.splitlines(), "", ""]))
    assert seen["comments, %"].value > 0
    assert seen["long functions"].worst == ("twin.a.tall 71",)
    assert seen["wide functions"].worst == ("twin.a.wide 9",)


def test_every_command_is_listed_with_words_of_its_own() -> None:
    """Help lists what there is without importing it; each command is where the list says."""
    context = click.Context(cli)
    for name, (place, words) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command is not None and command.name == name, place
        assert words.endswith(".") and len(words) < 66, name
