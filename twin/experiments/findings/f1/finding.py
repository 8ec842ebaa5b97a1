"""Finding 1: feeds are persuasion infrastructure."""

from twin.experiments.findings.f1 import campaigns, opinions, ratings, votes, weights
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F1",
    title="Feeds are persuasion infrastructure",
    sentence="Feed weights pull producers, network topology pulls consumer opinion towards "
    "convergence, "
    "automation scales both; rating contamination and selection bias compound it.",
    evidence="validated",
    sources=(
        "twitter/the-algorithm-ml (April 2023) and xai-org/x-algorithm (August 2026): weights, "
        "read",
        "Facebook's reaction weights 5, 4, 1.5, 0: press, abstracts only",
        "DeGroot 1974: closed forms, computed",
        "Muchnik, Aral & Taylor, Science 2013: seed votes, abstract",
        "Hu, Pavlou & Zhang, CACM 2009: J shape, abstract",
        "Salvi et al., Nat. Hum. Behav. 2025: targeted persuasion, abstract",
    ),
    parts=(*weights.PARTS, opinions.PART, *campaigns.PARTS, votes.VOTES, ratings.J),
    note="The closed forms and the herding of votes are validated. For campaigns, supply and "
    "selection "
    "only signs are known. The angry reaction is asked of a world in which arousal draws comments "
    "and nothing else. All of its effect is there at the smallest weight. Without it creators "
    "drift, differently in each world, which makes the slope uncertain. The default world is asked "
    "with published presets. There arousal also draws clicks and hides, creators learn slowly, and "
    "the feed knows posts by their IDs, with one comment to thirteen of them. Examined afterwards: "
    "comments alone in the score, four times the people, or fifteen times the comments changed "
    "nothing either. An up-vote at birth raises the votes of people by less than the published "
    "+25 %. With that vote itself in the score it is more, and which of the two was published is "
    "not known here. In small worlds the target of a campaign hardly changes who is shown its "
    "posts: the feed decides that, and reaches nearly everybody.",
)
