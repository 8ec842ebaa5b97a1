"""Inputs that are nearly right: scenarios, policies and values with a few things changed.

Mutations know the grammar: they work on the tree of a real file and on declared parameters with
their bounds, and now and then on the text itself.
"""

from __future__ import annotations

import copy
import functools
import random
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import SCENARIOS
from twin.mechanisms import REGISTRY
from twin.scenario.model import TOP
from twin.scenario.problems import bounds
from twin.world.params import leaves, meta

LEAVES = [(f"{name}.{path}", i) for name, k in REGISTRY.items() for path, i in leaves(k.Params)]
PATHS = [path for path, _ in LEAVES] + [key for key in TOP if key not in ("mechanisms", "extends")]
FILES = sorted(SCENARIOS.glob("*.yaml"))
POLICIES = sorted((SCENARIOS / "policies").glob("*.yaml"))
LONG = "a" * 300

SCALARS: tuple[Any, ...] = (
    # numbers at the edges of what eight bytes, a float and a date hold
    *(0, 1, -1, 2, 7, 2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63, 10**19, 10**400),
    *(0.0, -0.0, 0.5, 1.0, 1e-300, 5e-324, 1e308, -1e308, float("inf"), float("nan")),
    *(True, False, None, "", " ", "~", "null", "true", "0", "-", ".", "..", "/", "a b"),
    # times and rates
    *("0d", "1s", "10min", "6h", "7d", "90d", "52w", "0.5d", "1.00001s", "-1d", "9e308d", "d"),
    *("9" * 400 + "d", "9" * 400 + "/d", "1e400/d", "3/d", "0/d", "2%/d", "1e300/s", "-1/d", "/d"),
    *("999w", "36500d", "24820d", "24821d", "\u0663d", "\u0663/d", "1\u00b2d"),
    *("2025-01-01", "0001-01-01", "9999-12-31", "2262-04-12", "2025-02-30", "2025-1-1"),
    *("20250101", "2025-W01-1", "2025-01-01T00:00:00", "12:30", "1e-3", "0x10", "1_000", "=", "<<"),
    # names and files
    *("base.yaml", "none.yaml", ".", "policies", "/dev/null", LONG, LONG + ".yaml", "a/" * 2100),
    *("policies/chronological.yaml", "base.yaml/x", "/proc/self/mem", "~/x.yaml", "a\0b", "\ud800"),
    *("K\u00f6ln", "\u202e", "\U0001f600", "a\nb", "a\tb", "'", '"', "{", "%s", "{0}", "${HOME}"),
    # conditions
    *("satisfaction_mean < 0.3", "posts_total{by=ai} > 1e308", "x < y < z", "{}<1", "a{b}>1", "<1"),
    *("enjoyed_per_session > 9" + "9" * 400, "trust_mean>=0.5", "trust_mean = 0.5"),
)
COLLECTIONS: tuple[Any, ...] = (
    *([], {}, [[]], [{}], [None], {"a": None}, {"": 1}, {"class": "a.B"}, {"class": 1}, [1, 2]),
    *({"enabled": False}, {"enabled": 1}, {"class": "os.path"}, {"class": "a.B", "from": LONG}),
    *([{"use": "policies/chronological.yaml"}], [{"use": LONG}], [{"use": []}], [{"use": "."}]),
    *([{"name": "a", "set": {"recommender.preset": "likes"}}], [{"set": {"": 1}}], [{"set": []}]),
    {"human": {"initial": {}}},
)
TOKENS = (
    *("\n", "  ", " ", ":", ": ", "- ", "[", "]", "{", "}", ",", "#", "&a ", "*a", "!!int ", "'"),
    *('"', "|\n", ">-\n", "? ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\r\n", "\ufeff", "\x00"),
    *("\x85", "\u2028", "<<: ", "0o7", "1e3", "@", "`", "\\", '"\\ud800"', '"\\0"', "9" * 40),
)


