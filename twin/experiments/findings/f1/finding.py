"""Finding 1: feeds are persuasion infrastructure."""

from twin.experiments.findings.f1 import campaigns, opinions, ratings, rewards, votes, weights
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
    parts=(weights.ANGER, *rewards.PARTS, opinions.PART, *campaigns.PARTS, votes.VOTES, ratings.J),
    note="Three claims decide: what creators aim at where the mechanism is isolated, what arousal pays "
    "them in the default world, and that more automated accounts move people. The arousal of "
    "supply in the default world is second to what is paid, as creators learn slowly there. "
    "Topology, votes, ratings and targeting are secondary; closed forms are exact. The angry "
    "reaction is asked as a contrast of 5 likes against 0: nearly all of an effect may be there at "
    "the smallest weight. Where the mechanism is isolated, arousal draws comments and nothing "
    "else; in the default world it also draws clicks and hides, and comments are rare. There the "
    "feed reads posts with errors: what it cannot see it cannot reward. An up-vote at birth raises the votes of people; which of two ways "
    "of counting them was published is not known here, so the other is reported beside it. In "
    "small worlds the target of a campaign hardly changes who is shown its posts: the feed "
    "decides that, and reaches nearly everybody.",
)
