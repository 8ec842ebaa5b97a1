"""The check of a scenario's mechanisms: their classes, parameters, files, and what they need of one
another."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from twin.ground import files
from twin.ground.errors import Problem, nearest
from twin.mechanisms import REGISTRY
from twin.mechanisms.recommender.own import named, with_ranker
from twin.ranking import Ranker
from twin.ranking.remote import HttpRanker
from twin.scenario import rankers, replacing
from twin.scenario.importing import Trouble
from twin.scenario.model import OFF
from twin.scenario.node import Node
from twin.scenario.outside import Outside, clashes, find, folder_key
from twin.scenario.problems import Collector, Path_
from twin.world.mechanism import Mechanism
from twin.world.params import Params, leaves, meta
from twin.world.protocol import lacks


class MechanismChecker(Collector):
    """Checks the blocks under ``mechanisms``."""

    def __init__(
        self,
        tree: Node,
        registry: Mapping[str, type[Mechanism[Any]]],
        problems: list[Problem],
        unread: Iterable[str] = (),
        used: Mapping[int, tuple[str, Path_]] | None = None,
    ) -> None:
        super().__init__(tree, problems, unread, used)
        self.registry = dict(registry)
        """The mechanisms that come with twin, and those that the scenario brings."""
        self.outside: dict[str, Outside] = {}
        """Where the latter come from."""
        self.off: list[str] = []
        """Mechanisms that are left out, or whose class cannot be used."""
        self.failed: list[str] = []
        """Mechanisms whose class cannot be used: what they would declare is not known."""

    def elsewhere(self, name: str) -> str:
        """See `Collector.elsewhere`; a name that several places have is no mend."""
        found = [
            f"{mechanism}.{path}"
            for mechanism, kind in self.registry.items()
            for path, _ in leaves(kind.Params)
            if path.rpartition(".")[2] == name
        ]
        return f"did you mean {found[0]}?" if len(found) == 1 else ""

    def find_own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Find the classes that the scenario brings, and enter them in its registry. Returns the
        blocks, with `none` written out."""
        # `opinions: none`, as one says it
        given = {
            name: {"enabled": False} if data == OFF and name in self.registry else data
            for name, data in given.items()
        }
        self._find_ranker(given.get("recommender"))
        # as it was: entries are added below
        builtin = dict(self.registry)
        # sorted: the registry's order must not depend on the order of the file
        for name, data in sorted(given.items()):
            if not isinstance(data, dict) or "class" not in data or name == "policies":
                continue
            path: Path_ = ("mechanisms", name, "class")
            replaced = builtin.get(name)
            if replaced is not None and replaced.replaced_by == "none":
                self.add(path, f"no class can stand in for {name}", f"write {replaced.instead}")
                continue
            # a mechanism that is left out is not even imported
            if data.get("enabled") is not False:
                try:
                    kind, outside = find(data["class"], self._folders(name, data), name)
                    if replaced is not None:
                        replacing.must_derive(kind, replaced)
                    self.registry[name], self.outside[name] = kind, outside
                    continue
                except Trouble as trouble:
                    self.add(path, trouble.reason, trouble.mend)
                except NotADirectoryError as error:
                    self.add(
                        (*path[:2], folder_key(name)),
                        str(error),
                        "write the folder that contains the module's package",
                    )
                # what it would have offered is not known: nothing is reported for what names it
                self.failed.append(name)
            self.off.append(name)
        return given

    def _find_ranker(self, data: Any) -> None:
        """Find the recommender's ranker, if the scenario brings one."""
        given = data.get("ranker") if isinstance(data, dict) else None
        if given is None or data.get("enabled") is False:
            return
        path: Path_ = ("mechanisms", "recommender", "ranker")
        kind: type[Ranker[Any]] = Ranker
        try:
            if isinstance(given, dict) and "class" in given:
                kind, outside = rankers.find(
                    given["class"], self._folders("recommender", given, ("ranker",))
                )
                self.outside[rankers.NAME] = outside
            elif isinstance(given, dict) and "url" in given:
                kind = HttpRanker
            else:
                raise Trouble(
                    "names no class and no address",
                    "write ranker: {class: package.module.Class}, or {url: http://...}",
                )
        except Trouble as trouble:
            within = ("class",) if isinstance(given, dict) and "class" in given else ()
            self.add((*path, *within), trouble.reason, trouble.mend)
        except NotADirectoryError as error:
            self.add(
                (*path, "from"), str(error), "write the folder that contains the module's package"
            )
        if kind is Ranker:
            # what parameters it would have is not known: nothing is reported for what names them
            self.failed.append("recommender")
        file, line = self.tree.at(path)
        found = self.outside.get(rankers.NAME)
        self.registry["recommender"] = with_ranker(
            kind, found.file if found else "", named(file, line)
        )

    def _without_class(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a block, without what names its class or that of its ranker."""
        if "class" in data:
            places = ("class", folder_key(name))
            data = {key: value for key, value in data.items() if key not in places}
        if name != "recommender" or "ranker" not in data:
            return data
        ranker = data["ranker"]
        rest = {key: value for key, value in data.items() if key != "ranker"}
        if ranker is None:
            return rest
        # of a class that cannot be used no parameter is known
        if name in self.failed:
            return {**rest, "ranker": {}}
        own = {key: value for key, value in ranker.items() if key not in ("class", "from")}
        return {**rest, "ranker": own}

    def _folders(self, name: str, data: Mapping[str, Any], within: Path_ = ()) -> list[Path]:
        """Where a class is searched for before Python's path."""
        key = "from" if within else folder_key(name)
        key = key if key in data else "class"
        file, _ = self.tree.at(("mechanisms", name, *within, key))
        # a flag's folder is relative to the current one, a file's to the file
        beside = Path() if file.startswith("--") else Path(file).parent
        if key == "class":
            return [beside, Path()]
        folder = beside / str(data[key])
        if not files.is_folder(folder):
            raise NotADirectoryError(f"there is no folder {files.shown(str(folder))}")
        return [folder]

    def check_mechanisms(self, given: Mapping[str, Any]) -> dict[str, Params]:
        """The parameters of every mechanism that takes part, by name; those with problems are left
        out."""
        found: dict[str, Params] = {}
        for name in given:
            if name == "policies" or (name not in self.registry and name not in self.off):
                mend = "policies: is a top-level list"
                if name != "policies":
                    mend = nearest(name, [each for each in self.registry if each != "policies"])
                    mend += (
                        ""
                        if mend.startswith("did")
                        else "; one of your own needs class: package.module.Class"
                    )
                self.add(("mechanisms", name), "no such mechanism", mend)
        # every mechanism takes part unless it is left out, whether or not the file names it
        for name, kind in self.registry.items():
            if name == "policies":
                continue
            data = self._settings(name, kind.Params, given.get(name))
            if data is None:
                continue
            made = self.build(kind.Params, data, ("mechanisms", name))
            if made is not None:
                found[name] = made
        # a service may be lost with its mechanism, unless another offers it too
        offered = {service for name in found for service in self.registry[name].provides}
        # what a class that cannot be used would offer is not known
        for gone in sorted((set(self.off) - set(self.failed)) & set(self.registry)):
            lost = set(self.registry[gone].provides) - offered
            users = [name for name in found if lost & set(self.registry[name].needs)]
            if users:
                self.add(
                    ("mechanisms", gone),
                    f"is left out, but needed by {', '.join(users)}",
                    f"enable {gone}, or leave these out too",
                )
        # mechanisms that come with twin fit together; those brought along may not
        for name in sorted(set(self.outside) & set(found)):
            self._fits(name, {each: self.registry[each] for each in found if each != name})
        return found

    def _settings(self, name: str, model: type[Params], data: Any) -> Any:
        """A block's parameters as plain data; None for a mechanism that is left out, or whose block
        is no mapping, which is noted."""
        # of a class that cannot be used no parameter is known; the ranker's block is another's
        if name in self.failed and name != "recommender":
            return None
        # `audience:` with nothing below it: all defaults
        data = {} if data is None else data
        if data is False:
            self.add(("mechanisms", name), "is not a mapping", "write none to leave it out")
            return None
        if not isinstance(data, dict):
            self.build(model, data, ("mechanisms", name))
            return None
        if "enabled" in data:
            if not isinstance(data["enabled"], bool):
                self.add(
                    ("mechanisms", name, "enabled"),
                    "is not true or false",
                    "write enabled: false to leave it out",
                )
            elif data["enabled"] is False:
                self.off.append(name)
                return None
            # switches of the block, not parameters of the mechanism
            data = {key: value for key, value in data.items() if key != "enabled"}
        if name in self.outside:
            block = self.tree.inside(("mechanisms", name))
            data = replacing.without_inherited(data, block, model)
        return self._paths(model, self._without_class(name, data), ("mechanisms", name))

    def _fits(self, name: str, others: Mapping[str, type[Mechanism[Any]]]) -> None:
        """What keeps a class of the scenario's own from working with the other mechanisms."""
        kind, path = self.registry[name], ("mechanisms", name, "class")
        for clash in clashes(kind, others):
            self.add(path, clash, f"change it in {self.outside[name].path}")
        if name in REGISTRY:
            for reason, mend in lacks(kind, REGISTRY[name], others.values()):
                self.add(path, reason, mend)

    def _paths(self, model: type[Params], data: Any, path: Path_) -> Any:
        """File parameters relative to the file that gave them; a missing file is a problem."""
        for place in _file_names(model):
            *groups, name = place.split(".")
            given = data
            for part in groups:
                given = given.get(part) if isinstance(given, dict) else None
            given = given.get(name) if isinstance(given, dict) else None
            if not isinstance(given, str) or not given:
                continue
            at = (*path, *groups, name)
            file, _ = self.tree.at(at)
            base = Path() if file.startswith("--set") else Path(file).parent
            target = (base / given).absolute()
            if not files.is_file(target):
                self.add(at, *files.trouble(target, given, "*"))
            # absolute, so that the resolved scenario works from any folder
            data = _with(data, (*groups, name), str(target))
        return data

    def parameters(self) -> dict[str, FieldInfo]:
        """Every number of every mechanism that takes part, by its path."""
        return {
            f"{each}.{path}": info
            for each, kind in self.registry.items()
            if each not in ("policies", *self.off)
            for path, info in leaves(kind.Params)
        }


@functools.cache
def _file_names(model: type[Params]) -> tuple[str, ...]:
    """The paths of parameters that are names of files."""
    return tuple(path for path, info in leaves(model) if meta(info)["path"])


def _with(data: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of nested data with another value at a path."""
    first, *rest = path
    return {**data, first: _with(data[first], tuple(rest), value) if rest else value}
