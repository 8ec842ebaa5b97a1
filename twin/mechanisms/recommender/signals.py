"""What the feed knows of a post beside its IDs, as its model takes it: readings by classifiers, and
running counts of responses.

A classifier reads a new post once, with an error of its own: reading = truth + noise x N(0, 1), cut
to the signal's range. Posts are read by whichever mechanism knows them (service ``classify``); the recommender gets
the readings only (DESIGN.md D8). How well it reads decides how hard feed weights can pull on creators:
what the model cannot see, it cannot reward. Counts are public; they are brought up to date at every
refresh, and the log keeps what the feed knew at each impression (`twin.kernels.side`), so that the
model learns from and is judged on that.

Which signals are in use follows the levers at each sync, for serving, and at each training; noise
holds for posts read from then on. A model that knows posts by their IDs alone is another one: from
no signals to some, or back, is a migration (`generations`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels import side as kernel
from twin.mechanisms.recommender.log import InteractionLog
from twin.world.columns import Column, lengthened
from twin.world.mechanism import Mechanism
from twin.world.params import Params, group, par

FEW = 2000
"""Rows that a thread works out at once, or more."""
MEMORY = 0.9
"""Weight of the past in the platform's rates of response, per training."""
START = np.array([0.4, 0.02, 0.0025, 0.0005])
"""Those rates before any response: orders of magnitude."""
READINGS = {
    "topic": range(kernel.TOPICS),
    "slant": (kernel.SLANT,),
    "arousal": (kernel.AROUSAL,),
    "comprehensiveness": (kernel.COMPREHENSIVENESS,),
    "format": (kernel.FORMAT,),
    "label": (kernel.LABEL,),
    "counts": range(kernel.READ, kernel.WIDE),
}
"""Which places of s each signal takes."""
NOISY = ("topic", "slant", "arousal", "comprehensiveness")
COLUMNS = (
    Column(
        "read",
        "f4",
        "1",
        "What classifiers read off the post: topic, slant, arousal, comprehensiveness, format, AI "
        "label; scaled",
        shape=(kernel.READ,),
        lazy=True,
    ),
    Column(
        "tally",
        "i4",
        "1",
        "Its clicks, likes, comments and hides against the platform's rates, packed",
        lazy=True,
    ),
)


class Read(Params):
    """One signal that classifiers read off posts."""

    on: bool = par(True, "whether the model uses it", lever=True)
    noise: float = par(
        0.1,
        "sd of the error of what a classifier reads off a post",
        low=0,
        high=100,
        lever=True,
        source="assumption",
        under=".on=true",
    )


class Known(Params):
    """One signal that is known exactly."""

    on: bool = par(True, "whether the model uses it", lever=True)


class Signals(Params):
    """What the model knows of a post beside its IDs."""

    topic: Read = group(Read, "what it is about: a direction in taste space (noise: per dimension)")
    slant: Read = group(Read, "slant, -1..1")
    arousal: Read = group(Read, "arousal, 0..1")
    comprehensiveness: Read = group(Read, "comprehensiveness, 0..1")
    format: Known = group(Known, "whether it is a long-lived work")
    label: Known = group(Known, "whether it is shown as made by AI")
    counts: Known = group(
        Known, "running clicks, likes, comments and hides against the platform's rates"
    )
    rate: float = par(0.02, "Adagrad rate of their weights", low=1e-6, high=10, lever=True)


def signals_of(p: Signals) -> list[Read | Known]:
    """Parameters of every signal."""
    return [getattr(p, name) for name in READINGS]


