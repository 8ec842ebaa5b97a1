"""What the mechanism owns and publishes: columns of creators and posts, metrics of the producer side."""

from __future__ import annotations

from twin.ground.units import NEVER
from twin.world.columns import Column
from twin.world.metric import Metric

KINDS = ("human", "ai")
PUBLISHED = ("arousal", "comprehensiveness", "slant")
"""Strategies that are columns of creators and of posts alike."""
STRATEGY = (("arousal", 0.0, 1.0), ("comprehensiveness", 0.0, 1.0), ("slant", -1.0, 1.0), ("care", 0.0, 1.0))
"""Everything that the learning rule moves, with its range."""
SIGNALS = (("slant", -1.0, 1.0), ("arousal", 0.0, 1.0), ("comprehensiveness", 0.0, 1.0))
"""What a classifier reads off a post, in the order of the column ``signal``."""
UNSET = -1e6
"""A baseline that no reward has set yet."""
RESPONDED = 0.1
"""Distance from the strategy at entry beyond which a creator counts as having moved: a post's exploration (1 sd) at the defaults."""
INCENTIVES = ("arousal", "comprehensiveness", "slant")
"""What pay is regressed on; of slant its absolute value."""
MEMORY = 28
"""Days over which income, effort and incentives are averaged."""
BURNT_OUT = 0.25
"""Morale below which a creator counts as burnt out."""

