"""What is said to a ranker behind HTTP, and what its answer means.

``single``: the request and answer of the Prosocial Ranking Challenge (HumanCompatibleAI/
ranking-challenge, docs/api_reference.md), one request per session:

    {"session": {"user_id", "user_name_hash", "current_time", ...}, "items": [{"id", "text",
     "author_name_hash", "type", "created_at", "engagements": {...}}, ...]}
    {"ranked_ids": [id, ...]}

``batch``: the same for all sessions of a serving window, by column, every post once; the candidates
of a session are places in ``items``:

    {"sessions": {"user_id": [...], "current_time": [...], "candidates": [[0, 3, ...], ...]},
     "items": {"id": [...], "author_name_hash": [...], "created_at": [...], "engagements": {"like":
     [...], ...}, ...}}
    {"ranked_ids": [[id, ...], ...]}  or  {"scores": [[number, ...], ...]}

A twin's posts have no text: ``text`` is empty, and what classifiers read off a post is in
``signals``. Ids are decimal, so that no reader of JSON rounds them.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
from collections import Counter
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import orjson
from numpy.typing import NDArray

from twin.ground.units import DAY, MINUTE
from twin.ranking.batch import SIGNALS, SOURCES, Batch, Posts
from twin.ranking.lesson import RESPONSES
from twin.ranking.scores import Wrong
from twin.ranking.texts import Texts

ENGAGEMENTS = {"like": "like", "comment": "comment", "retweet": "reshare"}
"""Counters of the challenge that a twin has, by the response that they count."""
SHOWN = 60
"""Characters of an answer that an error quotes."""


def _written(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


class Scribe:
    """Writes what is asked, and reads what is answered of it. Remembers texts and nothing else."""

    def __init__(self, start: dt.date) -> None:
        @functools.lru_cache
        def date(day: int) -> str:
            return str(start + dt.timedelta(days=day))

        # all of a day: sessions begin at any second, and each has the time written
        @functools.lru_cache(DAY)
        def clock(second: int) -> str:
            minute, second = divmod(second, MINUTE)
            return f"{minute // 60:02}:{minute % 60:02}:{second:02}"

        def time(second: int) -> str:
            """As ``2025-01-01 00:00:00``, from seconds since the scenario's start."""
            return f"{date(second // DAY)} {clock(second % DAY)}"

        def name(number: int) -> str:
            """What stands for the hash of a name: 16 hexadecimal digits."""
            return f"{number:016x}"

        self._time = time
        self._person, self._creator, self._post = Texts(str, name), Texts(name), Texts(str, time)

    def _items(self, posts: Posts) -> dict[str, Any]:
        """What is said of posts, by column."""
        # three decimals, a tenth of what any classifier errs by: all digits of a float take as long
        # to write as everything else
        signals = np.round(posts.signals.astype(float), 3)
        # each column is one piece of memory, which is written as it is
        counts, signals = np.asfortranarray(posts.responses), np.asfortranarray(signals)
        ids, created = self._post(posts.post, posts.post_id, posts.created_at)
        (creators,) = self._creator(posts.creator, posts.creator_id)
        return {
            "id": ids,
            "author_name_hash": creators,
            "created_at": created,
            "engagements": {
                name: counts[:, RESPONSES.index(response)] for name, response in ENGAGEMENTS.items()
            }
            | {"share": np.zeros(len(counts), np.int64), "view": posts.impressions},
            "signals": {name: signals[:, k] for k, name in enumerate(SIGNALS)},
            "followers": posts.followers,
            "ai": posts.ai,
        }

    def _people(self, batch: Batch) -> tuple[list[str], list[str], list[str]]:
        """Ids and names of people, and when their sessions begin."""
        times = [self._time(each) for each in batch.at.tolist()]
        ids, names = self._person(batch.person, batch.person_id, batch.person_id)
        return ids, names, times

    def batched(self, batch: Batch) -> bytes:
        """The one request for all sessions of a window."""
        posts, place = batch.distinct
        people, names, times = self._people(batch)
        ends = list(itertools.pairwise(batch.start.tolist()))
        said = {
            "sessions": {
                "user_id": people,
                "user_name_hash": names,
                "current_time": times,
                "visits": batch.visits,
                "candidates": [place[low:high] for low, high in ends],
                "sources": [batch.source[low:high] for low, high in ends],
            },
            "source_names": list(SOURCES),
            "items": self._items(posts),
        }
        return _written(said)

    def singles(self, batch: Batch) -> list[bytes]:
        """A request for each session."""
        items = self._items(batch)
        engagements, signals = (
            {name: column.tolist() for name, column in items.pop(group).items()}
            for group in ("engagements", "signals")
        )
        items |= {name: items[name].tolist() for name in ("followers", "ai")}
        people, names, times = self._people(batch)
        ends, sources = batch.start.tolist(), batch.source.tolist()
        made = []
        for k, person in enumerate(people):
            said = {
                "session": {
                    "session_id": f"{person}-{batch.visits[k]}",
                    "user_id": person,
                    "user_name_hash": names[k],
                    "cohort": "twin",
                    "platform": "twitter",
                    "url": "https://twin.invalid/home",
                    "current_time": times[k],
                },
                "items": [
                    {name: column[i] for name, column in items.items()}
                    | {
                        "text": "",
                        "type": "post",
                        "embedded_urls": [],
                        "engagements": {name: column[i] for name, column in engagements.items()},
                        "signals": {name: column[i] for name, column in signals.items()},
                        "source": SOURCES[sources[i]],
                    }
                    for i in range(ends[k], ends[k + 1])
                ],
            }
            made.append(_written(said))
        return made

    def of_batched(
        self, found: dict[str, Any], batch: Batch, may_remove: bool
    ) -> NDArray[np.float32]:
        """Scores of all candidates, from the answer to the one request. Raises Wrong."""
        key = next((each for each in ("scores", "ranked_ids") if each in found), None)
        if key is None:
            raise Wrong("its answer has neither ranked_ids nor scores")
        lists = found[key]
        if not isinstance(lists, list) or len(lists) != len(batch):
            count = len(lists) if isinstance(lists, list) else type(lists).__name__
            raise Wrong(f"its answer has {key} for {count} of {len(batch)} sessions")
        if key == "scores":
            return _scored(lists, batch)
        where = [f"session {k}: " for k in range(len(lists))]
        return self._ranked(lists, batch, may_remove, where)

    def of_singles(
        self, found: list[dict[str, Any]], batch: Batch, may_remove: bool
    ) -> NDArray[np.float32]:
        """The same from an answer for each session. Raises Wrong."""
        if any("ranked_ids" not in each for each in found):
            raise Wrong("its answer has no ranked_ids")
        lists = [each["ranked_ids"] for each in found]
        return self._ranked(lists, batch, may_remove, [""] * len(lists))

    def _ranked(
        self, lists: list[Any], batch: Batch, may_remove: bool, where: list[str]
    ) -> NDArray[np.float32]:
        """Scores from a list of ids for each session; ``where`` begins what is wrong with it."""
        posts, place = batch.distinct
        ids, _ = self._post(posts.post, posts.post_id, posts.created_at)
        asked = np.array(ids, object)[place].tolist()
        ends = itertools.pairwise(batch.start.tolist())
        return np.concatenate(
            [
                _ranked(one, asked[low:high], may_remove, said)
                for one, (low, high), said in zip(lists, ends, where, strict=True)
            ]
        )


