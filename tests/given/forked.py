"""A world to be forked, and policies for its branches."""

from collections.abc import Callable
from pathlib import Path

from twin.ground.units import DAY
from twin.scenario.loading import Scenario

FORK = 6 * DAY
Make = Callable[..., Scenario]
POLICIES = {
    "plain": "name: chronological\nset: {recommender.ranking: chronological}\n",
    "timed": "{name: small slates, at: 8d, set: {recommender.slate: 4}}\n",
    "conditional": "{name: many posts, when: 'posts{by=human} > 10', set: {recommender.ai_factor: "
    "0.2}}\n",
    "ramped": "{name: slowly, ramp: 4d, until: 11d, set: {recommender.ai_factor: 0.1}}\n",
    "shared": "{name: some, share: 0.3, of: consumers, set: {recommender.slate: 3}}\n",
    "creators": "{name: few, share: 0.5, of: creators, set: {creators.ai_posts_cap: 1}}\n",
    "several": "policies: [{name: one, set: {recommender.slate: 4}}, {name: two, at: 9d, set: "
    "{recommender.slate: 12}}]\n",
}


def file(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.yaml").write_text(text)
    return str(folder / f"{name}.yaml")