class SideInformation:
    """Readings and counts of posts; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism[Any], log: InteractionLog) -> None:
        self.m, self.keep, self.log = mechanism, mechanism.keep, log

    def setup(self) -> None:
        """Nothing is read, nothing counted."""
        self.keep["signals.rates"] = START.copy()
        self.keep["signals.unread"], self.keep["signals.shown"] = (
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
        )
        self.keep["serve.mask"] = self.mask()
        self.keep["serve.linear"] = np.zeros((0, 8), np.float32)

    def mask(self) -> NDArray[np.float32]:
        """1 for each place of s that the levers ask for, float32 (F,)."""
        out = np.zeros(kernel.WIDE, np.float32)
        for name, places in READINGS.items():
            out[list(places)] = bool(self.m.lever(f"signals.{name}.on"))
        return out

    def wanted(self) -> bool:
        """Whether any signal is asked for."""
        return bool(self.mask().any())

    @property
    def served(self) -> bool:
        """Whether the model that is served knows signals."""
        return len(self.keep["serve.S"]) > 0

    def born(self, rows: NDArray[np.int64]) -> None:
        """New posts wait to be read."""
        self.keep["signals.unread"] = np.concatenate([self.keep["signals.unread"], rows])

    def wake(self) -> None:
        """A model that knows signals begins beside one that does not: all posts wait to be read and
        counted."""
        # Expired ones as well: the log may still name them
        rows = np.flatnonzero(self.m.read("posts", "alive"))
        self.keep["signals.unread"] = rows
        self.count(rows)

    def read(self) -> NDArray[np.int64]:
        """Read the posts that wait for it, and return their rows."""
        rows = self.keep["signals.unread"]
        # A post is read once, with one error for life: noise changed later is for later posts
        self.keep["signals.unread"] = rows[:0]
        if len(rows):
            noise = np.array([float(self.m.lever(f"signals.{name}.noise")) for name in NOISY])
            kernel.take(
                rows,
                self.m.world.service("classify")(rows, noise),
                self.m.read("posts", "work"),
                self.m.read("posts", "labelled"),
                self.m.mine("posts", "read"),
            )
        return rows

    def note(self) -> None:
        """Let the log keep what the feed knew in the window that ends now, and note which posts it
        showed: a training may cut the log before they are counted."""
        # Noted before any training of this instant, counted at the refresh after it
        self.keep["signals.shown"] = self.log.note(self.m.mine("posts", "tally"))

    def learn_rates(self, responses: NDArray[np.uint16]) -> None:
        """The platform's rates of response, by what it has logged since the last training."""
        if len(responses):
            seen = np.array(
                [np.count_nonzero(responses >> head & 1) for head in kernel.TALLIED]
            ) / len(responses)
            rates = self.keep["signals.rates"]
            self.keep["signals.rates"] = MEMORY * rates + (1 - MEMORY) * seen

    def count(self, rows: NDArray[np.int64]) -> None:
        """Bring the tallies of posts up to date."""
        kernel.count(
            rows,
            self.m.read("posts", "impressions"),
            self.m.read("posts", "counts"),
            self.keep["signals.rates"],
            self.m.mine("posts", "tally"),
        )

    def project(self, rows: NDArray[np.int64]) -> None:
        """Add what the served model makes of readings to the served vectors of posts."""
        k, read = self.keep, self.m.mine("posts", "read")
        # Adds to what is there: exactly once after each copy of vectors, or for a new post
        self.m.world.crew.split(
            len(rows),
            FEW,
            lambda low, high: kernel.project(
                rows[low:high], read, k["serve.mask"], k["serve.P"], k["serve.post.vec"]
            ),
        )

    def weigh(self, rows: NDArray[np.int64]) -> None:
        """What the served model adds to posts for every consumer alike, by head."""
        k, read, tally = self.keep, self.m.mine("posts", "read"), self.m.mine("posts", "tally")
        # Overwrites, unlike `project`, so it may be repeated whenever counts or weights change
        out = k["serve.linear"] = lengthened(
            k["serve.linear"], self.m.world.table("posts").capacity
        )
        self.m.world.crew.split(
            len(rows),
            FEW,
            lambda low, high: kernel.weigh(
                rows[low:high], read, tally, k["serve.mask"], k["serve.S"], out
            ),
        )

    def reweigh(self) -> None:
        """Other dense weights are served: what they make of all posts."""
        if self.served:
            self.weigh(np.flatnonzero(self.m.read("posts", "alive")))

    def of_log(self, first: int) -> kernel.Side:
        """What the feed knew of the posts of the log from an index on, as the served model weighs
        it."""
        k = self.keep
        if not self.served:
            return NOTHING
        return kernel.Side(
            self.m.mine("posts", "read"), self.log.tally(first), k["serve.mask"], k["serve.S"]
        )


NOTHING = kernel.Side(
    np.zeros((0, kernel.READ), np.float32),
    np.zeros(0, np.int32),
    np.zeros(0, np.float32),
    np.zeros((0, 8), np.float32),
)
"""No side information."""
