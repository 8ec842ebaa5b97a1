"""Levers and ranges that several experiments use.

Ranges beside those of `twin stress` follow its rule: a third to triple, or half to double, of the
default where a size was never measured. None of them was chosen with a result in view.
"""

from twin.experiments.forecasts.declare import Levers

_NO_SHELVES: Levers = {"recommender.quota.co_viewed": 0, "recommender.quota.bought_together": 0}
CHRONOLOGICAL: Levers = {
    "recommender.ranking": "chronological",
    "recommender.quota.in_network": 100,
    "recommender.quota.nearest": 0,
    "recommender.quota.trending": 0,
    "recommender.quota.explore": 0,
    **_NO_SHELVES,
}
"""Newest first, of accounts followed: `scenarios/policies/chronological.yaml`."""
ENGAGEMENT: Levers = {
    "recommender.ranking": "value",
    "recommender.quota.in_network": 50,
    "recommender.quota.nearest": 30,
    "recommender.quota.trending": 10,
    "recommender.quota.explore": 10,
    **_NO_SHELVES,
}
"""Back from it to the learned ranking, with the candidates of the preset x_2023."""
POPULAR: Levers = {
    "recommender.ranking": "popularity",
    "recommender.quota.in_network": 0,
    "recommender.quota.nearest": 0,
    "recommender.quota.trending": 90,
    "recommender.quota.explore": 10,
    **_NO_SHELVES,
}
"""What is popular with all: `scenarios/policies/popular_only.yaml`."""
UNIFORM: Levers = {
    "recommender.ranking": "random",
    "recommender.quota.in_network": 0,
    "recommender.quota.nearest": 0,
    "recommender.quota.trending": 0,
    "recommender.quota.explore": 100,
}
"""Drawn at random from all posts."""
CHATBOT_RANGES = (
    "chatbots.performance=0.3..0.7",
    "chatbots.personalisation_gain=0.13..1.2:log",
    "chatbots.trust_rate=0.017..0.15:log",
    "chatbots.disclosure=0.25..0.9",
    "chatbots.novelty=0.1..0.6",
    "chatbots.concern_rate=0.027..0.24:log",
    "chatbots.memory_rate=0.05..0.45:log",
    "chatbots.human_rate=0.013..0.12:log",
    "chatbots.human_loss=0.007..0.06:log",
    "chatbots.attachment_rate=0.01..0.09:log",
    "chatbots.answers.agreement=0.033..0.3:log",
    "chatbots.wellbeing.use_effect=-0.1..0.1",
)
"""What is not known of people and assistants; the effect of use on well-being to both sides of
zero, as studies disagree."""
