"""A ranker behind HTTP: ``recommender: {ranker: {url: ...}}``. What is said is in `wire`.

Every answer is written down in the run folder (`answers`), by what was asked: a run that is
resumed meets the same answers again, and one that is given the record needs no service. The address
may come from the environment (TWIN_RANKER_URL), a bearer token does (TWIN_RANKER_TOKEN) and nothing
else: it reaches no file. Redirects are not followed, and no proxy is asked.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import time
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import requests
import urllib3
from numpy.typing import NDArray
from pydantic import model_validator

from twin.ground.errors import one_line
from twin.ground.hosts import is_host
from twin.ground.units import MINUTE
from twin.ranking import wire
from twin.ranking.answers import NAME, Answer, Answers
from twin.ranking.batch import Batch
from twin.ranking.ranker import Ranker
from twin.ranking.scores import Wrong, checked
from twin.world.params import Duration, Params, par
from twin.world.state import World

URL, TOKEN = "TWIN_RANKER_URL", "TWIN_RANKER_TOKEN"
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
"""Wall-clock seconds before the second try, and at most before a later one; each waits twice as
long."""
MOST_BYTES, PIECE = 2**28, 2**16
"""The longest answer that is read, and how much of it at once."""


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


def address(url: str, anywhere: bool) -> str:
    """The address, if it can be used. Raises ValueError with reason and mend."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    if parts.scheme not in ("http", "https") or not is_host(host) or port == 0:
        raise ValueError(
            f"url {url!r} is no address of a service; write one such as http://127.0.0.1:8000/rank"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"url holds a user or password; put a token into {TOKEN}, outside files")
    if not anywhere and not _here(host):
        raise ValueError(
            f"url leads to {host}, another machine; write anywhere: true if people's histories may "
            f"go there"
        )
    return url


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Passing(Exception):
    """A try brought no whole answer; another may."""


class HttpRanker(Ranker[HttpParams]):
    """Asks a service."""

    Params, asks = HttpParams, True

    def __init__(self, params: HttpParams, world: World) -> None:
        super().__init__(params, world)
        self._world, self._session = world, requests.Session()
        # Neither proxies nor passwords of this machine's user are for this service
        self._session.trust_env = False
        self._records: list[Answers] | None = None

    def setup(self) -> None:
        """The service has not failed yet."""
        self.keep["failing"] = np.zeros(1, bool)

    def score(self, batch: Batch) -> NDArray[Any]:
        """As recorded, else as the service answers."""
        start = self._world.start_of_scenario
        bodies = (
            [wire.batched(batch, start)] if self.p.form == "batch" else wire.singles(batch, start)
        )
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
            found = [self._asked(url, body) for body in bodies]
            if self.p.form == "batch":
                scores = wire.of_batched(found[0], batch, self.p.may_remove)
            else:
                posts, ends = wire.ids(batch.post_id), batch.start.tolist()
                scores = np.concatenate(
                    [
                        wire.of_single(one, posts[ends[k] : ends[k + 1]], self.p.may_remove)
                        for k, one in enumerate(found)
                    ]
                )
            return Answer(checked(scores, batch), False)
        except Wrong as error:
            if self.p.on_failure == "stop":
                raise Wrong(f"{shown}: {error}") from None
            return Answer((-batch.age).astype(np.float32), True)

    def _asked(self, url: str, body: bytes) -> dict[str, Any]:
        """One answer, after as many tries as it takes. Raises Wrong."""
        wait = FIRST_WAIT_S
        for left in range(self.p.retries, -1, -1):
            try:
                return wire.read(self._once(url, body))
            except _Passing as error:
                if not left:
                    tries = self.p.retries + 1
                    raise Wrong(f"{error}{f' ({tries} tries)' if tries > 1 else ''}") from None
                time.sleep(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
        raise AssertionError  # the last try returns or raises

    def _once(self, url: str, body: bytes) -> bytes:
        """The body of an answer. Raises Wrong, or _Passing where another try may help."""
        until = time.monotonic() + self.p.timeout
        token = os.environ.get(TOKEN, "").strip()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise Wrong(f"{TOKEN} holds what no token can hold (letters, digits and signs)")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        late = f"it gave no whole answer within {self.p.timeout} s"
        try:
            with self._session.post(
                url,
                data=body,
                headers=headers,
                timeout=float(self.p.timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                _status(response)
                return _body(response, until, late)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            raise _Passing(late) from None
        except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError):
            raise _Passing("it broke off in the middle of its answer") from None
        except requests.ConnectionError as error:
            if "timed out" in str(error):
                raise _Passing(late) from None
            raise _Passing(f"it does not answer ({_reason(error)})") from None
        except requests.RequestException as error:
            raise Wrong(f"it cannot be asked: {one_line(str(error))}") from None

    def _mark(self, failed: bool) -> None:
        """Mark on the time axis where the service begins to fail, and where it is back."""
        if bool(self.keep["failing"][0]) == failed:
            return
        self.keep.open = True
        self.keep["failing"] = np.array([failed])
        self.keep.open = False
        text = "the ranker fails: newest first" if failed else "the ranker answers again"
        self._world.mark("ranker", text)


def _body(response: requests.Response, until: float, late: str) -> bytes:
    """What is answered, whole and in time. Raises Wrong or _Passing."""
    found = bytearray()
    # One read of the socket each: one that waits ends by the timeout, one that drips by the clock
    while part := response.raw.read1(PIECE, decode_content=True):
        found += part
        if time.monotonic() > until:
            raise _Passing(late)
        if len(found) > MOST_BYTES:
            raise Wrong(f"its answer is longer than {MOST_BYTES >> 20} MB")
    told = response.headers.get("Content-Length", "")
    if told.isdigit() and response.raw.tell() < int(told):
        raise _Passing("it broke off in the middle of its answer")
    return bytes(found)


def _status(response: requests.Response) -> None:
    """Raise Wrong or _Passing unless the answer is 200."""
    code, words = response.status_code, f"it answers {response.status_code} {response.reason}"
    if code == 200:
        return
    if code in (429, 503) or code >= 500:
        raise _Passing(words.rstrip())
    mends: dict[int, str] = {
        401: f"set {TOKEN} in the environment",
        403: f"set {TOKEN} in the environment",
        404: "is the path right, such as /rank?",
    }
    if 300 <= code < 400:
        mends[code] = "redirects are not followed: write the address that it leads to"
    raise Wrong(words.rstrip() + (f" ({mends[code]})" if code in mends else ""))


def _reason(error: Exception) -> str:
    """The operating system's words for what went wrong."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        inner: Any = getattr(cause, "reason", None) or (cause.args[0] if cause.args else None)
        after = inner if isinstance(inner, BaseException) else None
        cause = cause.__cause__ or cause.__context__ or after
    return "it closed the connection" if "closed" in str(error) else "no connection"