def value(draw: random.Random, path: str = "") -> Any:
    """A value: for a known parameter mostly one at or just beyond its bounds."""
    info = dict(LEAVES).get(path)
    if info is not None and draw.random() < 0.5:
        low, high = bounds(info)
        near = draw.choice([each for each in (low, high, 0, 1, info.default) if each is not None])
        if isinstance(near, int | float) and not isinstance(near, bool):
            near = draw.choice([near, near + 1, near - 1, near * 2, near / 2, -near])
            unit = meta(info)["unit"]
            whole = int(near) if float(near).is_integer() else near
            return draw.choice([f"{whole}s", f"{near / 86400}d"]) if unit == "s" else whole
        return near
    # a copy: later changes of the tree must not reach the list
    return copy.deepcopy(draw.choice(COLLECTIONS if draw.random() < 0.2 else SCALARS))


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(node, dict):
        for key, inner in node.items():
            found += places(inner, (*path, key))
    elif isinstance(node, list):
        for place, inner in enumerate(node):
            found += places(inner, (*path, place))
    return found


def put(tree: Any, path: tuple[Any, ...], new: Any) -> None:
    """Write a value into mappings, with one where something else stood."""
    for part in path[:-1]:
        if not isinstance(tree.get(part), dict):
            tree[part] = {}
        tree = tree[part]
    tree[path[-1]] = new


def _change(draw: random.Random, tree: Any) -> None:
    """One change of a tree, in place."""
    known = draw.choice(LEAVES)[0]
    if draw.random() < 0.3 and isinstance(tree.setdefault("mechanisms", {}), dict):
        put(tree, ("mechanisms", *known.split(".")), value(draw, known))
        return
    if draw.random() < 0.1:
        tree[draw.choice([*TOP, "x", 1, None, True])] = value(draw)
        return
    place = draw.choice(places(tree)[1:] or [("name",)])
    parent = tree
    for part in place[:-1]:
        parent = parent[part]
    if place[-1] not in (parent if isinstance(parent, dict) else range(len(parent))):
        return
    old, how = parent[place[-1]], draw.randrange(6)
    dotted = ".".join(map(str, place[1:] if place[0] == "mechanisms" else place))
    if how == 0:
        del parent[place[-1]]
    elif how == 1 and isinstance(parent, dict):
        name = str(place[-1])
        typo = name[:-1] or draw.choice(SCALARS)
        parent[draw.choice([typo, name + "x", known, LONG, name.upper()])] = parent.pop(place[-1])
    elif how == 2:
        parent[place[-1]] = [old]
    elif how == 3:
        parent[place[-1]] = {draw.choice(["a", known, "class"]): old}
    else:
        parent[place[-1]] = value(draw, dotted)


def garbled(draw: random.Random, text: str) -> str:
    """One change of a text, wherever."""
    at = draw.randrange(len(text) + 1)
    how = draw.randrange(4)
    if how == 0:
        return text[:at] + draw.choice(TOKENS) + text[at:]
    if how == 1:
        return text[:at] + text[min(len(text), at + draw.randrange(1, 30)) :]
    if how == 2:
        lines = text.splitlines(keepends=True) or [""]
        lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))
        return "".join(lines)
    return text[:at] + draw.choice(TOKENS) + text[at + 1 :]


@functools.cache
def _parsed(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def document(draw: random.Random, files: list[Path]) -> str:
    """The text of one of these YAML files, with one to four changes."""
    tree = copy.deepcopy(_parsed(draw.choice(files)))
    for _ in range(draw.randrange(4)):
        if isinstance(tree, dict):
            _change(draw, tree)
    text = yaml.dump(tree, sort_keys=False, allow_unicode=True)
    for _ in range(draw.choice([0, 0, 1, 2])):
        text = garbled(draw, text)
    return text


def flow(given: Any) -> str:
    """A value as a flag has it: YAML on one line."""
    if isinstance(given, str):
        return given
    return yaml.dump(given, default_flow_style=True, width=10**6).removesuffix("\n...\n").strip()
