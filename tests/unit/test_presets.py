"""Presets: every published number, what follows from it for the heads that the twin has, and what
the feed takes from a preset."""

from collections.abc import Callable

import numpy as np
import pytest

from twin.kernels.training import HEADS
from twin.mechanisms.recommender.presets import (
    EXTRA,
    OFFSETS,
    PER_IMPRESSION,
    PUBLISHED,
    UNMAPPED,
    effective,
    prized,
    sums,
    weights,
)
from twin.mechanisms.recommender.weights import Rates
from twin.scenario.describe import prized_lines
from twin.scenario.loading import Scenario

RATES = Rates().model_dump()
NONE = dict.fromkeys(RATES, 0.0)
Small = Callable[..., Scenario]


def published(preset: str) -> dict[str, float]:
    """Head and weight, all that is weighed."""
    return {term.head: term.weight for term in (*PUBLISHED[preset], *EXTRA.get(preset, ()))}


def test_published_numbers() -> None:
    """As they stand in the files that the presets name; Facebook: a reaction counts 5 likes, the
    angry one too."""
    assert published("x_2023") == {
        "fav": 0.5,
        "retweet": 1,
        "reply": 13.5,
        "good_profile_click": 12,
        "video_playback50": 0.005,
        "reply_engaged_by_author": 75,
        "good_click": 11,
        "good_click_v2": 10,
        "negative_feedback_v2": -74,
        "report": -369,
    }
    assert published("x_2026") == {
        "favorite": 0.5,
        "reply": 5,
        "bidirectional_follow_reply": 15,
        "retweet": 1,
        "quote": 5,
        "click": 0.4,
        "open_link": 0.2,
        "photo_expand": 0.05,
        "video_open": 0.05,
        "quoted_click": 0.05,
        "vqv": 0.05,
        "profile_click": 0,
        "share": 2,
        "share_via_dm": 5,
        "share_via_copy_link": 20,
        "follow_author": 4,
        "dwell": 0,
        "dwell_time": 0.004,
        "post_unexplored": 0.02,
        "not_interested": -43.2,
        "block_author": -31.2,
        "mute_author": -58.8,
        "report": -234,
        "not_dwelled": -0.02,
    }
    facebook = published("facebook_2018")
    assert facebook["reaction"] == facebook["angry"] == 5 * facebook["like"] == 5
    assert published("likes") == {"like": 1}
    assert (
        -published("x_2026")["report"] / published("x_2026")["favorite"] == 468
    )  # "one report cancels 468 likes", in the code's comment


def test_every_published_head_is_mapped_or_has_a_reason() -> None:
    """What has a weight and stands on no head is named, and nothing else; every rate is one that
    there is, and is in use."""
    for preset, terms in PUBLISHED.items():
        assert {term.head for term in terms if term.weight and not term.on} == set(
            UNMAPPED.get(preset, ())
        )
    used = {
        term.rate
        for preset in PUBLISHED
        for term in (*PUBLISHED[preset], *EXTRA.get(preset, ()))
        if term.rate
    }
    assert used == set(RATES)


def test_effective_weights() -> None:
    """Weight of a head = its own + the sum of weight x rate over what follows from it; at rates of
    0 its own is left."""
    assert effective("x_2023", NONE) == {
        "click": 0,
        "long_view": 0.005,
        "like": 0.5,
        "comment": 13.5,
        "reshare": 1,
        "follow": 0,
        "hide": -74,
        "report": -369,
    }
    assert effective("x_2023", RATES) == pytest.approx(
        {
            "click": 12 * 0.006,
            "long_view": 0.005 + 10 * 0.01,
            "like": 0.5 + 11 * 0.15,
            "comment": 13.5 + 75 * 0.18 + 11 * 0.15,
            "reshare": 1,
            "follow": 0,
            "hide": -74,
            "report": -369,
        },
        rel=1e-12,
    )
    assert effective("x_2026", NONE | {"opened": 1.0}) == {
        "click": 0.4,
        "long_view": 0.05,
        "like": 0.5,
        "comment": 5,
        "reshare": 1,
        "follow": 4,
        "hide": -43.2,
        "report": -234,
    }
    assert effective("x_2026", RATES) == pytest.approx(
        {
            "click": 0.4 * 0.09 + 0.3 * 0.05 + 0.3 * 0.05 + 0.05 * 0.2,
            "long_view": 0.05 + 14.6 * 0.004,
            "like": 0.5,
            "comment": 5 + 0.11 * 15,
            "reshare": 1 + 0.2 * 5 + 0.3 * 2 + 0.2 * 5 + 0.1 * 20,
            "follow": 4,
            "hide": -43.2 - 0.1 * 31.2 - 0.1 * 58.8,
            "report": -234,
        },
        rel=1e-12,
    )
    for angry in (5.0, 4.0, 1.5, 0.0):
        found = effective("facebook_2018", RATES, {"angry": angry})
        assert (
            found["comment"] == 30 * 0.5 + angry
            and found["like"] == 1 + 5 * 0.1
            and found["reshare"] == 5 + 30 * 0.5
        )
        assert effective("likes", RATES, {"angry": angry})["comment"] == angry
    assert effective("facebook_2018", RATES) == effective("facebook_2018", RATES, {"angry": 5.0})


