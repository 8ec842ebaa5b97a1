"""Published evidence in two lists without overlap: what parameters are fitted to, and what the twin
is judged by.

What a parameter was fitted to can never be its evidence (DESIGN.md D16). `FITTING` holds effects
with their sizes, and the scripts that may fit to them. `JUDGING` holds the blind field experiments
(FORECASTS.md, E07 to E12 and the reserves) by id alone: their outcomes are in no file of this
repository, and `sized` refuses them. A test checks that the lists are disjoint, and that no other
file of the package names a judging id.

``value`` and ``se`` are on the scale that ``unit`` names: ``log`` is the logarithm of treated over
control, ``sd`` a standard deviation over posts shown, ``share`` a relative change. Where no
interval could be read, se is imputed as a quarter of the effect, and ``imputed`` says so (the rule
of FORECASTS.md: at least half of its smallest effect of interest). ``label`` says how the size is
known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from twin.ground.errors import UsageError, nearest


@dataclass(frozen=True)
class Effect:
    """A published effect that parameters may be fitted to.

    ``fitted_by`` names the modules of this package that fit to it; none where the twin has no
    counterpart of the outcome, and ``why`` says what is missing.
    """

    id: str
    says: str
    source: str
    label: str
    unit: str
    value: float | None = None
    se: float | None = None
    imputed: bool = False
    fitted_by: Sequence[str] = ()
    why: str = ""


class Sized(NamedTuple):
    """The size of an effect, and its standard error."""

    value: float
    se: float


RESPONSES = ("responses",)


def _imputed(id: str, says: str, source: str, label: str, unit: str, value: float) -> Effect:
    # A quarter of the effect, the rule of FORECASTS.md.
    return Effect(
        id=id,
        says=says,
        source=source,
        label=label,
        unit=unit,
        value=value,
        se=abs(value) / 4,
        imputed=True,
        fitted_by=RESPONSES,
    )


FITTING = (
    # words in a post, and whether it is shared
    _imputed(
        id="brady_2017",
        says="a moral-emotional word in a post: shares +20 %",
        source="Brady et al., PNAS 2017",
        label="abstract",
        unit="log",
        value=math.log(1.20),
    ),
    _imputed(
        id="rathje_2021",
        says="an out-group word in a post: odds of a share +67 %",
        source="Rathje et al., PNAS 2021",
        label="abstract",
        unit="log",
        value=math.log(1.67),
    ),
    # what feeds show
    _imputed(
        id="E01.O1",
        says="engagement feed against newest of accounts followed: anger in what is shown",
        source="Milli et al., PNAS Nexus 2025",
        label="size from a third party, sign from the abstract",
        unit="sd",
        value=0.47,
    ),
    _imputed(
        id="E01.O2",
        says="the same: animosity towards the other side in what is shown",
        source="Milli et al., PNAS Nexus 2025",
        label="size from a third party, sign from the abstract",
        unit="sd",
        value=0.24,
    ),
    # what feeds and filters do to the time that people spend
    _imputed(
        id="guess_2023_facebook",
        says="chronological feed for three months, Facebook: time on the app -20.8 %",
        source="Guess et al., Science 2023",
        label="third-party table",
        unit="log",
        value=math.log(1 - 0.208),
    ),
    _imputed(
        id="guess_2023_instagram",
        says="chronological feed for three months, Instagram: time on the app -11.1 %",
        source="Guess et al., Science 2023",
        label="third-party table",
        unit="log",
        value=math.log(1 - 0.111),
    ),
    _imputed(
        id="toxic_hidden_facebook",
        says="toxic posts hidden, 6.6 % of the feed, Facebook: consumption -23 %",
        source="Beknazar-Yuzbashev et al., SSRN 4307346",
        label="abstract",
        unit="log",
        value=math.log(1 - 0.23),
    ),
    _imputed(
        id="toxic_hidden_twitter",
        says="toxic posts hidden, 6.6 % of the feed, Twitter: ads seen -9.2 %",
        source="Beknazar-Yuzbashev et al., SSRN 4307346",
        label="abstract",
        unit="log",
        value=math.log(1 - 0.092),
    ),
    # what feedback does to creators
    Effect(
        id="brady_2021",
        says="twice the positive feedback on an outraged post: outrage of the next day +2 to 3 %",
        source="Brady et al., Science Advances 2021",
        label="recalled",
        unit="share",
        value=0.025,
        se=0.005,
        imputed=True,
        fitted_by=("makers",),
    ),
    Effect(
        id="kuairand",
        says="rates of responses and gaps between active days (`regularities`)",
        source="KuaiRand-Pure, Gao et al., CIKM 2022",
        label="computed from the data",
        unit="table",
        fitted_by=("intercepts",),
    ),
    # known, but no script can fit to it: `why` says what is missing
    Effect(
        id="E01.O3",
        says="engagement feed: readers do not prefer the political posts that it shows",
        source="Milli et al., PNAS Nexus 2025",
        label="sign only, from the abstract",
        unit="sign",
        why="a sign has no size to fit to",
    ),
    Effect(
        id="E03.O1",
        says="random against recommended videos: click rate",
        source="KuaiRand, Gao et al., CIKM 2022",
        label="third-party table",
        unit="log",
        value=-0.765,
        se=0.002,
        why="says how well a feed finds what people open; no slope on arousal or agreement",
    ),
    Effect(
        id="huszar_2021",
        says="amplification of politicians by the home timeline",
        source="Huszar et al., PNAS 2021",
        label="press",
        unit="log",
        why="the twin has no politicians",
    ),
    Effect(
        id="nyhan_2023",
        says="like-minded sources cut by a third: attitudes unmoved",
        source="Nyhan et al., Nature 2023",
        label="abstract",
        unit="sd",
        value=0.0,
        why="speaks of opinions, not of responses",
    ),
    Effect(
        id="deactivation",
        says="accounts deactivated for four or six weeks",
        source="Allcott et al. 2020; NBER 33697",
        label="third party",
        unit="sd",
        why="nobody leaves the twin for a while by assignment",
    ),
)
"""What the twin may be fitted to."""

JUDGING = ("E07", "E08", "E09", "E10", "E11", "E12", "R1", "R2", "R3", "R4")
"""What it is judged by: blind field experiments, ids alone."""


def sized(id: str) -> Sized:
    """A fitting effect by its id, with its size. Raises UsageError for a judging id, an unknown
    one, and one without a size."""
    # Before anything else: an outcome of a judging study must be refused as such, not as unknown.
    if id.partition(".")[0] in JUDGING:
        raise UsageError(f"{id} judges the twin: nothing may be fitted to it")
    known = {each.id: each for each in FITTING}
    if id not in known:
        raise UsageError(f"no published effect {id} ({nearest(id, list(known))})")
    found = known[id]
    if found.value is None or found.se is None:
        raise UsageError(f"{id} has no size to fit to")
    return Sized(found.value, found.se)


def fitted_by(module: str) -> list[Effect]:
    """What a module of this package fits to."""
    return [each for each in FITTING if module in each.fitted_by]
