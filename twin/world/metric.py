"""What a metric is: declared once by the mechanism that owns it; every reader follows from the
declaration.

Label values are declared too, so the set of series is closed: no entity id can ever become a label.
A histogram has fixed ``edges``; its series carry the label ``bin`` with the lower edge of each bin.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["counter", "gauge", "histogram"]
Side = Literal["producer", "consumer", "platform", "chatbot"]
Good = Literal["up", "down", "neither"]

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True)
class ByArm:
    """How something that has people, creators or chatters behind it is read by arm of a policy for
    a share: the metric ``trial_NAME`` (`twin.world.arms`).

    ``table`` whose rows are grouped: consumers, creators or chatters (by the arm of their person).
    ``top`` and ``over`` are named values by row, each a column of the table, a count of the
    experimenter (`twin.kernels.tally`), or a service ``TABLE.NAME`` that gives float64 (rows,) or
    (rows, values of ``labels``), NaN where a row has none. ``kind``:

        mean    sum of top / rows with a value, now
        rate    sum of the rise of top since the last reading / rows and days
        ratio   sum of top / sum of over, both counted since the last reading
        spread  standard deviation over what ``over`` counts, from the sums ``top`` and
                ``top``_square
        count   rows
        pooled  what the experimenter makes of all rows of a group together, by ``name``

    ``among`` names a service or column of booleans: only those rows count. ``sd`` asks for the
    standard deviation between the rows of the group as well, ``trial_NAME_sd``.
    """

    name: str
    table: str
    unit: str
    help: str
    kind: Literal["mean", "rate", "ratio", "spread", "count", "pooled"] = "mean"
    top: str = ""
    over: str = ""
    among: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    good: Good = "neither"
    sd: bool = False


@dataclass(frozen=True)
class Metric:
    """One declared metric.

    ``name`` snake case, without a unit; ``kind`` counter (running total since the start),
    gauge (now) or histogram (gauge per bin: how many entities are in it now, or events since the
    start if ``total``); ``unit`` in words of the field (``1``, ``posts``, ``s``, ``ratio``);
    ``help`` one sentence; ``side`` whose side of the platform it shows; ``panel`` heading under
    which readers draw it, or ``Heading: Picture`` for metrics that share one picture; a metric
    NAME_se is the standard error of NAME (or NAME_mean) and drawn around it; ``good`` which way is
    good for that side; ``headline`` marks the few that the terminal shows. ``of`` names the metric,
    with the same labels or none, that counts the entities behind it: the metric grows with
    their number. ``moves`` says why it moves for months even in a world at rest; empty
    where it should not. ``by_arm`` says how it is read by arm of a policy for a share, once or in
    several ways. ``trial`` names the quantity of a metric that was derived from such a declaration
    (``opinion extremity``); empty for all others. ``split`` names the label by which a reading of
    who gains and who loses splits people or creators; empty for all others. ``title`` is what people
    call it; empty: its name as words. ``help`` says in one sentence what it means.
    """

    name: str
    kind: Kind
    unit: str
    help: str
    side: Side
    panel: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    edges: tuple[float, ...] = ()
    good: Good = "neither"
    headline: bool = False
    total: bool = False
    of: str = ""
    moves: str = ""
    by_arm: tuple[ByArm, ...] = ()
    trial: str = ""
    split: str = ""
    title: str = ""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"metric name {self.name!r} is not snake_case")
        if (self.kind == "histogram") != bool(self.edges):
            raise ValueError(
                f"metric {self.name}: edges belong to histograms, and every histogram needs them"
            )
        # Values are sorted into bins by searchsorted
        if self.edges and list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"metric {self.name}: edges must rise")
        if not self.help.endswith("."):
            raise ValueError(f"metric {self.name}: help must be a sentence")

    @property
    def counts(self) -> bool:
        """Whether it is a running total since the start: a counter, or a histogram of events."""
        return self.kind == "counter" or self.total

    @property
    def bins(self) -> tuple[str, ...]:
        """Lower edges of the bins as label values; the last bin is open above, the first below."""
        return tuple(f"{edge:g}" for edge in self.edges)

    def series(self) -> Iterator[dict[str, str]]:
        """Every label set of the metric, in declared order (a histogram's bins vary fastest)."""
        axes = dict(self.labels)
        if self.kind == "histogram":
            # Last, so bins vary fastest: `Board.set_all` takes counts in that order
            axes["bin"] = self.bins
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))


def label_text(labels: Mapping[str, str]) -> str:
    """Labels as one string, ``by=ai,bin=0.1``: the ``labels`` column of the metrics Parquet. Empty
    for none."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def metric_to_dict(metric: Metric) -> dict[str, Any]:
    """A declaration as plain JSON data, for a run's manifest. Readings by arm are metrics of their
    own by then."""
    plain = asdict(metric)
    del plain["by_arm"]
    return {
        **plain,
        "labels": {key: list(values) for key, values in metric.labels.items()},
        "edges": list(metric.edges),
    }


def metric_from_dict(data: Mapping[str, Any]) -> Metric:
    """The inverse of `metric_to_dict`."""
    labels = {key: tuple(values) for key, values in data["labels"].items()}
    return Metric(**{**data, "labels": labels, "edges": tuple(data["edges"])})
