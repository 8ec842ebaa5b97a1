"""Parameters of the embedding tables (`tables`)."""

from __future__ import annotations

from typing import Literal

from twin.ground.units import DAY
from twin.world.params import Duration, Params, group, par


class Table(Params):
    """One embedding table."""

    # Any kind
    kind: Literal["hash", "double_hash", "quotient_remainder", "collisionless"] = par(
        "collisionless",
        "hash: fixed slots, collisions shared; double_hash: the sum of two of them; "
        "quotient_remainder: one of each of "
        "two tables; collisionless: a cuckoo map that grows (a change is a migration, see "
        "migration_warm_up)",
        lever=True,
        source="Monolith, Liu et al. 2209.07663; Shi et al. 1909.02107",
    )
    # Fixed tables
    slots: int = par(
        65536,
        "slots of a fixed table; of the remainder table of quotient_remainder (a change is a "
        "migration)",
        unit="rows",
        low=1,
        high=2**31 - 1,
        lever=True,
        under=".kind!=collisionless",
    )
    hash_function: Literal["mix64", "md5"] = par(
        "mix64",
        "hash of IDs: SplitMix64's finaliser, or MD5 of the decimal ID",
        source="md5: reproduces Monolith's Table 1",
        under=".kind!=collisionless",
    )
    salt: int = par(
        0, "salt of the hash, and of the random draws of admission", low=0, high=2**31 - 1
    )
    operator: Literal["sum", "product"] = par(
        "sum",
        "how the two rows of quotient_remainder combine, element by element",
        source="sum: Monolith's baseline, Liu et al. 2209.07663; product: Shi et al. 1909.02107",
        under=".kind=quotient_remainder",
    )
    id_range: int = par(
        0,
        "range to which quotient_remainder hashes IDs before it splits them (0: slots squared)",
        unit="ids",
        low=0,
        high=2**48,
        source="Monolith, Liu et al. 2209.07663: 2^48 into 2 x 2^24",
        under=".kind=quotient_remainder",
    )
    # Collisionless tables
    admission: int = par(
        1,
        "sightings that admit an ID to a row (collisionless)",
        unit="sightings",
        low=1,
        high=255,
        source="Monolith, Liu et al. 2209.07663",
        under=".kind=collisionless",
    )
    admission_rule: Literal["threshold", "unequal", "equal"] = par(
        "threshold",
        "threshold: after so many sightings; unequal: by chance min(1, n/T) at n more; equal: by "
        "chance 1 - 0.05^(n/T)",
        source="bytedance/monolith, probabilistic_filter.cc",
        under=".kind=collisionless",
    )
    expire_after: Duration = par(
        30 * DAY,
        "age since the last sighting at which a row is recycled (collisionless; 0s: never)",
        unit="s",
        low=0,
        source="Monolith, Liu et al. 2209.07663",
        under=".kind=collisionless",
    )


class Tables(Params):
    """Embedding tables by entity."""

    consumer: Table = group(Table, "consumers", expire_after=90 * DAY)
    post: Table = group(Table, "posts", expire_after=7 * DAY)
    creator: Table = group(Table, "creators", expire_after=90 * DAY)
