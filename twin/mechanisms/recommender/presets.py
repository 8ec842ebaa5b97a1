"""Published feed weights as presets of the value model, and what else a preset says about a feed.

A published value model weighs heads that the twin does not have: the author answers a comment, a
click leads on to a conversation. Such a head j enters where the twin has a response h that it
follows from, by a conditional rate P(j | h), a parameter of ``recommender.rates``:

    weight of head h = sum over published heads j mapped on h of w_j P(j | h),    P = 1 for the head itself

Each published head is thus counted once, as it is in the published sum, also where two of them tell
of one act: X weighs a reply by ``reply``, and by ``good_click`` as well if it came out of the
opened conversation. What cannot be mapped is in `UNMAPPED`, with the reason.

``x_2023``: twitter/the-algorithm-ml @ b852108, projects/home/recap/README.md, 5 April 2023.
``good_click`` is "click into the conversation and reply or like": here a like or comment that was
made in the opened conversation, so it raises the weights of like and comment by 11 x
``rates.conversation`` (a like with a comment counts twice, .02 of them in KuaiRand).
``good_click_v2``, staying there for two minutes, follows from a long view; ``good_profile_click``
from a click. Hide is the negative feedback ("show less often", block or mute).

``x_2026``: xai-org/x-algorithm @ 03bedfe, home-mixer/params/param.rs, mirrored 12 August 2026. Hide
is "not interested", long view the quality view; blocks and mutes follow from a hide, quotes and
shares from a reshare (a KuaiRand forward, which covers them all).

``facebook_2018``: "meaningful social interactions". A reaction counts 5 likes, and so did the angry
one, which went 5, 4, 1.5, 0 later: set ``weights.angry`` for that. The full table (bare reshare 5;
significant comment or reshare 30) is known from memory only. The twin's like is the plain one;
reactions come beside it, ``rates.reaction`` for each like. Its people have no angry reaction: what
carries anger is the comment, which arousal raises most, so angry reactions are taken to come with
comments, ``rates.angry`` for each. This is an assumption.

``likes``: likes alone. ``equal``: each weighted probability counts about alike (weights are inverse
base rates, KuaiRand-Pure), which is how the 2023 README says that weights were first set. An angry
reaction may be added to any preset.

A preset also says how many candidates each source brings (`QUOTAS`), which share of slots is kept
for creators whom a person follows (`KEPT`), and the offset of scores (`OFFSETS`): X's code turns a
weighted sum s into

    s + c  where s >= 0,    (s + N) / T c  where s < 0,    N = sum of |w_j| over negative w_j,  T =
           sum of |w_j|

so that no score is below 0 and the factors for strangers and repeated authors, which multiply it,
lower every post.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.training import HEADS

Preset = Literal["x_2023", "x_2026", "facebook_2018", "likes", "equal"]


class Term(NamedTuple):
    """One published head: its weight, the head of the twin that it is or follows from, and the name
    of the rate at which it does."""

    head: str
    weight: float
    on: tuple[str, ...]
    rate: str = ""


# As published: name, weight, what it is here, rate of `Rates`; no rate where it is the same
_X_2023 = (
    Term("fav", 0.5, ("like",)),
    Term("retweet", 1.0, ("reshare",)),
    Term("reply", 13.5, ("comment",)),
    Term("good_profile_click", 12.0, ("click",), "profile"),
    Term("video_playback50", 0.005, ("long_view",)),
    Term("reply_engaged_by_author", 75.0, ("comment",), "answered"),
    Term("good_click", 11.0, ("like", "comment"), "conversation"),
    Term("good_click_v2", 10.0, ("long_view",), "stays"),
    Term("negative_feedback_v2", -74.0, ("hide",)),
    Term("report", -369.0, ("report",)),
)
# Heads that follow from nothing here, ``()``, count in N and T all the same
_X_2026 = (
    Term("favorite", 0.5, ("like",)),
    Term("reply", 5.0, ("comment",)),
    Term("retweet", 1.0, ("reshare",)),
    Term("photo_expand", 0.05, ("click",), "photo"),
    Term("video_open", 0.05, ("click",), "video"),
    Term("click", 0.4, ("click",), "opened"),
    Term("open_link", 0.2, ("click",), "link"),
    Term("profile_click", 0.0, ()),
    Term("vqv", 0.05, ("long_view",)),
    Term("share", 2.0, ("reshare",), "share"),
    Term("share_via_dm", 5.0, ("reshare",), "share_dm"),
    Term("share_via_copy_link", 20.0, ("reshare",), "share_link"),
    Term("dwell", 0.0, ()),
    Term("quote", 5.0, ("reshare",), "quote"),
    Term("quoted_click", 0.05, ()),
    Term("follow_author", 4.0, ("follow",)),
    Term("post_unexplored", 0.02, ()),
    Term("not_interested", -43.2, ("hide",)),
    Term("block_author", -31.2, ("hide",), "block"),
    Term("mute_author", -58.8, ("hide",), "mute"),
    Term("report", -234.0, ("report",)),
    Term("not_dwelled", -0.02, ()),
)
_EXTRA_2026 = (
    Term("bidirectional_follow_reply", 15.0, ("comment",), "mutual"),
    Term("dwell_time", 0.004, ("long_view",), "dwell"),
)
"""In the weighted sum of X's code, but not in its N and T."""
PUBLISHED: dict[str, tuple[Term, ...]] = {
    "x_2023": _X_2023,
    "x_2026": _X_2026,
    "facebook_2018": (
        Term("like", 1.0, ("like",)),
        Term("reaction", 5.0, ("like",), "reaction"),
        Term("angry", 5.0, ("comment",), "angry"),
        Term("bare_reshare", 5.0, ("reshare",)),
        Term("significant_comment", 30.0, ("comment",), "significant"),
        Term("significant_reshare", 30.0, ("reshare",), "significant"),
    ),
    "likes": (Term("like", 1.0, ("like",)),),
    # 1 / `PER_IMPRESSION` of each head
    "equal": tuple(
        Term(head, weight, (head,))
        for head, weight in (
            ("click", 2.2),
            ("long_view", 3.0),
            ("like", 54.1),
            ("comment", 393.0),
            ("reshare", 1040.0),
            ("follow", 931.0),
            ("hide", -2024.0),
        )
    ),
}
EXTRA: dict[str, tuple[Term, ...]] = {"x_2026": _EXTRA_2026}
UNMAPPED = {
    "x_2026": {
        "quoted_click": "posts of the twin quote no other post",
        "post_unexplored": "tells of the post, not of what a person does",
        "not_dwelled": "is passing by, about one less the click, whose weight it would raise by "
        ".02 of .4",
    },
}
"""Published heads of weight other than 0 that no response of the twin leads to."""
ANGRY = Term("angry", 0.0, ("comment",), "angry")
QUOTAS: dict[str, dict[str, int]] = {
    **{
        name: {"in_network": 50, "nearest": 30, "trending": 10, "explore": 10}
        for name in ("x_2023", "facebook_2018", "likes", "equal")
    },
    "x_2026": {"in_network": 55, "nearest": 25, "trending": 10, "explore": 10},
}
"""Candidates of a session by source, 100 in all. ``x_2023``: "50 % in-network and 50 %
out-of-network on average" of 1,500 (Twitter's engineering blog, 31 March 2023). ``x_2026``: 1,200
in-network and 1,000 retrieved, 55 to 45 (param.rs: ThunderMaxResults, PhoenixMaxResults). How the
rest is split, and all of the other presets: an assumption."""
KEPT: dict[str, float] = dict.fromkeys(PUBLISHED, 0.5)
"""``x_2023``: of 120 results 60 at most are out of network (twitter/the-algorithm,
ScoredTweetsParam.scala: MaxInNetworkResults, MaxOutOfNetworkResults, ServerMaxResults), "a fair
balance" (the blog). The code of 2026 has no such rule: there, what people feel for those they
follow must bring posts to the top. Here follows go by fame, taste and skill
(`twin.mechanisms.network`), and followed posts that the ranking chooses by itself are clicked as
often as those of the index. Yet without the rule no more than a fifth to a quarter of posts is in
network (3,000 people, 40 days), where X shows about half: a follow alone makes no one respond
more, and two dozen followed posts compete with the best of all others. So for ``x_2026`` the rule
is an assumption, and for the others, which so differ in weights alone."""
OFFSETS: dict[str, float] = {"x_2023": 0.001, "x_2026": 0.001}
"""c: Epsilon in twitter/the-algorithm @ ef4c5eb, WeightedScoresSumScorer.scala;
NEGATIVE_SCORES_OFFSET in xai-org/x-algorithm @ 625f9e3, home-mixer/params/config.rs, in use in
ranking_scorer.rs @ 079e4e5."""
PER_IMPRESSION = {
    "click": 0.45965,
    "long_view": 0.33184,
    "like": 0.018478,
    "comment": 0.002546,
    "reshare": 0.000962,
    "follow": 0.001074,
    "hide": 0.000494,
    "report": 0.00001,
}
"""Responses per impression: KuaiRand-Pure (Gao et al., CIKM 2022), n = 1,436,609; a report is an
assumption: X says that one is more than 1,000 times rarer than a like."""


