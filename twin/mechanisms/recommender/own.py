"""The recommender with a ranker of the scenario's own: where it is asked, and what it may see.

Candidates, slates, links, and the built-in model with its metrics are those of the recommender; the
lever ``ranking`` has one more value, ``own``, at which it stands unless the scenario says
otherwise. The public counters that a ranker sees are those of the last refresh (``own.*`` of
``keep``), since counters move within a window, and one call scores all sessions of it.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import create_model

from twin.ground.errors import Foreign, TwinError, one_line
from twin.kernels.own import Offer
from twin.kernels.rules import Ranking
from twin.mechanisms.recommender import Recommender
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.serving import Server
from twin.ranking import Batch, Feed, Lesson, Ranker, Wrong, checked
from twin.world.mechanism import Mechanism
from twin.world.params import Params, group, par


class _Server(Server):
    """Knows the ranking ``own``, whose scores are only an order."""

    rankings: Mapping[str, int] = {**Server.rankings, "own": Ranking.OWN}


class _Weigher(Server):
    """Knows the ranking ``own``, whose scores are weights."""

    rankings: Mapping[str, int] = {**Server.rankings, "own": Ranking.OWN_WEIGHED}


class RankedParams(RecommenderParams):
    """Parameters of the recommender that has a ranker of the scenario's own."""

    ranking: Literal["own", "value", "chronological", "popularity", "random"] = par(  # type: ignore[assignment]
        "own",
        "how candidates are ordered; own is the scenario's ranker, value the learned value model",
        lever=True,
        per="consumers",
    )


@functools.cache
def parameters(kind: type[Ranker[Any]]) -> type[RankedParams]:
    """The recommender's parameters with those of a ranker as ``ranker``."""
    made: type[RankedParams] = create_model(
        "RecommenderParams",
        __base__=RankedParams,
        __doc__=RecommenderParams.__doc__,
        ranker=(kind.Params, group(kind.Params, "the ranker of the scenario's own")),
    )
    return made


def with_ranker(kind: type[Ranker[Any]], file: str, where: str) -> type[Mechanism[Any]]:
    """The recommender with a ranker: its class, its module's file, and where the scenario names
    it."""
    return type(
        "Recommender",
        (Ranked,),
        {
            "__doc__": Recommender.__doc__,
            "Params": parameters(kind),  # type: ignore[arg-type]
            "serves": _Weigher if kind.weighs else _Server,
            "asks": kind.asks,
            "kind": kind,
            "file": file,
            "where": where,
        },
    )


class Ranked(Recommender):
    """Learns from the log and serves slates, which a ranker of the scenario's own may order."""

    provides = (*Recommender.provides, "rank")
    kind: ClassVar[type[Ranker[Any]]]
    file: ClassVar[str]
    where: ClassVar[str]

    def __init__(self, params: RecommenderParams, world: Any) -> None:
        super().__init__(params, world)
        world.provide("rank", self.rank)
        own: Params = params.ranker  # type: ignore[attr-defined]
        with self._blamed("__init__"):
            self.ranker = self.kind(own, world)

    @contextmanager
    def _blamed(self, method: str) -> Iterator[None]:
        """Lay an error inside to the ranker, in one line. Raises Foreign."""
        try:
            yield
        except Foreign:
            raise
        except Wrong as error:
            raise Foreign(one_line(f"{self.where} recommender.ranker: {error}")) from None
        except Exception as error:
            # The deepest line of the ranker's own file, else of whatever it called
            frames = traceback.extract_tb(error.__traceback__)[1:]
            own = [frame for frame in frames if frame.filename == self.file] or frames
            place = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
            kind = "" if isinstance(error, TwinError) else f"{type(error).__name__}: "
            text = one_line(f"{self.where} recommender.ranker: {method}: {place}{kind}{error}")
            raise Foreign(text) from error

    def _write(self, method: str, work: Callable[[], None]) -> None:
        """Let the ranker write its arrays."""
        self.ranker.keep.open = True
        try:
            with self._blamed(method):
                work()
        finally:
            self.ranker.keep.open = False

    def setup(self) -> None:
        """Also of the ranker."""
        super().setup()
        self._note()
        self._write("setup", self.ranker.setup)

    def _note(self) -> None:
        """Keep the public counters of posts that may be shown, as they are at a refresh."""
        eligible = self.keep.get("eligible", np.zeros(0, np.int32))
        self.keep["own.responses"] = self.read("posts", "counts")[eligible]
        self.keep["own.impressions"] = self.read("posts", "impressions")[eligible]

    def refresh(self) -> None:
        """Also of the counters that a ranker sees."""
        super().refresh()
        self._note()

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """The ranker forgets too."""
        super().gone(table, rows)
        self._write("gone", lambda: self.ranker.gone(table, rows.copy()))

    def retrain(self) -> None:
        """Before the log is cut, the ranker learns from it."""
        if self.due():
            lesson = self._lesson()
            self._write("learn", lambda: self.ranker.learn(lesson))
        super().retrain()

    def _lesson(self) -> Lesson:
        log = self.learner.log.part(self.learner.log.interval)
        creator = self.read("posts", "creator")[log.post]
        return Lesson(
            since=int(self.keep["times"]["retrained"][0]) - self.world.warm_up,
            until=self.world.elapsed,
            person=log.consumer,
            person_id=self.read("consumers", "key")[log.consumer],
            post=log.post,
            post_id=self.read("posts", "key")[log.post],
            creator=creator,
            creator_id=self.read("creators", "key")[creator],
            place=log.place,
            source=log.source,
            mask=log.responses,
        )

    def rank(
        self, rows: NDArray[np.int64], own: NDArray[np.bool_], offer: Offer
    ) -> NDArray[np.float32]:
        """The ranker's scores f4 (m,) of what is offered to these people (n,), of whom it serves
        those marked."""
        if not len(offer.post):
            return np.zeros(0, np.float32)
        # Sessions that other rankings serve have no candidates: their places are left out
        start = np.append(offer.start[:-1][own], offer.start[-1])
        batch = Batch(rows[own], offer._replace(start=start), self._feed())
        with self._blamed("score"):
            return checked(self.ranker.score(batch), batch)

    def _feed(self) -> Feed:
        return Feed(
            read=self.read,
            served=self.server.serving(),
            counts=(self.keep["own.responses"], self.keep["own.impressions"]),
            draws=self.world.draws,
            levers=lambda name: self.levers_by_arm("consumers", f"ranker.{name}"),
            warm_up=self.world.warm_up,
        )


def named(file: str, line: int) -> str:
    """Where a scenario names its ranker, as problems show it."""
    return f"{Path(file).name}:{line}" if line else file
