"""Whom people choose to follow: by fame and by taste; wiring of newcomers, and replacement of
follows whose creator has quit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import graph, wire
from twin.mechanisms.network.params import NetworkParams
from twin.world.mechanism import Mechanism

Ints = NDArray[np.integer[Any]]


def edge_type(edges: int) -> np.dtype[Any]:
    """The narrowest type of places in an array of so many edges."""
    return np.dtype(np.int32 if edges < 2**31 else np.int64)


class Choosing:
    """Says how many follows people want, and wires them."""

    def __init__(self, mechanism: Mechanism[NetworkParams]) -> None:
        self.m, self.p = mechanism, mechanism.p

    def wanting(self, new: Ints, lost: Ints, start: Ints) -> tuple[Ints, Ints]:
        """Rows that want follows, rising, and how many in all each: newcomers, and people who
        ``lost`` some and replace them (in the mean a share, the fraction by luck)."""
        want = np.zeros(len(lost), np.int64)
        want[new] = self.want(new)
        # Newcomers want their first follows, whatever they have lost until then
        again = np.flatnonzero((lost > 0) & self.m.mine("consumers", "wired"))
        if len(again):
            luck = self.m.uniforms(
                "replace", self.m.read("consumers", "key")[again], self.m.world.now // DAY
            )[:, 0]
            # Whole follows that are right in the mean: the fraction is a chance
            replaced = np.floor(self.p.replace * lost[again] + luck).astype(np.int64)
            # Wanted in all: `attach` fills up what people have to that
            want[again] = np.where(replaced > 0, np.diff(start)[again] + replaced, 0)
        rows = np.flatnonzero(want)
        return rows, want[rows]

    def want(self, rows: Ints) -> Ints:
        """First follows of newcomers, int64 (rows,)."""
        p = self.p
        # ln mean - sd^2 / 2, so that the lognormal has the mean of the parameter
        log = np.log(max(p.follows_mean, 1e-9)) - p.follows_log_sd**2 / 2
        log = log + p.follows_log_sd * self.m.normal(
            "follows", self.m.read("consumers", "key")[rows], 0
        )
        most = round(p.follows_most * self.m.read("creators", "active").sum())
        whole: Ints = np.minimum(np.rint(np.exp(log)), most).astype(np.int64)
        return whole

    def attach(self, rows: Ints, want: Ints, start: Ints, target: Ints) -> tuple[Ints, Ints]:
        """Bring ``rows``, which rise, up to ``want`` follows each by preferential attachment; the
        new CSR."""
        active, home = self.m.read("creators", "active"), self.m.read("creators", "community")
        creators = np.flatnonzero(active)
        # By community, so that each is one range of the running sum
        creators = creators[np.argsort(home[creators], kind="stable")]
        followers = np.bincount(target, minlength=len(active))[creators]
        candidates = wire.Candidates(
            creators=creators,
            first=np.searchsorted(home[creators], np.arange(self.p.communities + 1)),
            # + 1: creators whom nobody follows yet can be found as well
            cumulative=np.concatenate([[0.0], np.cumsum(followers + 1.0)]),
        )
        # By day: a person who wants follows on two days is wired with other luck
        luck = wire.Luck(stream=self.m.stream("wire"), occasion=self.m.world.now // DAY)
        ties = wire.Ties(start=start, target=target)
        count, found = wire.wire(
            luck, rows, want, self.p.homophily, self.people(), ties, candidates, self.liking()
        )
        most = len(target) + len(found)
        # Offsets may need more bytes than before, rows of creators do not
        grown, wider = np.zeros(len(start), edge_type(most)), np.empty(most, target.dtype)
        graph.extend(start, target, rows, count, found, grown, wider)
        return grown, wider

    def exchange(self, edges: Ints) -> Ints:
        """Sorted edges with followed creators traded by taste; people's and creators' numbers of
        ties stay as they are."""
        liking, people = self.liking(), self.people()
        # With one creator to look at, fame alone decides and there is nothing to trade
        if liking.choice == 1 or not len(edges):
            return edges
        # Columns in one piece: the kernel trades in ``target``, in place
        source = edges[:, 0].copy()
        start, target = graph.csr(len(people.community), source, edges[:, 1].copy())
        luck = wire.Luck(stream=self.m.stream("exchange"), occasion=0)
        wire.exchange(luck, source, wire.Ties(start=start, target=target), people, liking)
        # A person's creators have new order after trades, so edges are sorted again
        traded = np.stack([source, target], axis=1)
        return traded[np.lexsort((target, source))]

    def people(self) -> wire.People:
        """Who follows and who may be followed."""
        return wire.People(
            key=self.m.read("consumers", "key"),
            community=self.m.read("consumers", "community"),
            home=self.m.read("creators", "community"),
            person=self.m.read("creators", "person"),
        )

    def liking(self) -> wire.Liking:
        """What people choose by, if they have a taste and creators a niche: people know the former
        and see the latter in what a creator posts. Both are hidden from the platform, which has no
        part in this."""
        tables = self.m.world.tables
        if "taste" in tables["consumers"].columns and "niche" in tables["creators"].columns:
            return wire.Liking(
                self.m.read("consumers", "taste"), self.m.read("creators", "niche"), self.p.choice
            )
        # No dimensions: every cosine is 0, and the first creator looked at is followed
        return wire.Liking(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32), 1)
