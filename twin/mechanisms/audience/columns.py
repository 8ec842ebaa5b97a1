"""The columns that the mechanism owns: consumers, and what they leave on posts."""

from __future__ import annotations

from twin.ground.units import LATEST, NEVER
from twin.world.columns import Column

SEEN, VIEWED = 32, 4
"""Posts that a person remembers to have seen, and to have viewed to the end."""

CONSUMERS = (
    Column("active", "?", "1", "True until the person leaves for good"),
    # Traits, drawn when the person joins
    Column("taste", "f4", "1", "True taste: a unit vector", shape=(16,), hidden=True),
    Column(
        "eagerness",
        "f4",
        "logit",
        "Shift of like, comment, reshare and follow",
        hidden=True,
    ),
    Column("click_shift", "f4", "logit", "Shift of the click", hidden=True),
    Column("patience_shift", "f4", "logit", "Shift of looking at the next post", hidden=True),
    Column(
        "return_logit",
        "f4",
        "logit",
        "Log-odds of coming back on any next day",
        hidden=True,
    ),
    Column("satisfaction", "f4", "1", "Moving mean of gladness per session", hidden=True),
    Column("tz", "i1", "h", "Time zone"),
    Column("next_at", "i8", "s", "Time of the next session", start=NEVER),
    Column("sessions", "i4", "sessions", "Sessions so far"),
    Column("last_day", "i2", "d", "Local day of the last session", start=-1),
    Column(
        "joined_at",
        "i4",
        "s",
        "When the person first came; 0 for those who were there when the world began",
    ),
    Column("left_at", "i4", "s", "When the person left", start=LATEST),
    # Rings: the oldest entry gives way
    Column("seen", "i4", "rows", "Posts seen last", start=-1, shape=(SEEN,), rows_of="posts"),
    Column("seen_at", "i1", "1", "Place in that ring"),
    Column(
        "viewed",
        "i4",
        "rows",
        "Posts viewed to the end last",
        start=-1,
        shape=(VIEWED,),
        rows_of="posts",
    ),
    Column("viewed_at", "i1", "1", "Place in that ring"),
    Column(
        "stance",
        "f4",
        "posts",
        "Posts examined that lean to either side, fading",
        shape=(2,),
        hidden=True,
    ),
    Column("pull_sum", "f8", "1", "Running sum of pulls on the opinion by posts"),
    Column("pull_count", "i4", "posts", "Posts in that sum"),
)
POSTS = (
    Column("impressions", "i4", "impressions", "Times examined"),
    Column("counts", "i4", "responses", "Responses by head", shape=(8,)),
    Column("enjoyed", "i4", "responses", "Times someone was glad of it", hidden=True),
)
