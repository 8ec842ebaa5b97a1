"""The serving snapshot: which posts the feed may show, the index over them, and the settings in
force, renewed at every refresh.

Settings that a policy may give to a share of consumers lie in one row per arm (see
`twin.world.state.World.arms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import NEVER
from twin.kernels import index
from twin.kernels.rules import QUOTAS, RULES, Ranking, Shelf
from twin.kernels.side import worth
from twin.kernels.snapshot import Serving
from twin.kernels.training import HEADS
from twin.mechanisms.recommender.links import ItemLinks
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.presets import KEPT, OFFSETS, sums, weights
from twin.mechanisms.recommender.presets import QUOTAS as PRESET_QUOTAS
from twin.world.columns import held_bytes, lengthened
from twin.world.mechanism import Mechanism
from twin.world.state import Made

LEAST = 500
"""Posts that a thread assigns to lists at once, or more."""
LISTS = (
    "list_start",
    "list_post",
    "creator_start",
    "creator_post",
    "trending",
    "eligible",
    "can",
    "small",
)
"""Lists of a snapshot that are kept under their names."""
OF_PRESET: dict[str, Mapping[str, float]] = {
    "negative_offset": OFFSETS,
    "in_network_slots": KEPT,
}
"""Rules that an arm's preset sets where the lever does not."""
KEPT_AS = (
    "creator_start",
    "creator_post",
    "trending",
    "fresh",
    "eligible",
    "rules",
    "can",
    "item_small",
    "small",
)
"""Arrays of the mechanism that the snapshot holds under their own names."""
OTHERWISE = {
    "quota",
    "probe_cap",
    "scan",
    "shelf_kind",
    "ranking",
    "negative_sum",
    "total_sum",
    *OF_PRESET,
}
"""Rules that are more than the number a lever stands at; all others are just that."""


