"""The base of rankers: parameters, named arrays, random numbers, and the methods that a ranker
writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import Draws
from twin.ranking.batch import Batch
from twin.ranking.lesson import Lesson
from twin.world.params import Params as ParamsBase
from twin.world.state import Keep, World

P = TypeVar("P", bound=ParamsBase)
OWNER = "recommender.ranker"
"""Owner of a ranker's arrays, levers and random numbers."""


class Memory(Keep):
    """A ranker's named arrays, which a checkpoint holds: a mapping of names to arrays of numbers.

    They may be written in `Ranker.setup`, `Ranker.learn` and `Ranker.gone` alone; at other times
    they are given read-only, so that a score cannot depend on which sessions were scored before.
    """

    open = False

    def __getitem__(self, name: str) -> NDArray[Any]:
        array = super().__getitem__(name)
        if self.open:
            return array
        view = array.view()
        view.flags.writeable = False
        return view

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        """Raises ValueError for a name or an array that a checkpoint could not hold."""
        if not self.open:
            raise ValueError(
                f"keep[{name!r}] cannot be written here; write it in setup, learn or gone"
            )
        if not name.isidentifier() or not name.isascii():
            raise ValueError(f"keep[{name!r}]: a name is letters, digits and _")
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise ValueError(f"keep[{name!r}] holds arrays of numbers, not {kind}")
        # A copy: an array that is written elsewhere later would change without being open
        super().__setitem__(name, np.array(array))


class Ranker(Generic[P]):
    """Base of all rankers; `P` is the type of its parameters, which are its ``p``.

    Write `score`; `setup`, `learn` and `gone` if there is anything to remember. A ranker is thrown
    away and rebuilt at every resume: what changes lives in ``keep``, attributes may hold only what
    follows from the parameters. Sessions of a window may come in one call or one by one
    (``--reference``), so the scores of a session must not depend on the others in its batch.

    Class attributes: ``Params`` (its parameters, declared like those of a mechanism; those with
    ``lever=True`` may be changed by a policy as ``recommender.ranker.NAME``), ``weighs`` (True:
    scores are weights, and rules of the slate lower them as they lower the value model's: further
    posts of a creator, likeness, slots for followed creators; False: only their order counts).
    """

    Params: ClassVar[type[ParamsBase]] = ParamsBase
    weighs: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    """True for one that asks outside: what it gives does not follow from the scenario alone."""

    def __init__(self, params: P, world: World) -> None:
        self.p = params
        self.keep = Memory(world, OWNER)
        self._draws: Draws = world.draws
        self._lever: Callable[[str], Any] = world.lever

    def setup(self) -> None:
        """Begin: write the first arrays into ``keep``. Runs once, when the world is new."""

    def score(self, batch: Batch) -> NDArray[Any]:
        """The score of every candidate of ``batch``, any float (``batch.size``,): the higher, the
        sooner shown; -inf for one that must not be shown. Numbers are taken to float32. Called once
        for all sessions of a serving window; never without candidates."""
        raise NotImplementedError

    def learn(self, lesson: Lesson) -> None:
        """Learn from what people did since the last training, every ``recommender.retrain_every``;
        write what was learned into ``keep``."""

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Rows of ``consumers``, ``posts`` or ``creators`` are about to be given to others: forget
        what is known by row number."""

    def lever(self, name: str) -> Any:
        """The value in effect of one of the ranker's own parameters that are levers."""
        return self._lever(f"{OWNER}.{name}")

    def uniforms(
        self, decision: str, keys: NDArray[np.uint64], occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """Uniforms (n, 4) in (0, 1) for a named decision, keyed by u8 ids (n,) and an occasion: the
        same on every machine and after every resume. `Batch.uniforms` gives one per candidate."""
        return self._draws.uniforms(f"{OWNER}.{decision}", keys, occasion)
