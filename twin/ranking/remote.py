"""A ranker behind HTTP: ``recommender: {ranker: {url: ...}}``. What is said is in `wire`.

Every answer is written down in the run folder (`answers`), by what was asked: a run that is
resumed meets the same answers again, and one that is given the record needs no service. The address
may come from the environment (TWIN_RANKER_URL), a bearer token does (TWIN_RANKER_TOKEN) and nothing
else: it reaches no file. Redirects are not followed, and no proxy is asked.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from twin.ground.units import MINUTE
from twin.ranking import wire
from twin.ranking.answers import NAME, Answer, Answers
from twin.ranking.batch import Batch
from twin.ranking.client import Client, address
from twin.ranking.ranker import Ranker
from twin.ranking.scores import Wrong, checked
from twin.world.params import Duration, Params, par
from twin.world.state import World

URL = "TWIN_RANKER_URL"


class HttpParams(Params):
    """Parameters of a ranker behind HTTP."""

    url: str = par(
        "",
        "address of the service, such as http://127.0.0.1:8000/rank; TWIN_RANKER_URL in the "
        "environment stands above it",
    )
    form: Literal["batch", "single"] = par(
        "batch",
        "batch: one request for all sessions of a window; single: one per session, as in the "
        "Prosocial Ranking Challenge",
    )
    on_failure: Literal["stop", "fallback"] = par(
        "stop",
        "what happens when the service fails: the run stops and can be resumed, or posts of that "
        "window are shown newest first",
    )
    timeout: Duration = par(
        10, "time for a whole answer, by the clock on the wall", unit="s", low=1, high=60 * MINUTE
    )
    retries: int = par(2, "further tries where a try brings no whole answer", low=0, high=100)
    may_remove: bool = par(False, "whether an answer may leave posts out, which are not shown then")
    anywhere: bool = par(False, "whether the service may be on another machine")
    answers: str = par(
        "", "record of an earlier run's answers (its answers.bin), asked first", path=True
    )

    @model_validator(mode="after")
    def _address(self) -> HttpParams:
        if self.url:
            address(self.url, self.anywhere)
        return self


class HttpRanker(Ranker[HttpParams]):
    """Asks a service."""

    Params, asks = HttpParams, True

    def __init__(self, params: HttpParams, world: World) -> None:
        super().__init__(params, world)
        self._world, self._client = world, Client(params.timeout, params.retries)
        self._scribe = wire.Scribe(world.start_of_scenario)
        self._records: list[Answers] | None = None

    def setup(self) -> None:
        """The service has not failed yet."""
        self.keep["failing"] = np.zeros(1, bool)

    def score(self, batch: Batch) -> NDArray[Any]:
        """As recorded, else as the service answers."""
        scribe = self._scribe
        bodies = [scribe.batched(batch)] if self.p.form == "batch" else scribe.singles(batch)
        asked = hashlib.sha256(b"\n".join(bodies)).digest()
        answer = next((one for each in self._recorded() if (one := each.get(asked))), None)
        if answer is None or len(answer.scores) != batch.size:
            answer = self._answer(bodies, batch)
        if self._own is not None and self._own.get(asked) is None:
            self._own.add(asked, answer)
        self._mark(answer.failed)
        return answer.scores

    def _recorded(self) -> list[Answers]:
        """Records to look into: the one given, then the run's own."""
        if self._records is None:
            folder = self._world.folder
            given = [Answers(Path(self.p.answers))] if self.p.answers else []
            if given and not len(given[0]):
                raise Wrong(f"{self.p.answers} holds no answers (give a run's {NAME})")
            self._own = None if folder is None else Answers(folder / NAME, write=True)
            self._records = given + ([self._own] if self._own else [])
        return self._records

    _own: Answers | None = None

    def _answer(self, bodies: list[bytes], batch: Batch) -> Answer:
        """Ask; where that fails, what ``on_failure`` says. Raises Wrong."""
        try:
            url = address(os.environ.get(URL) or self.p.url, self.p.anywhere)
        except ValueError as error:
            raise Wrong(str(error)) from None
        # What stands behind it may be a secret
        shown = url.partition("?")[0]
        try:
            found = [wire.read(self._client.ask(url, body)) for body in bodies]
            scribe = self._scribe
            scores = (
                scribe.of_batched(found[0], batch, self.p.may_remove)
                if self.p.form == "batch"
                else scribe.of_singles(found, batch, self.p.may_remove)
            )
            return Answer(checked(scores, batch), False)
        except Wrong as error:
            if self.p.on_failure == "stop":
                raise Wrong(f"{shown}: {error}") from None
            return Answer((-batch.age).astype(np.float32), True)

    def _mark(self, failed: bool) -> None:
        """Mark on the time axis where the service begins to fail, and where it is back."""
        if bool(self.keep["failing"][0]) == failed:
            return
        self.keep.open = True
        self.keep["failing"] = np.array([failed])
        self.keep.open = False
        text = "the ranker fails: newest first" if failed else "the ranker answers again"
        self._world.mark("ranker", text)
