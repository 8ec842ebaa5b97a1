"""Named quantities that outcomes are read from, and the metrics that they are made of.

The only place that knows metrics by name: an outcome names a quantity, and a reading by arm that
the twin does not have yet is written here under the name that it is expected to have. Where the
scenario declares no such metric, the reading is not available (`readings.lacking`), and outcomes
that have no other are answered "cannot". Formulas are those of
`twin.experiments.forecasts.expressions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PEOPLE = "consumers_active"
EVERYBODY = "{arm=everybody}"


@dataclass(frozen=True)
class Quantity:
    """What is compared.

    ``arm``: formula over metrics by arm, each read for the treated and for the control group;
    ``whole``: formula over metrics of a whole world. ``spread_arm`` and ``spread_whole``: the sd
    that standardises it, of the control group. Empty where there is none.
    """

    says: str
    arm: str = ""
    whole: str = ""
    spread_arm: str = ""
    spread_whole: str = ""


def _binary(share: str) -> str:
    """The sd of a yes or no whose share is given."""
    return f"sqrt(({share}) * (1 - {share}))"


def _head(*heads: str) -> tuple[str, str]:
    """Responses per person and day, by arm and in a whole world."""
    return (
        " + ".join(f"trial_responses{{head={head}}}" for head in heads),
        f"({' + '.join(f'responses{{head={head}}}' for head in heads)}) / {PEOPLE}",
    )


def _people(says: str, name: str, whole: str, sd: str = "") -> Quantity:
    """What is a mean over people or users, with the sd between them."""
    return Quantity(says, f"trial_{name}", whole, f"trial_{name}_sd", sd)


def _posts(says: str, name: str, whole: str) -> Quantity:
    """What is a mean over posts shown, with the sd between them."""
    sd = f"trial_{name}_spread"
    return Quantity(says, f"trial_{name}", whole, sd, sd + EVERYBODY)


_ENJOYED = "(enjoyed / impressions)"
_CLICKS = "trial_responses_per_impression{head=click,arm=everybody}"
_RANDOM = "trial_source_clicks_per_impression{source=random,arm=everybody}"
_RANDOM_SHARE = (
    "(trial_source_impressions{source=random,arm=everybody} / trial_impressions{arm=everybody})"
)
QUANTITIES: Mapping[str, Quantity] = {
    # what people do, per person and day
    "sessions": _people("sessions per person and day", "sessions", f"sessions / {PEOPLE}"),
    "opened": Quantity(
        "posts opened per person and day", *_head("click"), "trial_responses_sd{head=click}"
    ),
    "watched": Quantity("posts watched for long per person and day", *_head("long_view")),
    "reacted": Quantity(
        "likes, comments and reshares per person and day", *_head("like", "comment", "reshare")
    ),
    "out_of_network": Quantity(
        "posts of creators not followed, examined per person and day",
        "trial_outside_impressions",
        f"(source_impressions - source_impressions{{source=in_network}}) / {PEOPLE}",
    ),
    "weekly": Quantity(
        "people with a session in the last week", "trial_weekly", "trial_weekly{arm=everybody}"
    ),
    "works": Quantity(
        "works examined per person and day",
        "trial_work_impressions",
        f"work_impressions / {PEOPLE}",
    ),
    "bought": Quantity(
        "works consumed per person and day", "trial_purchases", f"purchases / {PEOPLE}"
    ),
    # what the feed shows
    "click_rate": Quantity(
        "clicks per impression",
        "trial_responses_per_impression{head=click}",
        "responses{head=click} / impressions",
    ),
    "click_rate_random": Quantity(
        "clicks per impression on slots that were drawn at random", whole=_RANDOM
    ),
    "click_rate_chosen": Quantity(
        "clicks per impression on all other slots",
        whole=f"({_CLICKS} - {_RANDOM} * {_RANDOM_SHARE}) / (1 - {_RANDOM_SHARE})",
    ),
    "click_rate_ai": Quantity(
        "clicks per impression of AI posts",
        whole="responses{head=click,by=ai} / impressions{by=ai}",
    ),
    "click_rate_human": Quantity(
        "clicks per impression of human posts",
        whole="responses{head=click,by=human} / impressions{by=human}",
    ),
    "arousal": _posts("mean arousal of posts examined", "shown_arousal", "shown_arousal"),
    "animosity": _posts(
        "arousal times distance of slant from the reader",
        "shown_hostility",
        f"trial_shown_hostility{EVERYBODY}",
    ),
    "aroused_share": Quantity(
        "share of posts examined above a percentile of arousal in supply",
        "trial_shown_aroused",
        f"trial_shown_aroused{EVERYBODY}",
    ),
    "aroused_seen": Quantity(
        "posts examined per person and day above that percentile",
        "trial_impressions * trial_shown_aroused",
        f"impressions / {PEOPLE} * trial_shown_aroused{EVERYBODY}",
    ),
    "aroused_responses": Quantity(
        "comments and reshares per person and day on posts above that percentile",
        "trial_aroused_responses{head=comment} + trial_aroused_responses{head=reshare}",
        "trial_aroused_responses{head=comment,arm=everybody}"
        " + trial_aroused_responses{head=reshare,arm=everybody}",
    ),
    "aroused_engaged_share": Quantity(
        "share of posts opened that are above that percentile",
        "trial_aroused_share_of_responses{head=click}",
        "trial_aroused_share_of_responses{head=click,arm=everybody}",
    ),
    "enjoyed": Quantity(
        "share of posts examined that people were glad of",
        whole=_ENJOYED,
        spread_whole=_binary(_ENJOYED),
    ),
    "popularity": Quantity(
        "mean impressions that an examined post had before",
        "trial_shown_popularity",
        "shown_popularity",
    ),
    "diversity_within": Quantity(
        "entropy of communities of what one person opens",
        "trial_opened_entropy_within",
        f"trial_opened_entropy_within{EVERYBODY}",
    ),
    "diversity_pooled": Quantity(
        "entropy of communities of what an arm opens; whole worlds: one less the Gini of reach",
        "trial_opened_entropy_pooled",
        "1 - item_popularity_gini",
    ),
    "diversity_works": Quantity(
        "one less the Gini of purchases over works", whole="1 - work_purchases_gini"
    ),
    "distinct": Quantity(
        "distinct posts shown; whole worlds: coverage of the feed times posts in it",
        "trial_distinct_posts",
        "post_coverage * posts_eligible",
    ),
    "exposure_gini": Quantity("Gini of impressions over creators", whole="exposure_gini"),
    "top_share": Quantity(
        "share of impressions of the most seen tenth of creators", whole="exposure_top_share"
    ),
    # what creators do and get
    "human_posts": Quantity("posts of human creators per day", whole="posts{by=human}"),
    "posts_small": Quantity(
        "posts per small human creator and day; whole worlds: per human creator",
        "trial_posts_small",
        "posts{by=human} / creators_active{by=human}",
    ),
    "small_opened": Quantity(
        "posts of small creators opened per person and day; whole worlds: impressions of the less "
        "followed half of creators",
        "trial_small_clicks",
        "small_creator_share * impressions",
    ),
    "followers_small": Quantity(
        "followers gained per small creator and day", "trial_followers_gained_small"
    ),
    # what people think and feel
    "satisfaction": _people("mean satisfaction", "satisfaction", "satisfaction_mean"),
    "opinion": _people("mean opinion", "opinion", "opinion_mean", "sqrt(opinion_variance)"),
    # E x^2 is the variance plus the squared mean, and the sd of |x| follows
    "extremity": _people(
        "mean distance of opinions from the middle",
        "opinion_extremity",
        "trial_opinion_extremity{arm=everybody}",
        "sqrt(opinion_variance + opinion_mean * opinion_mean"
        " - trial_opinion_extremity{arm=everybody} * trial_opinion_extremity{arm=everybody})",
    ),
    # votes on posts; the seed vote is not counted
    "net_seeded_up": Quantity("net votes of posts seeded up", whole="vote_net_mean{seed=up}"),
    "net_seeded_down": Quantity("net votes of posts seeded down", whole="vote_net_mean{seed=down}"),
    "net_unseeded": Quantity("net votes of posts not seeded", whole="vote_net_mean{seed=none}"),
    "first_seeded_up": Quantity(
        "first voters who vote posts seeded up, up", whole="vote_first_up_share{seed=up}"
    ),
    "first_unseeded": Quantity(
        "first voters who vote posts not seeded, up", whole="vote_first_up_share{seed=none}"
    ),
    # chatbots
    **{
        name: _people(f"mean {name.replace('_', ' ')} of users", name, f"{name}_mean")
        for name in ("trust", "attachment", "disclosed", "anthropomorphism", "chat_satisfaction")
    },
    # well-being is in sd over people already
    "wellbeing": _people("mean well-being", "wellbeing", "wellbeing_mean{arm=outside}", "1"),
    "loneliness": Quantity(
        "less mean well-being; in whole worlds of those encouraged to use it and not, alike",
        "-trial_wellbeing",
        "-(wellbeing_mean{arm=assigned} + wellbeing_mean{arm=control}) / 2",
        "trial_wellbeing_sd",
        "1",
    ),
    "use_and_wellbeing": Quantity(
        "correlation of a person's recent use with well-being",
        whole="wellbeing_usage_correlation{among=trial}",
    ),
}
"""All quantities by name."""