def terms(preset: str, angry: float | None = None) -> tuple[Term, ...]:
    """The heads of a preset that N and T are summed over, with the angry reaction at another weight
    where that is given."""
    found = PUBLISHED[preset]
    return (
        found
        if angry is None
        else (*(term for term in found if term.head != "angry"), ANGRY._replace(weight=angry))
    )


def effective(
    preset: str, rates: Mapping[str, float], override: Mapping[str, float | None] | None = None
) -> dict[str, float]:
    """Weight of every head of the twin, with every override that is not None; ``angry`` overrides
    the angry reaction's weight."""
    override = override or {}
    total = dict.fromkeys(HEADS, 0.0)
    for term in (*terms(preset, override.get("angry")), *EXTRA.get(preset, ())):
        for head in term.on:
            # One published head may raise several here, each by its own responses
            total[head] += term.weight * (rates[term.rate] if term.rate else 1.0)
    return {head: total[head] if (given := override.get(head)) is None else given for head in HEADS}


def weights(
    preset: str, rates: Mapping[str, float], override: Mapping[str, float | None] | None = None
) -> NDArray[np.float32]:
    """The same in the order of HEADS, f4 (8,)."""
    return np.array(list(effective(preset, rates, override).values()), np.float32)


def sums(preset: str, override: Mapping[str, float | None] | None = None) -> tuple[float, float]:
    """N and T of the offset: sums of |negative| and of all |weights| as published; the weights of a
    head that is overridden give way."""
    # The angry reaction is no head: its weight has replaced that of its term
    given = {
        head: weight
        for head, weight in (override or {}).items()
        if weight is not None and head != "angry"
    }
    kept = [
        term.weight
        for term in terms(preset, (override or {}).get("angry"))
        # A given weight replaces all that the preset puts on its head
        if not set(term.on) & set(given)
    ] + list(given.values())
    return sum(-weight for weight in kept if weight < 0), sum(abs(weight) for weight in kept)


def prized(weight: Mapping[str, float]) -> list[tuple[str, float, float, float]]:
    """What a feed prizes, the largest first: head, weight, weight x rate (`PER_IMPRESSION`), and
    its share of the sum of sizes."""
    worth = {head: weight[head] * PER_IMPRESSION[head] for head in HEADS}
    # Shares of a feed without weights are 0, not a division by 0
    whole = sum(map(abs, worth.values())) or 1.0
    return [
        (head, weight[head], worth[head], worth[head] / whole)
        for head in sorted(HEADS, key=lambda head: -abs(worth[head]))
    ]
