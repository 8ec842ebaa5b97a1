"""Parameters of opinions."""

from __future__ import annotations

from typing import Literal

from twin.world.params import Params, par


class OpinionsParams(Params):
    """Parameters of opinions."""

    model: Literal["friedkin_johnsen", "degroot", "deffuant", "hegselmann_krause", "none"] = par(
        "friedkin_johnsen",
        "how those whom one follows move one's opinion; none: nobody's opinion moves, by posts "
        "neither (peer_rate: 0 leaves posts alone to move it)",
        source="DeGroot 1974; Friedkin & Johnsen 1990; Deffuant et al. 2000; Hegselmann & Krause "
        "2002",
    )
    start: Literal["rest", "anchors"] = par(
        "rest",
        "where opinions start: at rest among peers (friedkin_johnsen only), or at their anchors",
        source="fixed point of Friedkin & Johnsen 1990",
        under=".model=friedkin_johnsen",
    )
    lean: float = par(0.6, "size of communities' leanings, before tanh", low=0, high=5)
    spread: float = par(
        0.4, "sd of people around their community's leaning, before tanh", low=0, high=5
    )
    stubbornness_mean: float = par(
        0.4,
        "mean weight of the anchor",
        low=0,
        high=1,
        source="assumption; model of Friedkin & Johnsen 1990",
        under=".model!=none",
    )
    stubbornness_spread: float = par(
        0.3,
        "half-width of the uniform law around that mean (cut to 0..1)",
        low=0,
        high=1,
        under=".model!=none",
    )
    peer_rate: float = par(
        0.03,
        "share of the way to the model's next opinion, per day (not used by deffuant)",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
        under=".model=friedkin_johnsen|degroot|hegselmann_krause",
    )
    tolerance: float = par(
        0.8,
        "largest gap that attracts",
        low=0,
        high=2,
        lever=True,
        source="bounded confidence, Deffuant et al. 2000; their epsilon on 0..1 is half of this",
        under=".model!=none",
    )
    repulsion: float = par(
        0.0,
        "push by gaps beyond the tolerance, relative to pull",
        low=0,
        high=1,
        lever=True,
        under=".model!=none",
    )
    exposure_rate: float = par(
        0.002,
        "share of the gap that one post closes",
        unit="1/post",
        low=0,
        high=1,
        lever=True,
        under=".model!=none",
    )
    convergence: float = par(
        0.5,
        "deffuant: share of the gap that a meeting closes on each side",
        low=0,
        high=0.5,
        source="Deffuant et al. 2000",
        under=".model=deffuant",
    )
