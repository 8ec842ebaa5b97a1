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
    or  {"item_scores": [number, ...]}  of a service that ranks alike for everybody

A twin's posts have no text: ``text`` is empty, and what classifiers read off a post is in
``signals``. Ids are decimal, so that no reader of JSON rounds them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import Counter
from contextlib import suppress
from typing import Any, NoReturn

import numpy as np
import orjson
from numpy.typing import NDArray

from twin.ranking.batch import SIGNALS, SOURCES, Batch, Posts
from twin.ranking.lesson import RESPONSES
from twin.ranking.scores import Wrong
from twin.ranking.texts import Clock, Texts, decimal, hashed, json_array

ENGAGEMENTS = {"like": "like", "comment": "comment", "retweet": "reshare"}
"""Counters of the challenge that a twin has, by the response that they count."""
ANSWERS = ("scores", "item_scores", "ranked_ids")
"""What a batched answer may hold; the first that it has counts."""
SHOWN = 60
"""Characters of an answer that an error quotes."""


def _written(said: dict[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY)


class Scribe:
    """Writes what is asked, and reads what is answered of it. Remembers texts and nothing else."""

    def __init__(self, start: dt.date) -> None:
        self._time = Clock(start)
        self._person, self._post = Texts(decimal, hashed), Texts(decimal, hashed, self._time)

    def _said(self, posts: Posts) -> list[bytes]:
        """Ids of posts, names of their creators, and when they were made, as JSON."""

        def numbers(new: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
            some = posts.some(new)
            return some.post_id, some.creator_id, some.created_at

        return self._post(posts.post, posts.post_id, numbers)

    def _items(self, posts: Posts) -> dict[str, Any]:
        """What is said of posts, by column."""
        # three decimals, a tenth of what any classifier errs by: all digits of a float take as long
        # to write as everything else
        signals = np.round(posts.signals.astype(float), 3)
        # each column is one piece of memory, which is written as it is
        counts, signals = np.asfortranarray(posts.responses), np.asfortranarray(signals)
        ids, creators, created = self._said(posts)
        return {
            "id": orjson.Fragment(ids),
            "author_name_hash": orjson.Fragment(creators),
            "created_at": orjson.Fragment(created),
            "engagements": {
                name: counts[:, RESPONSES.index(response)] for name, response in ENGAGEMENTS.items()
            }
            | {"share": np.zeros(len(counts), np.int64), "view": posts.impressions},
            "signals": {name: signals[:, k] for k, name in enumerate(SIGNALS)},
            "followers": posts.followers,
            "ai": posts.ai,
        }

    def _people(self, batch: Batch) -> list[bytes]:
        """Ids and names of people, and when their sessions begin, as JSON."""
        ids = batch.person_id
        texts = self._person(batch.person, ids, lambda new: (ids[new], ids[new]))
        return [*texts, json_array(self._time(batch.at))]

    def batched(self, batch: Batch) -> bytes:
        """The one request for all sessions of a window."""
        posts, place = batch.distinct
        people, names, times = map(orjson.Fragment, self._people(batch))
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
        items = orjson.loads(_written(self._items(batch)))
        engagements, signals = items.pop("engagements"), items.pop("signals")
        people, names, times = map(orjson.loads, self._people(batch))
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
        key = next((each for each in ANSWERS if each in found), None)
        if key is None:
            raise Wrong("its answer has neither ranked_ids nor scores nor item_scores")
        lists = found[key]
        posts, place = batch.distinct
        whole = key == "item_scores"
        want, of = (len(posts.post), "items") if whole else (len(batch), "sessions")
        if not isinstance(lists, list) or len(lists) != want:
            raise Wrong(f"its answer has {key} for {_many(lists)} of {want} {of}")
        if whole:
            return _numbers(lists)[place]
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
        ids = orjson.loads(self._said(posts)[0])
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


def _many(given: Any) -> int | str:
    """How many there are in what should be a list, or what it is."""
    return len(given) if isinstance(given, list) else type(given).__name__


def _scored(lists: list[Any], batch: Batch) -> NDArray[np.float32]:
    """Scores of each session's candidates, one behind the other."""
    for k, (one, want) in enumerate(zip(lists, np.diff(batch.start).tolist(), strict=True)):
        if not isinstance(one, list) or len(one) != want:
            raise Wrong(f"session {k}: its answer has {_many(one)} scores for {want} posts")
    return _numbers(list(itertools.chain.from_iterable(lists)))


def _numbers(flat: list[Any]) -> NDArray[np.float32]:
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
