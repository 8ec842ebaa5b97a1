"""A scenario: YAML files and settings merged, then checked, with every problem found before the
run.

Top-level keys: extends, name, description, start, warm_up, duration, seed, replicate, mechanisms,
policies, metrics. ``extends`` names another scenario file, whose values this one overrides:
mappings merge, numbers and lists replace. ``--set path=value`` overrides both; a path may leave out
the leading ``mechanisms.``. A policy may be kept in a file of its own: ``{use: file.yaml, at:
90d}`` in the list of policies overrides what the file says by the other keys, and ``--policy
file.yaml@90d`` adds one to the end of the list. All of them take names of what comes with twin, see
`shipped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twin.ground import files
from twin.ground.errors import Problem, ScenarioError, nearest
from twin.mechanisms import REGISTRY
from twin.scenario import shipped, standard_input
from twin.scenario.checking import Checker
from twin.scenario.model import TOP, Scenario
from twin.scenario.node import Node, merged
from twin.scenario.problems import Path_
from twin.scenario.yamlish import read_file, read_text
from twin.world.mechanism import Mechanism

__all__ = ["Scenario", "load"]


def load(
    path: Path | str,
    sets: Iterable[str] = (),
    policies: Iterable[str] = (),
    registry: Mapping[str, type[Mechanism[Any]]] | None = None,
    given: Sequence[tuple[Node, Path_]] = (),
) -> Scenario:
    """Read a scenario file and the files that it extends, apply ``path=value`` settings, add policy
    files, check everything.

    Files may be names of what comes with twin, and the scenario ``-`` is standard input. A policy
    is ``FILE`` or ``FILE@TIME``; ``given`` are
    more, as trees with their path in the file that they came from. Raises ScenarioError with all
    problems.
    """
    known = REGISTRY if registry is None else registry
    problems: list[Problem] = []
    if str(path) == standard_input.DASH:
        file = standard_input.PATH
    else:
        file = shipped.found(str(path), shipped.SCENARIO)
        # what is wrong with other files is found when they are read
        if lost := shipped.unknown(str(file), shipped.SCENARIO):
            raise ScenarioError([Problem(files.shown(str(path)), 0, "", *lost)])
    tree = _extended(file, (), problems)
    # as users write paths: the leading `mechanisms.` is understood
    problems = [
        replace(problem, path=problem.path.removeprefix("mechanisms.")) for problem in problems
    ]
    # values that were left out of the tree must not bring follow-up problems
    unread = [problem.path for problem in problems]
    for text in sets:
        try:
            # a later flag wins over an earlier one; a wrong one does not hide the others
            tree = merged(tree, _setting(text, [*known, *_named(tree)]))
        except ScenarioError as error:
            problems += error.problems
            unread += [problem.path for problem in error.problems]
    # after the settings, which may replace the list of policies
    own = _PolicyFiles(problems, unread)
    tree = own.laid(tree, policies, given)
    scenario = Checker(tree, known, problems, unread, own.used).scenario()
    if problems or scenario is None:
        raise ScenarioError(problems)
    return replace(scenario, source=str(file))


def _extended(path: Path, seen: tuple[Path, ...], problems: list[Problem]) -> Node:
    """The file merged over what it extends; where that fails, the file alone and a problem."""
    node = read_file(path, problems)
    base = node.value.pop("extends", None)
    if base is None:
        return node

    def refuse(reason: str, mend: str) -> Node:
        problems.append(Problem(str(path), node.keys["extends"], "extends", reason, mend))
        return node

    if base.kind != "scalar" or not isinstance(base.value, str):
        return refuse("is not a file name", "write one path, such as base.yaml")
    # relative to the file that names it, wherever the command is run
    target = shipped.found(base.value, shipped.SCENARIO, path.parent)
    # resolved, so that two spellings of one file are a circle too
    here = (*seen, path.resolve())
    if files.is_file(target) and target.resolve() in here:
        return refuse(
            f"is circular: {' -> '.join(each.name for each in (*here, target.resolve()))}",
            "remove extends: from one of them",
        )
    if not files.is_file(target):
        if lost := shipped.unknown(base.value, shipped.SCENARIO, path.parent):
            return refuse(*lost)
        reason, mend = files.trouble(target, base.value)
        # the file itself is no mend: it would be a circle
        others = [name for name in files.names(path.parent, "*.yaml") if name != path.name]
        missing = reason.startswith("there is no file")
        return refuse(
            f"{reason} beside this one" if missing else reason,
            nearest(target.name, others) if missing else mend,
        )
    try:
        return merged(_extended(target, here, problems), node)
    except ScenarioError as error:
        problems += error.problems
        return node


def extended(path: str) -> Scenario:
    """The scenario that a file extends; that of an empty file where it extends none. Raises
    ScenarioError."""
    problems: list[Problem] = []
    base = read_file(Path(path), problems).value.get("extends")
    if base is not None and isinstance(base.value, str):
        return load(shipped.found(base.value, shipped.SCENARIO, Path(path).parent))
    empty = Node("mapping", {"name": Node("scalar", "twin's defaults", "", 0)}, "", 0)
    scenario = Checker(empty, REGISTRY, problems, []).scenario()
    assert scenario is not None
    return scenario


def _named(tree: Node) -> list[str]:
    """Names of the mechanisms that a scenario brings itself."""
    blocks = tree.value.get("mechanisms")
    given = blocks.value.items() if blocks is not None and blocks.kind == "mapping" else ()
    return [name for name, block in given if block.kind == "mapping" and "class" in block.value]


def _setting(text: str, known: Iterable[str]) -> Node:
    """One ``--set path=value`` as a tree."""
    file = f"--set {text}"
    path, equals, value = text.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise ScenarioError(
            [Problem(file, 0, "", "is not path=value", "write e.g. --set audience.initial=1000")]
        )
    if parts[0] not in TOP:
        # `name.class` brings a new mechanism, whose name is not known yet
        if parts[0] not in known and parts[1:] != ["class"]:
            raise ScenarioError(
                [
                    Problem(
                        file, 0, path.strip(), "no such setting", nearest(parts[0], [*TOP, *known])
                    )
                ]
            )
        parts = ["mechanisms", *parts]
    if parts[0] == "extends":
        raise ScenarioError(
            [Problem(file, 0, "extends", "cannot be set by a flag", "run the other file instead")]
        )
    problems: list[Problem] = []
    node = read_text(value, file, problems, lines=False)
    if problems:
        raise ScenarioError(problems)
    for part in reversed(parts):
        node = Node("mapping", {part: node}, file, 0, {part: 0})
    return node


class _PolicyFiles:
    """Merges entries of the list of policies over the files that they use."""

    def __init__(self, problems: list[Problem], unread: list[str]) -> None:
        self.problems, self.unread = problems, unread
        self.used: dict[int, tuple[str, Path_]] = {}
        """Of a policy in the list: the file that it came from, and its path in there."""

    def laid(
        self, tree: Node, flags: Iterable[str], given: Sequence[tuple[Node, Path_]] = ()
    ) -> Node:
        """The tree with every ``use`` and every flag in the list of policies replaced by what it
        stands for, and ``given`` policies at the end."""
        listed = tree.value.get("policies")
        more = [_flag(text) for text in flags]
        if (listed is not None and listed.kind != "list") or not (listed or more or given):
            return tree
        made: list[Node] = []
        # `place` counts items as written, `len(made)` policies: a file may hold several
        for place, item in enumerate([*(listed.value if listed else ()), *more]):
            if item.kind == "mapping" and "use" in item.value:
                # keys beside `use` win over the file, for each of its policies
                over = Node(
                    "mapping",
                    {key: node for key, node in item.value.items() if key != "use"},
                    item.file,
                    item.line,
                    item.keys,
                )
                made += [merged(policy, over) for policy in self._read(item, place, len(made))]
            else:
                made.append(item)
        for item, within in given:
            self.used[len(made)] = (item.file, within)
            made.append(item)
        first = [*more, *(item for item, _ in given)]
        both = (
            Node("list", made, listed.file, listed.line)
            if listed
            else Node("list", made, first[0].file, 0)
        )
        return Node(
            "mapping",
            {**tree.value, "policies": both},
            tree.file,
            tree.line,
            # the line as written, where the scenario has a list of its own
            {"policies": both.line, **tree.keys},
        )

    def _read(self, item: Node, place: int, first: int) -> list[Node]:
        """The policies of the file that an item of the list names; they will stand from ``first``
        on."""
        name, line = item.value["use"], item.keys["use"]

        def refuse(reason: str, mend: str) -> list[Node]:
            # a flag is its own place: its number in the list would mean nothing to the user
            path = "" if item.file.startswith("--policy") else f"policies.{place}.use"
            self.problems.append(Problem(name.file, line, path, reason, mend))
            return []

        if name.kind != "scalar" or not isinstance(name.value, str):
            return refuse(
                "is not a file name", "write one path, such as policies/chronological.yaml"
            )
        # a flag's file is relative to the current folder, any other to the file that names it
        beside = Path() if name.file.startswith("--") else Path(name.file).parent
        target = shipped.found(name.value, shipped.POLICY, beside)
        if not files.is_file(target):
            return refuse(*shipped.missing(name.value, shipped.POLICY, beside))
        found: list[Problem] = []
        try:
            node = read_file(target, found)
        except ScenarioError as error:
            self.problems += error.problems
            return []
        self.problems += found
        policies = self._inside(node, str(target))
        for i, (within, policy) in enumerate(policies):
            self.used[first + i] = (str(target), within)
            start = "".join(f"{part}." for part in within)
            # in the file a path begins with its place there, in the tree with the policy's number
            self.unread += [
                f"policies.{first + i}.{each.path.removeprefix(start)}"
                for each in found
                if each.path.startswith(start)
            ]
            if "use" in policy.value:
                self.problems.append(
                    Problem(
                        str(target),
                        policy.keys["use"],
                        f"{start}use",
                        "a policy file cannot use another",
                        "name both files in the scenario",
                    )
                )
                # reported once: the check must not take it for an unknown key as well
                del policy.value["use"]
        return [policy for _, policy in policies]

    def _inside(self, node: Node, file: str) -> list[tuple[Path_, Node]]:
        """One policy, or those of its list, each with its path in the file."""
        if "policies" not in node.value:
            return [((), node)]
        for key in node.value:
            if key != "policies":
                self.problems.append(
                    Problem(
                        file,
                        node.keys[key],
                        key,
                        "stands beside a list of policies",
                        "put it into each of them",
                    )
                )
        listed = node.value["policies"]
        if listed.kind != "list":
            self.problems.append(
                Problem(
                    file,
                    listed.line,
                    "policies",
                    "is not a list",
                    "begin each policy with `- name: ...`",
                )
            )
            return []
        for i, policy in enumerate(listed.value):
            if policy.kind != "mapping":
                self.problems.append(
                    Problem(
                        file,
                        policy.line,
                        f"policies.{i}",
                        "is not a mapping",
                        "write {name: ..., set: ...}",
                    )
                )
        return [
            (("policies", i), policy)
            for i, policy in enumerate(listed.value)
            if policy.kind == "mapping"
        ]


def _flag(text: str) -> Node:
    """``FILE`` or ``FILE@TIME`` as an item of the list of policies."""
    name, at, time = text.rpartition("@")
    # a file's name may itself contain an @
    if not at or files.is_file(Path(text)):
        name, time = text, ""
    flag = f"--policy {text}"
    given = {"use": name, "at": time} if time else {"use": name}
    return Node(
        "mapping",
        {key: Node("scalar", value, flag, 0) for key, value in given.items()},
        flag,
        0,
        dict.fromkeys(given, 0),
    )
