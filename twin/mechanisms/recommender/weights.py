"""Parameters of the value model: weights of responses, and how often what a published model weighs
happens here."""

from __future__ import annotations

from twin.world.params import Params, par


class Weights(Params):
    """Weights of the value model; a missing one is taken from the preset. A given
    weight replaces the preset's; nothing is added to it."""

    click: float | None = par(
        None, "weight of P(click)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    long_view: float | None = par(
        None, "weight of P(long view)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    like: float | None = par(
        None, "weight of P(like)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    comment: float | None = par(
        None, "weight of P(comment)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    reshare: float | None = par(
        None, "weight of P(reshare)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    follow: float | None = par(
        None, "weight of P(follow)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    hide: float | None = par(
        None, "weight of P(hide)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    report: float | None = par(
        None, "weight of P(report)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    angry: float | None = par(
        None,
        "weight of an angry reaction, in the preset's unit; it comes with comments (rates.angry)",
        low=-1e6,
        high=1e6,
        lever=True,
        per="consumers",
        source="5, 4, 1.5, 0 likes: Facebook from 2018 on (NBC, CNN)",
    )


class Rates(Params):
    """How often what a published value model weighs follows from a response of the twin: see
    `presets`.

    Those of ``x_2023`` are chosen so that the published head weighs as much at KuaiRand's rates as
    the reply, 13.5 x 0.002546: "weights were originally set so that each weighted probability
    contributes near-equally" (README of the-algorithm-ml); they were tuned since.
    """

    # x_2023
    answered: float = par(
        0.18,
        "the author reacts to a comment, per comment (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 / 75",
    )
    conversation: float = par(
        0.15,
        "a like or comment was made in the opened conversation, per like or comment (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x 0.002546 / (11 x (0.018478 + 0.002546))",
    )
    stays: float = par(
        0.01,
        "stays in the conversation for two minutes, per long view (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x 0.002546 / (10 x 0.33184)",
    )
    profile: float = par(
        0.006,
        "opens the author's profile, and likes or replies there, per click (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x 0.002546 / (12 x 0.45965)",
    )
    # x_2026
    mutual: float = par(
        0.11,
        "author and reader follow each other, per comment (x_2026)",
        low=0,
        high=1,
        source="assumption: half in network, 22 % of follows returned (Kwak et al. 2010, from "
        "memory)",
    )
    opened: float = par(
        0.09,
        "clicks in X's sense per click (x_2026): that opens a post whose text is read by then, "
        "KuaiRand's (0.46 of "
        "impressions) starts a video",
        low=0,
        high=1,
        source="assumption: posts are opened as often as news whose headline is read, 0.0398 of "
        "those shown (MIND, Wu et "
        "al., ACL 2020) / 0.45965",
    )
    quote: float = par(0.2, "is a quote, per reshare (x_2026)", low=0, high=1)
    share: float = par(0.3, "uses the share sheet, per reshare (x_2026)", low=0, high=1)
    share_dm: float = par(0.2, "is sent as a direct message, per reshare (x_2026)", low=0, high=1)
    share_link: float = par(0.1, "is a copied link, per reshare (x_2026)", low=0, high=1)
    photo: float = par(0.3, "expands a photo, per click (x_2026)", low=0, high=1)
    video: float = par(0.3, "opens a video, per click (x_2026)", low=0, high=1)
    link: float = par(0.05, "follows a link, per click (x_2026)", low=0, high=1)
    dwell: float = par(
        14.6,
        "time spent, per long view (x_2026); the unit of the published weight is not, seconds are "
        "assumed",
        unit="s",
        low=0,
        high=3600,
        source="mean clip of KuaiRec (Gao et al., CIKM 2022)",
    )
    block: float = par(0.1, "blocks the author, per hide (x_2026)", low=0, high=1)
    mute: float = par(0.1, "mutes the author, per hide (x_2026)", low=0, high=1)
    # facebook_2018
    reaction: float = par(
        0.1, "is an emoji reaction beside a plain like, per like (facebook_2018)", low=0, high=1
    )
    angry: float = par(
        1.0,
        "angry reactions per comment, where they are weighed",
        low=0,
        high=100,
        source="assumption: what angers brings comments",
    )
    significant: float = par(
        0.5, "is longer than a few words, per comment or reshare (facebook_2018)", low=0, high=1
    )
