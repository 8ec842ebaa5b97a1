"""The check of a scenario's own ranker: ``recommender: {ranker: {class: package.module.Class}}``.

The class is searched for as that of a mechanism is (`outside`), and must keep the contract of
`twin.ranking.Ranker`. The recommender then has its parameters below ``ranker``.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twin.mechanisms.recommender.own import named
from twin.ranking import Ranker
from twin.ranking.remote import URL
from twin.scenario.importing import Trouble
from twin.scenario.model import Scenario
from twin.scenario.outside import Outside, located
from twin.world.params import Params

NAME = "recommender.ranker"
"""Under which name it stands among what a scenario brings."""


def find(path: object, folders: Iterable[Path]) -> tuple[type[Ranker[Any]], Outside]:
    """The ranker at a dotted path. Raises Trouble."""
    kind, outside = located(path, folders, Ranker)
    title = str(path).rpartition(".")[2]
    if not isinstance(kind, type) or not issubclass(kind, Ranker):
        raise Trouble(f"{path} is not a ranker", "derive the class from twin.Ranker")
    if kind.score is Ranker.score:
        raise Trouble(f"{title} has no method score", "write def score(self, batch): ...")
    for name, given in (("setup", 0), ("score", 1), ("learn", 1), ("gone", 2)):
        _callable(title, kind, name, given)
    if not isinstance(kind.Params, type) or not issubclass(kind.Params, Params):
        raise Trouble(f"the Params of {title} are no parameters", "write a subclass of twin.Params")
    if clash := sorted({"class", "from"} & set(kind.Params.model_fields)):
        raise Trouble(
            f"{title} has a parameter {clash[0]}", "class and from name the ranker itself"
        )
    if not isinstance(kind.weighs, bool):
        raise Trouble(f"weighs of {title} is {kind.weighs!r}", "write True or False")
    return kind, outside


def _callable(title: str, kind: type[Any], name: str, given: int) -> None:
    """A method must take what it is called with. Raises Trouble."""
    method = getattr(kind, name)
    try:
        inspect.signature(method).bind(*[None] * (given + 1))
    except (TypeError, ValueError):
        told = ", ".join(("self", "batch" if name == "score" else "lesson")[: given + 1])
        told = "self, table, rows" if given == 2 else told
        raise Trouble(
            f"{name} of {title} does not take what it is given", f"write def {name}({told})"
        ) from None


def who_ranks(scenario: Scenario) -> str:
    """Which ranker of its own a scenario has, and whom it ranks for; "" where it has none."""
    recommender: Any = scenario.mechanisms["recommender"]
    own = getattr(recommender, "ranker", None)
    if own is None:
        return ""
    lever = "recommender.ranking"
    by = [each.title for each in scenario.policies if each.set.get(lever) == "own"]
    whom = "for everybody" if recommender.ranking == "own" else "for nobody at the start"
    if recommender.ranking != "own":
        whom += f", then under {', '.join(by)}" if by else f" ({lever} is {recommender.ranking})"
    file, line = scenario.tree.at(("mechanisms", *NAME.split(".")))
    outside, where = scenario.outside.get(NAME), named(file, line)
    if outside is None:
        url = (os.environ.get(URL) or own.url).partition("?")[0]
        return f"ranker {url} ({where}) ranks {whom}"
    return f"ranker {outside.path} ({where}, {outside.file}) ranks {whom}"
