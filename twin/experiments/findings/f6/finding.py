"""Finding 6: AI posts capture attention by comprehensiveness, build nobody's reputation, and
displace human creators; what platforms may do, and who pays for it.

The source is an essay. Field studies are mixed and one contradicts it (Nextdoor: unselected AI text
draws fewer clicks), so this is a hypothesis that is shown with controls. That AI posts build no
reputation is a parameter (``creators.ai.accrual`` 0) and therefore no result.
"""

from __future__ import annotations

from twin.experiments.findings.f6 import policies, supply
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F6",
    title="AI posts and displacement",
    sentence="AI posts capture engagement by comprehensiveness, build no speaker's reputation, and "
    "displace "
    "human creators.",
    evidence="hypothesis",
    sources=(
        "an essay",
        "Nextdoor 2023 (contradicts it: only selected AI text draws more), secondary",
        "Kim, Jin & Lee, NBER w34733, abstract",
        "Liu, Hu & Gao, DSS 2025, abstract",
        "del Rio-Chanona et al., PNAS Nexus 2024, abstract",
        "Burtch et al., CACM, abstract",
        "Chetty, Econometrica 2012, abstract (response of supply to pay)",
    ),
    parts=(supply.PART, policies.DRAFTS, policies.POLICY),
    note="Three claims decide: what their comprehensiveness adds to the reach of AI posts; "
    "and, where AI doubles the supply, human posts examined, and uploads of human "
    "creators where AI works. Assumed: one person before one post opens what answers more"
    " fully (search-like intent) and stays with it (dwell); how strongly, and how far "
    "creators respond to pay, every world draws from a range, so the intervals are over "
    "these ranges too. Follows: how far the feed carries it, what is left to human "
    "creators, and how much less they post. Nextdoor's field study contradicts the "
    "assumption. Controls: nobody cares for comprehensiveness; infinite attention where "
    "nobody leaves; communities without AI that keep to themselves. In the default feed "
    "all topics compete for the same slates, so humans in topics without AI may lose too:"
    " that placebo is reported. As many posts from makers alike in all but who makes show"
    " what is due to more supply alone. That AI posts build no reputation is a parameter "
    "of the twin, not a result. AI comes when creators know what they earn without it, "
    "except where policies are compared. The dose of published studies is unknown; the "
    "band is asked where AI doubles the supply.",
)
