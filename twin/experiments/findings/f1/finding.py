"""Finding 1: feeds are persuasion infrastructure."""

from twin.experiments.findings.f1 import campaigns, opinions, ratings, weights
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    "F1",
    "Feeds are persuasion infrastructure",
    "Feed weights pull producers, network topology pulls consumer opinion towards convergence, "
    "automation scales both; rating "
    "contamination and selection bias compound it.",
    "validated",
    (
        "twitter/the-algorithm-ml (April 2023) and xai-org/x-algorithm (August 2026): weights, "
        "read",
        "Facebook's reaction weights 5, 4, 1.5, 0: press, abstracts only",
        "DeGroot 1974: closed forms, computed",
        "Muchnik, Aral & Taylor, Science 2013: seed votes, abstract",
        "Hu, Pavlou & Zhang, CACM 2009: J shape, abstract",
        "Salvi et al., Nat. Hum. Behav. 2025: targeted persuasion, abstract",
    ),
    (*weights.PARTS, opinions.PART, *campaigns.PARTS, *ratings.PARTS),
    "Validated are the closed forms and the herding of votes; of campaigns, supply and selection "
    "only signs are known. The angry reaction "
    "is asked of a world in which arousal draws comments and nothing else; all of its effect is "
    "there at the smallest weight, and without "
    "it makers drift, each world its own way, which makes the slope wide. The default world is "
    "asked with published presets: there arousal "
    "also draws clicks and hides, makers learn slowly, and the feed knows posts by their IDs, with "
    "one comment to thirteen of them: looked "
    "into afterwards, comments alone in the score, four times the people or fifteen times the "
    "comments moved nothing either. An up-vote at "
    "birth raises the votes of people by less than the published +25 %; with that vote itself in "
    "the score it is more, and which of the "
    "two was published is not known here. In small worlds whom a campaign aims at hardly changes "
    "who is shown its posts: the feed decides, "
    "and reaches nearly everybody.",
)
