"""Columns of creators and posts that the mechanism owns."""

from __future__ import annotations

from twin.ground.units import NEVER
from twin.mechanisms.creators.declared import UNSET
from twin.world.columns import Column

CREATORS = (
    Column("active", "?", "1", "True until the creator quits"),
    Column("ai", "?", "1", "True for AI creators"),
    Column("campaign", "?", "1", "True for accounts that a campaign runs"),
    Column(
        "topic",
        "i2",
        "1",
        "Community that the creator is confined to, -1 for the one it is born into",
        start=-1,
    ),
    Column("person", "i4", "row", "Row of the consumer who is this creator, -1 for AI", start=-1),
    Column(
        "niche",
        "f4",
        "1",
        "What the creator makes: a unit vector in taste space",
        shape=(16,),
        hidden=True,
    ),
    Column("skill", "f4", "sd", "Mean quality of posts", hidden=True),
    Column("rate", "f4", "posts/d", "Posts per day at neutral morale"),
    Column(
        "pace",
        "f4",
        "1",
        "Factor by which that rate has changed in response to what posts earn",
        start=1,
        hidden=True,
    ),
    # after a year a float of four bytes would place a post to 3 s only
    Column("flat_at", "f8", "d", "Next post on a clock without nights"),
    Column("next_at", "i8", "s", "Next post", start=NEVER),
    Column("posts_made", "i4", "posts", "Posts so far"),
    Column("day", "i4", "d", "Day of the last post", start=-1),
    Column("day_posts", "i4", "posts", "Posts on that day"),
    Column("arousal", "f4", "1", "Mean arousal of posts", hidden=True),
    Column("comprehensiveness", "f4", "1", "Mean comprehensiveness of posts", hidden=True),
    Column("slant", "f4", "1", "Mean slant of posts, -1..1", hidden=True),
    Column("care", "f4", "1", "Mean care put into quality, 0..1", hidden=True),
    Column("baseline", "f4", "log pay", "Moving mean of rewards", start=UNSET, hidden=True),
    Column("reference", "f4", "log pay", "Mean reward of the first posts", hidden=True),
    Column("referred", "i4", "posts", "Posts in that mean", hidden=True),
    Column("reach", "f4", "impressions", "Moving mean of impressions per post", hidden=True),
    Column(
        "aspiration",
        "f4",
        "log impressions",
        "Mean log(1 + impressions) per post that the creator is used to",
        hidden=True,
    ),
    Column("reckonings", "i4", "d", "Days with settled posts"),
    Column(
        "responsiveness", "f4", "1", "Factor on the rates at which the creator learns", hidden=True
    ),
    Column(
        "entered_with",
        "f4",
        "1",
        "Arousal and comprehensiveness with which the creator began",
        shape=(2,),
        hidden=True,
    ),
    Column(
        "window",
        "f4",
        "posts, log pay, 1",
        "Weight of settled posts, which fades, and their mean log(1 + pay), arousal, "
        "comprehensiveness and extremity",
        shape=(5,),
        hidden=True,
    ),
    Column("morale", "f4", "1", "0 burnt out, 0.5 neutral, 1 elated", start=0.5, hidden=True),
    Column("spent", "f4", "log pay", "Effort since the last settlement", hidden=True),
    Column("effort", "f4", "log pay/d", "Moving mean of effort per day (28 days)", hidden=True),
    Column("income", "f4", "pay/d", "Moving mean of pay per day (28 days)"),
    Column("record", "f4", "1", "Moving mean of clicks per impression, -1 before any", start=-1),
    Column("reputation", "f4", "likes", "Reputation stock"),
    Column("assisted", "?", "1", "True for a human who uses an AI assistant", hidden=True),
    Column("discloses", "?", "1", "True for an AI creator that discloses what it is"),
    Column("entered_at", "i8", "s", "When the creator began"),
    Column("left_at", "i8", "s", "When the creator quit", start=NEVER),
)
POSTS = (
    Column("creator", "i4", "row", "Who made it", start=-1),
    Column("born", "i8", "s", "When it was posted", start=NEVER),
    Column("settled", "?", "1", "True once its success has been measured"),
    Column("work", "?", "1", "True for a long-lived work"),
    Column("labelled", "?", "1", "True if shown as AI-made"),
    Column("assisted", "?", "1", "True if a human made it with an AI assistant"),
    Column(
        "signal",
        "f4",
        "1",
        "Slant, arousal and comprehensiveness as a classifier reads them",
        shape=(3,),
    ),
    Column("reading", "f4", "sd", "Quality as a creator's critic reads it", hidden=True),
    Column(
        "content",
        "f4",
        "1",
        "What it is about: a unit vector in taste space",
        shape=(16,),
        hidden=True,
    ),
    Column("quality", "f4", "sd", "True quality", hidden=True),
    Column("arousal", "f4", "1", "Arousal, 0..1", hidden=True),
    Column("comprehensiveness", "f4", "1", "Comprehensiveness, 0..1", hidden=True),
    Column("slant", "f4", "1", "Slant, -1..1", hidden=True),
    Column("cost", "f4", "log pay", "Effort it took", hidden=True),
    Column("tried", "f4", "sd", "Strategy noise of this post", shape=(4,), hidden=True),
    # of works alone: any other post is paid once, at settlement
    Column("paid_impressions", "i4", "impressions", "Impressions that a work has been paid for"),
    Column("paid_likes", "i4", "likes", "Likes that a work has been paid for"),
)
