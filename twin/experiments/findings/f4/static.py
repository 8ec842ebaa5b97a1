"""Finding 4 without a world: counts of rankings, MovieLens, and synthetic tastes.

The calculations are in `twin.experiments.findings.f4.studies`.
"""

from __future__ import annotations

from typing import NamedTuple

from twin.experiments.findings.f4.arms import SOURCE
from twin.experiments.findings.f4.studies import Counts, TopMeasures
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import (
    Claim,
    Matters,
    band,
    exact,
    left_out,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings


class Published(NamedTuple):
    """What FINDINGS computed on MovieLens (mean of the first `TABLE_SPLITS` splits)."""

    arp: float
    coverage: float


TABLE = {2: Published(131.8, 0.024), 8: Published(95.8, 0.143), 32: Published(83.3, 0.166)}
"""By dimension."""
TABLE_SPLITS = 2
STEP = Matters(0.1, "as the test of MovieLens asks: each step by over a tenth")
RECALL = Matters(0.01, "assumption: one more of a hundred relevant items found")
PATCHED_DIMS = (2, 32)
SYNTHETIC_DIMS = (1, 2, 8, 32)


class ByMeasure(NamedTuple):
    """`TopMeasures` of several splits, (splits,) each."""

    recall: Array
    arp: Array
    coverage: Array
    gini: Array


class Synthetic(NamedTuple):
    """Recall, and ARP over mean popularity, of several data sets, (sets,) each."""

    recall: Array
    arp: Array


def _dims(quick: bool) -> tuple[int, ...]:
    return (2, 8, 32) if quick else (1, 2, 4, 8, 16, 32, 64, 128)


def studies(quick: bool) -> list[Study]:
    """Counts, MovieLens as it is and re-ranked, and synthetic tastes with their controls."""
    count = 4 if quick else 8
    sets = {"dims": list(SYNTHETIC_DIMS), "count": 4 if quick else 12}
    return [
        Study("counts", "f4.studies:counts"),
        Study("movies", "f4.studies:movies", {"dims": list(_dims(quick)), "count": count}),
        Study("patched", "f4.studies:patched", {"dims": list(PATCHED_DIMS), "count": count}),
        *(
            Study(name, "f4.studies:synthetic", {"rank": rank, "skew": skew, **sets})
            for name, rank, skew in (("skewed", 8, 1.0), ("flat", 8, 0.0), ("one taste", 0, 1.0))
        ),
    ]


def judge_static(seen: Readings) -> list[Claim]:
    """Exact counts; the gate of FINDINGS on MovieLens, its table, and the patch at equal
    popularity; synthetic tastes with flat popularity and with one taste."""
    return [*_counts(seen), *_movies(seen), *_synthetic(seen)]


def _counts(seen: Readings) -> list[Claim]:
    q = Counts(*seen.study("counts"))
    expressed = [
        exact(
            f"rankings that dot products can express: {what}",
            got,
            want,
            "Cover 1967",
            within=within,
        )
        for what, got, want, within in (
            ("Q(8, 2)", q.q_8_2, 56, 0),
            ("Q(6, 3)", q.q_6_3, 172, 0),
            ("Q(8, 3)", q.q_8_3, 646, 0),
            ("log10 Q(1000, 64)", q.log_q_1000_64, 270.9, 0.05),
        )
    ]
    # One number, given twice: a band needs an interval, and that of a count has no width.
    found = [
        band(
            f"rankings of 8 items found among 200,000 users in {d} dimensions, of all",
            [got / want] * 2,
            (0.9, 1.0),
            "Cover 1967",
        )
        for d, got, want in ((2, q.found_8_2, q.q_8_2), (3, q.found_8_3, q.q_8_3))
    ]
    return [*expressed, *found]


def _by_dimension(values: Array, dims: tuple[int, ...]) -> dict[int, ByMeasure]:
    """TopMeasures of every dimension from values (dims, splits, 4)."""
    return {dim: ByMeasure(*each.T) for dim, each in zip(dims, values, strict=True)}


def _movies(seen: Readings) -> list[Claim]:
    values = seen.study("movies")
    if not len(values):
        return [left_out("MovieLens: left out, its data are not there", SOURCE)]
    at = _by_dimension(values, _dims(seen.quick))
    patched = _by_dimension(seen.study("patched"), PATCHED_DIMS)
    return [*_gate(at), *_table(at), *_patch(at, patched)]


def _gate(at: dict[int, ByMeasure]) -> list[Claim]:
    made = []
    # Each step on its own: a curve that turns back in between must not pass.
    for low, high in ((2, 8), (8, 32)):
        for what, less, way in (
            ("ARP", (at[low].arp - at[high].arp) / at[low].arp, 1),
            ("coverage", (at[low].coverage - at[high].coverage) / at[low].coverage, -1),
        ):
            made.append(
                sign(
                    f"MovieLens: {what}, {low} less {high} dimensions, as a share of the former",
                    less,
                    way,
                    SOURCE,
                    matters=STEP,
                )
            )
    return made


def _table(at: dict[int, ByMeasure]) -> list[Claim]:
    made = []
    for dim, published in TABLE.items():
        made += [
            exact(
                f"MovieLens: ARP at {dim} dimensions",
                # The very splits that the table was computed on, so it can be asked for numbers.
                at[dim].arp[:TABLE_SPLITS].mean(),
                published.arp,
                "FINDINGS F4, table",
                within=0.1 * published.arp,
            ),
            exact(
                f"MovieLens: coverage at {dim} dimensions",
                at[dim].coverage[:TABLE_SPLITS].mean(),
                published.coverage,
                "FINDINGS F4, table",
                within=0.1 * published.coverage,
            ),
        ]
    return made


def _patch(at: dict[int, ByMeasure], patched: dict[int, ByMeasure]) -> list[Claim]:
    """Re-ranking makes recommendations less popular, but not those of a better model."""
    # Both at one popularity, so neither gains by recommending what everybody likes.
    few, many = patched[2], patched[32]
    return [
        sign(
            "MovieLens: re-ranking brings two dimensions to less popular items, ARP as a share",
            few.arp / at[2].arp - 1,
            -1,
            SOURCE,
            matters=STEP,
        ),
        *(
            sign(
                f"MovieLens, both re-ranked to one popularity: {what}, 2 less 32 dimensions, as a "
                f"share of the latter",
                less,
                -1,
                "sentence 4: cannot be patched afterwards",
                matters=STEP,
            )
            for what, less in (
                ("recall", few.recall / many.recall - 1),
                ("coverage", few.coverage / many.coverage - 1),
            )
        ),
    ]


def _synthetic(seen: Readings) -> list[Claim]:
    skewed, flat, one = (
        {
            dim: Synthetic(*each.T)
            for dim, each in zip(SYNTHETIC_DIMS, seen.study(name), strict=True)
        }
        for name in ("skewed", "flat", "one taste")
    )
    gain, gain_one = (data[32].recall - data[1].recall for data in (skewed, one))
    more = sign(
        "tastes of eight dimensions: recall, 32 less 1 dimension",
        gain,
        1,
        SOURCE,
        matters=RECALL,
    )
    return [
        sign(
            "skewed popularity: ARP over the mean, 2 less 32 dimensions",
            skewed[2].arp - skewed[32].arp,
            1,
            SOURCE,
            matters=Matters(0.1, "FINDINGS F4, control a: a tenth of the mean"),
        ),
        band(
            "flat popularity: ARP over the mean, 2 less 32 dimensions (chance in counts is left)",
            flat[2].arp - flat[32].arp,
            (-0.1, 0.1),
            "FINDINGS F4, control a; a tenth of the mean",
        ),
        more,
        vanishes(
            "one taste: recall, 32 less 1 dimension",
            gain_one,
            more,
        ),
    ]


def static_curves(seen: Readings) -> list[Curve]:
    """MovieLens by dimension, with the range over splits."""
    got = seen.study("movies")
    if not len(got):
        return []
    shown = {
        "recall": ("recall", "recall"),
        "arp": ("popularity of what is recommended", "ratings"),
        "coverage": ("coverage", "coverage"),
    }
    made = []
    for field, (what, unit) in shown.items():
        values = got[:, :, TopMeasures._fields.index(field)]
        made.append(
            Curve(
                f"MovieLens: {what}",
                "implicit ALS",
                x=_dims(seen.quick),
                y=values.mean(1).tolist(),
                low=values.min(1).tolist(),
                high=values.max(1).tolist(),
                x_label="dimension",
                y_label=unit,
                log_x=True,
            )
        )
    return made


PART = Part(
    "static",
    "Counts, MovieLens and synthetic tastes",
    varies="embedding dimension",
    judge=judge_static,
    studies=studies,
    curves=static_curves,
)
