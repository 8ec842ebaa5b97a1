"""Drafts of posts, from what creators are like and their own luck (`twin.kernels.create`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels import create as kernel
from twin.mechanisms.creators.declared import SIGNALS, STRATEGY
from twin.mechanisms.creators.kinds import by_kind
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism
from twin.world.state import Made

Ints = NDArray[np.int64]
TASTES = 16
"""Dimensions of taste space."""
DECISIONS = (("post", kernel.CONTENT + TASTES), ("signal", kernel.MISREAD))
"""Normals of a draft by decision, as `kernel.compose` takes them."""
CAREFUL = (*DECISIONS, ("care", 1))
"""The same where care is a choice."""


class Drafting:
    """Draws drafts."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, p, both = mechanism, mechanism.p, np.array([False, True])
        places = [name for name, _, _ in STRATEGY]
        # parameters that are no lever: put together once; arrays of two are (human, AI)
        self.craft = kernel.Craft(
            gain=by_kind(p, both, "effort_gain"),
            exploration=by_kind(p, both, "exploration"),
            noise=by_kind(p, both, "quality_noise"),
            topic_spread=float(p.topic_spread),
            # assisted noise may be above 1, a share of content may not
            topic_spread_assisted=float(min(p.topic_spread * p.assisted_noise, 1.0)),
            assisted_noise=float(p.assisted_noise),
            assisted_comprehensiveness=float(p.assisted_comprehensiveness),
            signal_noise=float(p.signal_noise),
            critic_noise=float(p.critic_noise),
            low=np.array([low for _, low, _ in STRATEGY]),
            high=np.array([high for _, _, high in STRATEGY]),
            signals=np.array([places.index(name) for name, _, _ in SIGNALS]),
        )
        self.caring = bool(self.craft.gain.any())
        self._makers: Made[kernel.Makers] = Made()

    def draw(self, keys: NDArray[np.uint64], maker: Ints, draft: int | Ints) -> kernel.Drafts:
        """The draft with this number (one, or one each) of each post (n), from what its maker is
        like now and its own luck."""
        luck = self.luck(keys, maker, draft)
        drafts: kernel.Drafts = kernel.draft(maker, self.makers(), luck, self.craft)
        return drafts

    def makers(self) -> kernel.Makers:
        """Columns of creators from which drafts follow."""
        return self._makers.get(self.m.world.tables["creators"].version, self._maker_columns)

    def _maker_columns(self) -> kernel.Makers:
        return kernel.Makers(
            **{name: self.m.mine("creators", name) for name in kernel.Makers._fields}
        )

    def luck(self, keys: NDArray[np.uint64], maker: Ints, draft: int | Ints) -> kernel.Luck:
        """Normals of these drafts; care has some where it is a choice of any of these makers."""
        # normals of care cost time: they are drawn only where a maker can use them
        cares = (
            self.caring
            and (self.craft.gain[self.m.mine("creators", "ai")[maker].astype(np.int64)] > 0).any()
        )
        radius, cosine, sine = self.m.waves(CAREFUL if cares else DECISIONS, keys, draft)
        return kernel.Luck(radius=radius, cosine=cosine, sine=sine)