def read(body: bytes) -> dict[str, Any]:
    """An answer as data. Raises Wrong."""
    try:
        found = orjson.loads(body)
    except ValueError:
        found = _odd(body)
    if not isinstance(found, dict):
        raise Wrong(f"its answer is {type(found).__name__} in JSON, not an object")
    if found.get("new_items"):
        raise Wrong("its answer has new_items, which a twin cannot show")
    return found


def _odd(body: bytes) -> NoReturn:
    """Says what is wrong with an answer that is no JSON. Raises Wrong."""

    def refuse(name: str) -> NoReturn:
        raise Wrong(f"its answer holds {name}, which is no number in JSON")

    with suppress(ValueError, RecursionError):
        json.loads(body, parse_constant=refuse)
    quoted = body[:SHOWN].decode("utf-8", "replace")
    raise Wrong(f"its answer is no JSON: {quoted!r}{'...' * (len(body) > SHOWN)}")


def _scored(lists: list[Any], batch: Batch) -> NDArray[np.float32]:
    for k, (one, want) in enumerate(zip(lists, np.diff(batch.start).tolist(), strict=True)):
        if not isinstance(one, list) or len(one) != want:
            count = len(one) if isinstance(one, list) else type(one).__name__
            raise Wrong(f"session {k}: its answer has {count} scores for {want} posts")
    flat = list(itertools.chain.from_iterable(lists))
    # bool is no number here, though Python counts it among the whole ones
    if not set(map(type, flat)) <= {int, float}:
        odd = next(each for each in flat if type(each) not in (int, float))
        raise Wrong(f"its answer has the score {odd!r}, which is no number")
    try:
        return np.fromiter(flat, np.float64, len(flat)).astype(np.float32)
    except OverflowError:
        raise Wrong("its answer has a score that is too large") from None


def _ranked(given: Any, posts: list[str], may_remove: bool, where: str) -> NDArray[np.float32]:
    """Scores that give the order of a list of ids; -inf for a post that it leaves out."""
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise Wrong(f"{where}its ranked_ids are not a list of texts")
    place = {post: k for k, post in enumerate(posts)}
    strange = next((each for each in given if each not in place), None)
    if strange is not None:
        raise Wrong(f"{where}its ranked_ids hold {strange[:SHOWN]!r}, which was not asked for")
    if len(set(given)) < len(given):
        double = Counter(given).most_common(1)[0][0]
        raise Wrong(f"{where}its ranked_ids hold {double!r} twice")
    if len(given) < len(posts) and not may_remove:
        lost = sorted(set(posts) - set(given), key=place.__getitem__)
        raise Wrong(
            f"{where}its ranked_ids lack {len(lost)} of {len(posts)} posts, such as {lost[0]!r} "
            f"(rank all, or write may_remove: true)"
        )
    scores = np.full(len(posts), -np.inf, np.float32)
    scores[[place[each] for each in given]] = -np.arange(len(given), dtype=np.float32)
    return scores