CREATORS = (
    Column("active", "?", "1", "True until the creator quits"),
    Column("ai", "?", "1", "True for AI creators"),
    Column("campaign", "?", "1", "True for accounts that a campaign runs"),
    Column("topic", "i2", "1", "Community that the creator is confined to, -1 for the one it is born into", start=-1),
    Column("person", "i4", "row", "Row of the consumer who is this creator, -1 for AI", start=-1),
    Column("niche", "f4", "1", "What the creator makes: a unit vector in taste space", shape=(16,), hidden=True),
    Column("skill", "f4", "sd", "Mean quality of posts", hidden=True),
    Column("rate", "f4", "posts/d", "Posts per day at neutral morale"),
    Column("pace", "f4", "1", "Factor on that rate by which supply has answered to what posts bring", start=1, hidden=True),
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
    Column("aspiration", "f4", "log impressions", "Mean log(1 + impressions) per post that the creator is used to", hidden=True),
    Column("reckonings", "i4", "d", "Days with settled posts"),
    Column("responsiveness", "f4", "1", "Factor on the rates at which the creator learns", hidden=True),
    Column("entered_with", "f4", "1", "Arousal and comprehensiveness with which the creator began", shape=(2,), hidden=True),
    Column("window", "f4", "posts, log pay, 1", "Settled posts that fade, and their mean log(1 + pay), arousal, comprehensiveness and "
           "extremity", shape=(5,), hidden=True),
    Column("morale", "f4", "1", "0 burnt out, 0.5 neutral, 1 elated", start=0.5, hidden=True),
    Column("spent", "f4", "log pay", "Effort since the last reckoning", hidden=True),
    Column("effort", "f4", "log pay/d", "Moving mean of effort per day (28 days)", hidden=True),
    Column("income", "f4", "pay/d", "Moving mean of pay per day (28 days)"),
    Column("record", "f4", "1", "Moving mean of clicks per impression, -1 before any", start=-1),
    Column("reputation", "f4", "likes", "Reputation stock"),
    Column("assisted", "?", "1", "True for a human who uses an AI assistant", hidden=True),
    Column("discloses", "?", "1", "True for an AI creator that says what it is"),
    Column("entered_at", "i8", "s", "When the creator began"),
    Column("left_at", "i8", "s", "When the creator quit", start=NEVER),
)
POSTS = (
    Column("creator", "i4", "row", "Who made it", start=-1),
    Column("born", "i8", "s", "When it was posted", start=NEVER),
    Column("settled", "?", "1", "True once its success has been reckoned"),
    Column("work", "?", "1", "True for a long-lived work"),
    Column("labelled", "?", "1", "True if shown as AI-made"),
    Column("assisted", "?", "1", "True if a human made it with an AI assistant"),
    Column("signal", "f4", "1", "Slant, arousal and comprehensiveness as a classifier reads them", shape=(3,)),
    Column("reading", "f4", "sd", "Quality as a maker's critic reads it", hidden=True),
    Column("content", "f4", "1", "What it is about: a unit vector in taste space", shape=(16,), hidden=True),
    Column("quality", "f4", "sd", "True quality", hidden=True),
    Column("arousal", "f4", "1", "Arousal, 0..1", hidden=True),
    Column("comprehensiveness", "f4", "1", "Comprehensiveness, 0..1", hidden=True),
    Column("slant", "f4", "1", "Slant, -1..1", hidden=True),
    Column("cost", "f4", "log pay", "Effort that it took", hidden=True),
    Column("tried", "f4", "sd", "Strategy noise of this post", shape=(4,), hidden=True),
    Column("paid_impressions", "i4", "impressions", "Impressions that a work has been paid for"),
    Column("paid_likes", "i4", "likes", "Likes that a work has been paid for"),
)
METRICS = (
    Metric("posts", "counter", "posts", "Posts made.", "producer", "Supply", labels={"by": KINDS}, headline=True,
           of="creators_active"),
    Metric("creators_active", "gauge", "creators", "Creators who have not quit.", "producer", "Who stays", labels={"by": KINDS}),
    Metric("creator_entries", "counter", "creators", "Creators who ever began.", "producer", "Who stays: Beginning and quitting",
           labels={"by": KINDS}),
    Metric("creator_exits", "counter", "creators", "Creators who quit.", "producer", "Who stays: Beginning and quitting",
           labels={"by": KINDS}, good="down"),
    Metric("creator_morale", "gauge", "1", "Mean morale of active human creators (0.5 is neutral).", "producer", "Who stays: Morale",
           good="up", headline=True),
    Metric("creator_morale_spread", "histogram", "creators", "Active human creators by morale.", "producer", "Who stays",
           edges=tuple(round(0.1 * k, 1) for k in range(10))),
    Metric("creator_income", "gauge", "pay/d", "Mean pay per creator and day (28-day mean).", "producer", "Who earns",
           labels={"by": KINDS}, good="up"),
    Metric("creator_income_gini", "gauge", "1", "Gini of pay across active creators.", "producer", "Who earns", good="down"),
    Metric("reach_per_post", "gauge", "impressions/post", "Mean impressions of the posts settled last.", "producer", "Who is seen",
           labels={"by": KINDS}, good="up"),
    Metric("post_reach", "histogram", "posts", "Posts settled last, by impressions.", "producer", "Who is seen",
           edges=(0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)),
    Metric("posts_unseen_share", "gauge", "1", "Share of the posts settled last that nobody saw; no reading while there are none.",
           "producer", "Who is seen: Posts that nobody saw", good="down"),
    Metric("item_popularity_gini", "gauge", "1", "Gini of impressions across the posts settled last that anybody saw.", "producer",
           "Who is seen: Concentration of reach", good="down"),
    Metric("creator_arousal", "gauge", "1", "Mean arousal strategy of active creators.", "producer", "What is made: Arousal",
           labels={"by": KINDS}, good="down"),
    Metric("creator_comprehensiveness", "gauge", "1", "Mean comprehensiveness strategy of active creators.", "producer",
           "What is made: Comprehensiveness", labels={"by": KINDS}),
    Metric("incentive_slope", "gauge", "log pay", "What the feed pays for: slope of log(1 + pay) of settled posts, within creators, on "
           "arousal, comprehensiveness and |slant| (0 to 1 each), over about four weeks; 0 until it can be read.", "producer",
           "Who earns: What the feed pays for", labels={"of": INCENTIVES, "by": KINDS}),
    Metric("incentive_slope_se", "gauge", "log pay", "Standard error of that slope; 0 until it can be read.", "producer",
           "Who earns: What the feed pays for", labels={"of": INCENTIVES, "by": KINDS}),
    Metric("creators_responding", "gauge", "1", "Share of active creators whose mean arousal or comprehensiveness lies more than 0.1 from "
           "where they began.", "producer", "What is made: Creators who have changed", labels={"by": KINDS}),
    Metric("creator_slant_spread", "gauge", "1", "Standard deviation of slant across active creators.", "producer", "What is made"),
    Metric("reputation_mean", "gauge", "likes", "Mean reputation of active creators.", "producer", "Followers and reputation",
           labels={"by": KINDS}, good="up"),
    Metric("posts_top_share", "gauge", "1", "Share of posts written by the most active tenth of creators.", "producer", "Supply"),
    Metric("supply_arousal", "gauge", "1", "Mean arousal (outrage) of posts made since the last reading.", "producer",
           "What is made: Arousal", labels={"by": KINDS}, good="down"),
    Metric("supply_comprehensiveness", "gauge", "1", "Mean comprehensiveness of posts made since the last reading.", "producer",
           "What is made: Comprehensiveness", labels={"by": KINDS}),
    Metric("labelled_share", "gauge", "1", "Share of AI posts made since the last reading that are shown as AI-made.", "producer",
           "AI in supply: Labels and assistants"),
    Metric("posts_assisted_share", "gauge", "1", "Share of human posts made since the last reading with an AI assistant.", "producer",
           "AI in supply: Labels and assistants"),
    Metric("creators_assisted_share", "gauge", "1", "Share of active human creators who use an AI assistant.", "producer",
           "AI in supply: Labels and assistants"),
    Metric("draft_predictor_correlation", "gauge", "1",
           "Correlation of predicted and observed click rates of posts settled last, before learning from them.", "producer",
           "AI in supply"),
    Metric("posts_blocked", "counter", "posts", "AI posts that the cap on posts per day kept back.", "producer", "AI in supply"),
    Metric("works", "counter", "posts", "Long-lived works made.", "producer", "Supply", labels={"by": KINDS}),
    Metric("campaign_account_posts", "counter", "posts", "Posts made by accounts of campaigns.", "producer", "Supply"),
    Metric("creator_pace", "gauge", "1", "Mean factor by which active creators' posting rate has answered to what posts bring.",
           "producer", "Supply", labels={"by": KINDS}),
    Metric("creator_effort", "gauge", "log pay/d", "Mean effort per active creator and day (28-day mean).", "producer", "Who earns",
           labels={"by": KINDS}),
    Metric("creator_net_utility", "gauge", "log pay", "Mean over active creators of log(1 + pay) less effort, per post.", "producer",
           "Who earns", labels={"by": KINDS}, good="up"),
    Metric("creators_burnt_out", "gauge", "1", "Share of active human creators with a morale below a quarter.", "producer",
           "Who stays: Morale", good="down"),
    Metric("reputation_gini", "gauge", "1", "Gini of reputation across active human creators.", "producer",
           "Followers and reputation: Concentration", good="down"),
    Metric("niche_creators", "gauge", "1", "Share of active human creators whose community is in the smaller half of communities.",
           "producer", "Niches and displacement", good="up"),
    Metric("niche_income", "gauge", "pay/d", "Mean pay per niche human creator and day (28-day mean).", "producer",
           "Niches and displacement", good="up"),
    Metric("niche_exits", "counter", "creators", "Niche human creators who quit.", "producer", "Niches and displacement", good="down"),
    Metric("niche_posts", "counter", "posts", "Posts made by niche human creators.", "producer", "Niches and displacement", good="up"),
    Metric("human_posts", "counter", "posts", "Human posts in communities where AI creators work, and in others.", "producer",
           "Niches and displacement", labels={"topic": ("invaded", "other")}),
    Metric("human_exits", "counter", "creators", "Human creators who quit in communities where AI creators work, and in others.",
           "producer", "Niches and displacement", labels={"topic": ("invaded", "other")}, good="down"),
)
TALLIES = ("blocked", "campaign_posts", "niche_posts", "niche_exits", "invaded_posts", "other_posts", "invaded_exits", "other_exits")
"""Running counts, in the order of ``keep["tally"]``."""
SUPPLY = ("posts", "arousal", "comprehensiveness", "labelled", "assisted", "works")
"""Running sums over posts by kind of creator, in the order of the columns of ``keep["supply"]``."""