class Server:
    """Publishes snapshots of one recommender; all state is in the mechanism's ``keep`` and
    columns."""

    rankings: Mapping[str, int] = {each.name.lower(): int(each) for each in Ranking}
    """What kernels know a ranking by, by its name."""

    def __init__(self, mechanism: Mechanism[RecommenderParams], links: ItemLinks) -> None:
        self.m, self.keep, self.p, self.links = mechanism, mechanism.keep, mechanism.p, links
        # All of these follow from ``keep`` and columns: after a resume they are made again
        self._snapshot: Serving | None = None
        # Orders of the last snapshot: little changes until the next one.
        self._former = index.Orders(newest=np.zeros(0, np.int32), small=np.zeros(0, np.int32))
        self._listed: Made[index.Listed] = Made()
        self._most: Made[int] = Made()
        # The version of levers that the settings in ``keep`` follow
        self._settled = -1
        self._centres: (
            tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None
        ) = None
        self._queries: (
            tuple[tuple[NDArray[Any], ...], NDArray[np.float32], NDArray[np.float32]] | None
        ) = None

    def eligible(self) -> NDArray[np.int32]:
        """Rows of the posts that the feed may show now."""
        m = self.m
        rows: NDArray[np.int32] = index.eligible_rows(
            m.read("posts", "alive"),
            m.read("posts", "born"),
            m.read("posts", "work"),
            m.world.now,
            int(self.p.expiry),
            int(self.p.work_expiry),
        )
        return rows

    def reindex(self) -> None:
        """Move the inverted lists to newly copied vectors: two Lloyd steps from where the centroids
        were."""
        keep = self.keep
        eligible = self.eligible()
        vec, bias, cluster = (
            keep["serve.post.vec"],
            keep["serve.post.bias"],
            self.m.mine("posts", "cluster"),
        )
        lists, width = int(self.p.lists), vec.shape[1] + 1
        # The first index, or one for vectors of another dimension after a migration
        if "centroids" not in keep or keep["centroids"].shape[1] != width:
            keep["centroids"] = np.zeros((lists, width), np.float32)
        # Evenly spaced rows: the seeds need no luck
        if len(eligible) >= lists and not keep["centroids"].any():
            seeds = eligible[(np.arange(lists) * len(eligible)) // lists]
            keep["centroids"] = np.concatenate([vec[seeds], bias[seeds, None]], axis=1)
        for _ in range(2):
            self._assign(eligible)
            # In place: the array is the same one, so what was made from it is dropped below
            index.move(eligible, vec, bias, keep["centroids"], cluster)
        # Every living post needs a list: which are eligible is asked again at each refresh
        self._assign(np.flatnonzero(self.m.read("posts", "alive")))
        self._snapshot = self._centres = None

    def _assign(self, rows: NDArray[Any]) -> None:
        """Put posts into the lists of their nearest centroids."""
        keep, cluster, rows = (
            self.keep,
            self.m.mine("posts", "cluster"),
            rows.astype(np.int32, copy=False),
        )
        self.m.world.crew.split(
            len(rows),
            LEAST,
            lambda low, high: index.assign(
                rows[low:high],
                keep["serve.post.vec"],
                keep["serve.post.bias"],
                keep["centroids"],
                cluster,
            ),
        )

    def place(self, rows: NDArray[np.int64]) -> None:
        """Put new posts into the lists of their nearest centroids."""
        if "centroids" in self.keep:
            self._assign(rows)

    def welcome(self, rows: NDArray[np.int64]) -> None:
        """New people are served the pooled reward model, where one is in use."""
        if len(self.keep.get("serve.reward.own", ())):
            self.open_reward()
            self.keep["serve.reward.own"][rows] = 0

    def open_reward(self) -> None:
        """The reward model is in use: everybody has a place in what is served of it, at first the
        pool's."""
        size = self.m.world.table("consumers").capacity
        self.keep["serve.reward.own"] = lengthened(self.keep["serve.reward.own"], size)

    def small_since(self) -> int:
        """Creators who entered after this second are small whatever their followers; NEVER: nobody
        has."""
        return self.m.world.now - self.p.small_new if self.p.small_new else NEVER

    def refresh(self) -> None:
        """Publish a new snapshot: what the feed reads until the next one is held in arrays, so that
        a resume serves the same."""
        keep, m, p, world = self.keep, self.m, self.p, self.m.world
        decay = np.float32(0.5 ** (world.grid / p.trend_half_life))
        made = index.published(
            self._listed.get(world.tables["posts"].version, self._list),
            index.Owners(
                followers=m.read("creators", "followers"),
                entered_at=m.read("creators", "entered_at"),
            ),
            index.Rules(
                now=world.now,
                expiry=p.expiry,
                work_expiry=p.work_expiry,
                decay=decay,
                lists=p.lists,
                few=p.small_followers,
                since=self.small_since(),
                most=self._most.get(world.lever_version, self._longest),
                below=p.explore_below,
            ),
            self._former,
        )
        for name in LISTS:
            keep[name] = getattr(made, name)
        # Where everything has been seen often, exploration draws from all
        keep["fresh"] = made.fresh if len(made.fresh) else made.eligible
        keep["item_small"] = made.by_small
        # Sorting starts from the last order; an empty one, after a resume, gives the same lists
        self._former = index.Orders(newest=made.newest, small=made.small)
        # Levers change seldom, while snapshots are made every few minutes
        if self._settled != world.lever_version:
            self._settings()
            self._settled = world.lever_version
        self._snapshot = None

    def _list(self) -> index.Listed:
        read, mine = self.m.read, self.m.mine
        return index.Listed(
            alive=read("posts", "alive"),
            born=read("posts", "born"),
            work=read("posts", "work"),
            counts=read("posts", "counts"),
            trend_clicks=mine("posts", "trend_clicks"),
            trend=mine("posts", "trend"),
            cluster=mine("posts", "cluster"),
            creator=read("posts", "creator"),
            impressions=read("posts", "impressions"),
            key=read("posts", "key"),
        )

    def _longest(self) -> int:
        """How many trending posts are listed: four times what any arm may be offered."""
        # More than a quota, because posts that a person has seen lately are passed over
        return 4 * max(
            1,
            *(
                int(quota)
                for quota in self._of_preset(
                    "quota.trending",
                    {preset: quota["trending"] for preset, quota in PRESET_QUOTAS.items()},
                )
            ),
        )

    def _of_preset(self, lever: str, presets: Mapping[str, float]) -> list[float]:
        """A lever by arm, where it is nothing that of the arm's preset (0 where it has none)."""
        given = self.m.levers_by_arm("consumers", lever)
        return [
            presets.get(str(preset), 0) if value is None else float(value)
            for value, preset in zip(
                given, self.m.levers_by_arm("consumers", "preset"), strict=True
            )
        ]

    def _weigh(self) -> NDArray[np.float64]:
        """Weights by arm into ``keep``; the two sums N and T of the offset, (2, arms)."""
        m, names = self.m, (*HEADS, "angry")
        given = zip(
            *(m.levers_by_arm("consumers", f"weights.{name}") for name in names), strict=True
        )
        each = [
            (str(preset), dict(zip(names, one, strict=True)))
            for preset, one in zip(m.levers_by_arm("consumers", "preset"), given, strict=True)
        ]
        rates = self.p.rates.model_dump()
        self.keep["weights"] = np.array(
            [weights(preset, rates, override) for preset, override in each], np.float32
        )
        return np.array([sums(preset, override) for preset, override in each]).T

    def _settings(self) -> None:
        """Weights and rules in force, one row per arm of consumers."""
        keep, m = self.keep, self.m

        def arms(name: str) -> list[float]:
            return [float(value) for value in m.levers_by_arm("consumers", name)]

        rules = np.zeros(len(m.levers_by_arm("consumers", "ranking")), RULES)
        prefix = f"{m.name}."
        # Fields of a record have no dots: ``reward.weight`` is ``reward_weight``
        levers = {
            name.removeprefix(prefix).replace(".", "_"): name.removeprefix(prefix)
            for name in m.world.levers
            if name.startswith(prefix)
        }
        for field in sorted({*(RULES.names or ())} - OTHERWISE):
            # A KeyError here is a rule without a lever: declare one, or name it in OTHERWISE
            rules[field] = arms(levers[field])
        for lever, presets in OF_PRESET.items():
            rules[lever] = self._of_preset(lever, presets)
        for place, source in enumerate(QUOTAS):
            rules["quota"][:, place] = self._of_preset(
                f"quota.{source}",
                {preset: quota.get(source, 0) for preset, quota in PRESET_QUOTAS.items()},
            )
        rules["probe_cap"], rules["scan"] = self.p.probe_cap, self.p.scan
        rules["shelf_kind"] = [
            Shelf[str(kind).upper()] for kind in m.levers_by_arm("consumers", "shelf.kind")
        ]
        rules["ranking"] = [
            Ranking.ORACLE if m.world.oracle else self.rankings[str(ranking)]
            for ranking in m.levers_by_arm("consumers", "ranking")
        ]
        rules["negative_sum"], rules["total_sum"] = self._weigh()
        keep["rules"] = rules

    def serving(self) -> Serving:
        """The snapshot as the session kernels read it."""
        if self._snapshot is None:
            k, m = self.keep, self.m
            dense, posts = k["serve.W"], m.world.table("posts")
            dim = len(dense) - 2
            first, tile_post, tile_vec, tile_bias = index.tiles(
                k["list_start"], k["list_post"], k["serve.post.vec"], k["serve.post.bias"]
            )
            known = k["serve.linear"]
            # The table may have grown since: new posts have no log-odds yet
            if len(known):
                known = lengthened(known, len(posts))
            centre_vec, _ = self._centre(dim)
            query, tile_bias, centre_bias = self._biases(dim, first, tile_post, tile_bias, known)
            self._snapshot = Serving(
                item_vec=k["serve.post.vec"],
                item_bias=k["serve.post.bias"],
                item_creator=posts["creator"],
                item_born=posts["born"],
                item_ai=index.by_ai(m.read("creators", "ai"), posts["creator"]),
                item_key=posts["key"],
                item_factor=self._factors(posts["creator"]),
                trend_score=m.mine("posts", "trend"),
                user_vec=k["serve.consumer.vec"],
                user_bias=k["serve.consumer.bias"],
                # W in three: its rows for vectors, for the person's bias, and for the post's bias
                interaction=np.ascontiguousarray(dense[:dim]),
                user_scale=dense[dim].copy(),
                item_scale=dense[dim + 1].copy(),
                intercept=k["serve.c"],
                weights=k["weights"],
                query=query,
                centre_vec=centre_vec,
                centre_bias=centre_bias,
                tile_start=first,
                tile_post=tile_post,
                tile_of=index.places(tile_post, len(posts)),
                tile_vec=tile_vec,
                tile_bias=tile_bias,
                mean_vec=k["serve.mean.vec"],
                mean_bias=k["serve.mean.bias"],
                signal=posts["signal"],
                reward_pool=k["serve.reward.pool"],
                reward_own=k["serve.reward.own"],
                random_links=self.links.linked["random"],
                linear=known,
                **{name: k[name] for name in KEPT_AS},
                **{name: self.links.linked[name] for name in ("co_viewed", "bought_together")},
            )
        return self._snapshot

    def _factors(self, creator: NDArray[Any]) -> NDArray[np.float32]:
        """The factor of each post's creator, f4 (P,); (0,) where all have 1."""
        values = np.array(self.m.levers_by_arm("creators", "creator_factor"), np.float32)
        if (values == 1).all():
            return np.zeros(0, np.float32)
        # free rows of posts have no creator
        rows = np.maximum(creator, 0)
        factors: NDArray[np.float32] = values[self.m.read("creators", "arm")[rows]]
        return factors

    def _biases(
        self,
        dim: int,
        first: NDArray[Any],
        tile_post: NDArray[Any],
        tile_bias: NDArray[Any],
        known: NDArray[Any],
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The direction of the value model by arm, and the biases of posts and of centroids in
        tiles: with signals, what each is worth to an arm whoever the person is."""
        query, pull = self._query()
        centre_bias = self._centre(dim)[1]
        # Without signals the bias of a post is weighed by its arm when it is read
        if not len(known):
            return query, tile_bias[None], centre_bias[None]
        weight = np.ascontiguousarray(query[:, dim])
        tile_bias, mean = worth(first, tile_post, weight, pull, self.keep["serve.post.bias"], known)
        query, centre_bias = query.copy(), np.zeros((len(pull), *centre_bias.shape), np.float32)
        # The weight is in the biases already
        query[:, dim] = 1
        # A list's mean worth stands for its centroid; lanes beyond the last list stay 0
        centre_bias.reshape(len(pull), -1)[:, : mean.shape[1]] = mean
        return query, tile_bias, centre_bias

    def scratch(self) -> int:
        """Bytes of what the snapshot holds beside the World: copies of vectors in tiles,
        settings."""
        kept = {id(array) for array in self.m.world.state.values()}
        return sum(
            held_bytes(array)
            for array in self._snapshot or ()
            # Views of columns, and arrays of the World, are counted there
            if id(array) not in kept and not isinstance(array.base, np.ndarray)
        )

    def _query(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How far dense weights pull on the value of a post, one row per arm, and each head's
        log-odds (A, 8); kept until these or weights change."""
        parts = self.keep["serve.W"], self.keep["serve.c"], self.keep["weights"]
        # By identity: these arrays are replaced as a whole and never written in place
        if self._queries is None or any(
            one is not other for one, other in zip(self._queries[0], parts, strict=True)
        ):
            dense, intercept, weight = parts
            dim = len(dense) - 2
            base = 1 / (1 + np.exp(-intercept.astype(float)))
            # sum_h w_h P_h, linear about the base rates: dP / dlogit = P (1 - P)
            pull = (weight * base * (1 - base)).astype(np.float32)
            # Last the weight of the post's bias; the person's own changes no order
            rows = [
                np.append((dense[:dim] * one).sum(1), (dense[dim + 1] * one).sum()) for one in pull
            ]
            self._queries = parts, np.stack([row.astype(np.float32) for row in rows]), pull
        return self._queries[1:]

    def _centre(self, dim: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Centroids in tiles: vectors and biases; kept until they move."""
        centroids = self.keep["centroids"]
        if self._centres is None or self._centres[0] is not centroids:
            lists = np.arange(len(centroids), dtype=np.int32)
            # One group with all centroids
            start = np.array([0, len(lists)], np.int32)
            _, _, vec, bias = index.tiles(
                start, lists, centroids[:, :dim].copy(), centroids[:, dim].copy()
            )
            self._centres = centroids, vec, bias
        return self._centres[1:]

    def forget(self) -> None:
        """Columns moved: the snapshot must be put together anew from its arrays."""
        self._snapshot = None
