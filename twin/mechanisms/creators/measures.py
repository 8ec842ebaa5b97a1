"""Readings of the producer side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels import supply
from twin.kernels.stats import gini, top_share
from twin.mechanisms.creators.declared import BURNT_OUT, UNSET
from twin.mechanisms.creators.incentives import Incentives
from twin.mechanisms.creators.kinds import KINDS
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism


def mean(values: NDArray[np.floating]) -> float:
    """Mean in float64, 0 of nothing."""
    return float(values.mean(dtype=float)) if len(values) else 0.0


class Measures:
    """Writes the metrics; what happened since the last reading is remembered in ``keep``."""

    def __init__(self, mechanism: Mechanism[CreatorsParams], incentives: Incentives) -> None:
        self.m, self.keep, self.board, self.incentives = (
            mechanism,
            mechanism.keep,
            mechanism.world.board,
            incentives,
        )

    def setup(self) -> None:
        """Nothing was made."""
        self.keep["tally"] = np.zeros(len(supply.TALLIES), np.int64)
        self.keep["supply"] = np.zeros((len(KINDS), len(supply.SUPPLY)))
        self.keep["supply_before"] = np.zeros((len(KINDS), len(supply.SUPPLY)))
        self.keep["supply_mean"] = np.zeros((len(KINDS), len(supply.SUPPLY)))

    def measure(self) -> None:
        """All metrics of creators; campaign accounts are left out."""
        own, board = self.m.mine, self.board
        active = own("creators", "active") & ~own("creators", "campaign")
        human = active & ~own("creators", "ai")
        self._kinds(active)
        self.incentives.measure(active)
        self._supply()
        morale = own("creators", "morale")[human]
        board.set("creator_morale", mean(morale))
        board.set_all(
            "creator_morale_spread",
            # ten bins; a morale of 1 belongs to the last
            np.bincount(np.clip((morale * 10).astype(int), 0, 9), minlength=10).astype(float),
        )
        board.set("creators_burnt_out", mean((morale < BURNT_OUT).astype(float)))
        board.set("creators_assisted_share", mean(own("creators", "assisted")[human].astype(float)))
        board.set(
            "creator_slant_spread",
            float(own("creators", "slant")[active].std(dtype=float)) if active.any() else 0.0,
        )
        board.set("creator_income_gini", gini(own("creators", "income")[active].astype(float)))
        board.set("reputation_gini", gini(own("creators", "reputation")[human].astype(float)))
        board.set(
            "posts_top_share", top_share(own("creators", "posts_made")[human].astype(float), 0.1)
        )
        seen = self.keep["settled_reach"]
        # NaN is no reading: before anything is settled there is no share
        board.set("posts_unseen_share", float(np.mean(seen == 0)) if len(seen) else np.nan)
        board.set("item_popularity_gini", gini(seen[seen > 0].astype(float)))
        edges = np.array(board.metrics["post_reach"].edges)
        board.set_all(
            "post_reach",
            np.bincount(np.searchsorted(edges, seen, "right") - 1, minlength=len(edges)).astype(
                float
            ),
        )
        board.set("draft_predictor_correlation", float(self.keep["fit"][0]))
        niche = human & self.keep["niche"][self.m.read("creators", "community")]
        board.set("niche_creators", float(niche.sum()) / max(int(human.sum()), 1))
        board.set("niche_income", mean(own("creators", "income")[niche]))
        tally = dict(zip(supply.TALLIES, self.keep["tally"].tolist(), strict=True))
        board.set("posts_blocked", tally["blocked"])
        board.set("campaign_account_posts", tally["campaign_posts"])
        board.set("niche_posts", tally["niche_posts"])
        board.set("niche_exits", tally["niche_exits"])
        for topic in ("invaded", "other"):
            board.set("human_posts", tally[f"{topic}_posts"], topic=topic)
            board.set("human_exits", tally[f"{topic}_exits"], topic=topic)

    def _kinds(self, active: NDArray[np.bool_]) -> None:
        own, board, made = self.m.mine, self.board, self.keep["made"]
        for kind, name in enumerate(KINDS):
            who = active & (own("creators", "ai") == bool(kind))
            board.set("posts", made[kind, supply.POSTS], by=name)
            board.set("creator_entries", made[kind, supply.ENTRIES], by=name)
            board.set("creator_exits", made[kind, supply.EXITS], by=name)
            board.set("creators_active", int(who.sum()), by=name)
            settled = self.keep["settled_reach"][self.keep["settled_ai"] == bool(kind)]
            board.set("reach_per_post", float(settled.mean()) if len(settled) else 0.0, by=name)
            for metric, column in (
                ("creator_income", "income"),
                ("creator_arousal", "arousal"),
                ("creator_pace", "pace"),
                ("creator_comprehensiveness", "comprehensiveness"),
                ("reputation_mean", "reputation"),
                ("creator_effort", "effort"),
            ):
                board.set(metric, mean(own("creators", column)[who]), by=name)
            # the moving mean of rewards, of creators with one
            utility = own("creators", "baseline")[who]
            board.set("creator_net_utility", mean(utility[utility > UNSET]), by=name)

    def _supply(self) -> None:
        """What was made since the last reading; while nothing was, the last mean stands (at the
        start: what creators are like)."""
        own, keep, board = self.m.mine, self.keep, self.board
        new = keep["supply"] - keep["supply_before"]
        for kind, name in enumerate(KINDS):
            if new[kind, supply.COUNT] > 0:
                keep["supply_mean"][kind] = new[kind] / new[kind, supply.COUNT]
            elif keep["supply"][kind, supply.COUNT] == 0:
                who = (
                    own("creators", "active")
                    & (own("creators", "ai") == bool(kind))
                    & ~own("creators", "campaign")
                )
                for place in (supply.AROUSAL, supply.COMPREHENSIVENESS):
                    keep["supply_mean"][kind, place] = mean(
                        own("creators", supply.SUPPLY[place])[who]
                    )
            means = dict(zip(supply.SUPPLY, keep["supply_mean"][kind].tolist(), strict=True))
            board.set("supply_arousal", means["arousal"], by=name)
            board.set("supply_comprehensiveness", means["comprehensiveness"], by=name)
            board.set("works", keep["supply"][kind, supply.WORKS], by=name)
            board.set(
                # labels are of AI posts, assistants of human ones: one metric for each kind
                *(
                    ("labelled_share", means["labelled"])
                    if kind
                    else ("posts_assisted_share", means["assisted"])
                )
            )
        keep["supply_before"] = keep["supply"].copy()
