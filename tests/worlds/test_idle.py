"""What is said to be without effect is: the claim that a user trusts who reads `cannot act`."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from pydantic.fields import FieldInfo

from tests.conftest import history
from twin.scenario import idle
from twin.scenario.loading import Scenario
from twin.scenario.problems import bounds
from twin.world.params import leaves, meta, value_at

OFF = {
    "collisionless tables, nothing else on": (
        "recommender.reward.weight=0",
        "ratings.votes.enabled=false",
        "ratings.ratings_shown=false",
        "audience.counts_shown=false",
        "audience.patience_effect=0",
        "audience.click_sd=0",
        "audience.again=0",
        "audience.churn_a=0",
        "recommender.shelf.kind=none",
        "opinions.model=none",
        *(f"recommender.signals.{name}.on=false" for name in ("topic", "slant", "arousal")),
        "chatbots.failure_rate=0",
        "chatbots.answers.contested=0",
    ),
    "hash tables, a feed that scores nothing": (
        *(f"recommender.tables.{name}.kind=hash" for name in ("post", "consumer", "creator")),
        *(f"recommender.tables.{name}.slots=64" for name in ("post", "consumer", "creator")),
        "recommender.ranking=chronological",
        "chatbots.adopters=0",
        "opinions.model=deffuant",
    ),
}


@pytest.mark.parametrize("world", OFF)
def test_what_cannot_act_does_not(world: str, small: Callable[..., Scenario]) -> None:
    """Every setting that is said to be without effect is given another value, all at once: every
    reading of six days stays as it was, to the bit. This is the claim that a user trusts."""
    off = OFF[world]
    plain = small(*off, "duration=6d")
    other = []
    for name, params in plain.mechanisms.items():
        for path, info in leaves(type(params)):
            place = f"{name}.{path}"
            if idle.cannot(plain, place) and (value := _another(plain, place, info)) is not None:
                other.append(f"{place}={value}")
    assert len(other) > 30
    _, before = history(plain)
    _, after = history(small(*off, "duration=6d", *other))
    assert np.array_equal(before, after, equal_nan=True)


def _another(plain: Scenario, place: str, info: FieldInfo) -> str | None:
    """Another value within the bounds of a parameter, as a flag has it; None for a file's name."""
    name, _, path = place.partition(".")
    value: Any = value_at(plain.mechanisms[name], path)
    if isinstance(value, bool):
        return str(not value).lower()
    if isinstance(value, str):
        others = [each for each in get_args(info.annotation) if each != value]
        return None if meta(info)["path"] else others[0]
    low, high = bounds(info)
    wanted = (value or 0) * 2 or 1
    wanted = wanted if high is None or wanted <= high else (value + (low or 0)) / 2
    if meta(info)["unit"] == "s":
        return f"{2 * value or 86400}s"
    if isinstance(value, int):
        return str(int(wanted))
    # rates are written with their unit
    return f"{wanted}/d" if "/d" in meta(info)["unit"] and path in RATES else str(wanted)


RATES = ("posts", "human_norm", "rate_limit", "sessions_mean")