def test_rates_of_2023_make_heads_count_alike() -> None:
    """The README's rule from which they are taken: each lacking head weighs about as much as the
    reply, at KuaiRand's rates."""
    reply = 13.5 * PER_IMPRESSION["comment"]
    for term in PUBLISHED["x_2023"]:
        if term.rate:
            assert term.weight * RATES[term.rate] * sum(
                PER_IMPRESSION[head] for head in term.on
            ) == pytest.approx(reply, rel=0.05)


def test_a_click_is_no_opened_post() -> None:
    """News readers open .0398 of what they are shown (MIND) where KuaiRand's viewers start .45965:
    the rate is their ratio, and with it the click is a quarter of what x_2026 prizes, where it was
    two thirds."""
    assert RATES["opened"] * PER_IMPRESSION["click"] == pytest.approx(0.0398, rel=0.05)
    share = {
        name: {
            head: part for head, *_, part in prized(effective("x_2026", RATES | {"opened": rate}))
        }["click"]
        for name, rate in (("opened", RATES["opened"]), ("started", 1.0))
    }
    assert share["opened"] == pytest.approx(0.255, abs=0.01) and share["started"] == pytest.approx(
        0.67, abs=0.01
    )


def test_an_override_holds_as_it_is() -> None:
    """A weight that is given replaces all that the preset has for the head; nothing leaves it."""
    assert weights("x_2023", RATES, {"comment": 0.0, "like": None})[HEADS.index("comment")] == 0
    assert weights("x_2023", RATES, {"comment": 0.0, "like": None})[
        HEADS.index("like")
    ] == np.float32(2.15)


def test_sums_of_the_offset() -> None:
    """N and T of X's code, computed by hand from its files; a head that is overridden gives way."""
    assert sums("x_2023") == pytest.approx((443, 566.005), rel=1e-12)
    assert sums("x_2026") == pytest.approx((367.22, 410.54), rel=1e-12)
    assert sums("x_2023", {"hide": 0.0, "click": None}) == pytest.approx(
        (369, 566.005 - 74), rel=1e-12
    )
    assert sums("likes", {"hide": -2.0}) == (2, 3)
    assert OFFSETS == {"x_2023": 0.001, "x_2026": 0.001}


def test_what_a_feed_prizes(small: Small) -> None:
    """Shares are of the sum of sizes, the largest first; the table follows policies."""
    table = prized(effective("x_2023", NONE))
    assert [head for head, *_ in table][:3] == [
        "hide",
        "comment",
        "like",
    ]  # without what follows, hides weigh most
    assert {head: worth for head, _, worth, _ in table}["comment"] == pytest.approx(13.5 * 0.002546)
    assert sum(abs(share) for *_, share in table) == pytest.approx(1)
    lines = "\n".join(
        prized_lines(
            small(
                "recommender.preset=likes",
                "policies=[{at: 1d, set: {recommender.slate: 5}}, "
                "{name: new, at: 2d, set: {recommender.preset: x_2026}}, "
                "{name: own, at: 3d, set: {recommender.weights.click: 0.0}}]",
            )
        )
    )
    assert (
        "at the start, likes\n" in lines
        and "under new, x_2026\n" in lines
        and "under own, x_2026 with weights of its own\n" in lines
    )
    assert "slate" not in lines and lines.count("100.0%") == 1
