"""Finding 6: posts by AI take reach from human creators, build nobody's reputation, and displace
human creators; what platforms may do, and who pays for it.

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
    ),
    parts=(supply.PART, policies.DRAFTS, policies.POLICY),
    note="That AI posts build no reputation is a parameter of the twin, not a result. The dose of "
    "published studies is unknown; the band is asked where AI doubles the supply. In the default "
    "feed all topics compete for the same slates, so humans in topics without AI may lose too, and "
    "that placebo need not be zero. In separate communities it should be; this is reported beside "
    "it. Uploads respond through supply_elasticity, which is off by default: without it they fall "
    "only through creators who quit. Two controls do not vanish, and were examined afterwards. "
    "First, infinite attention does not retain people. With AI posts they are less satisfied, more "
    "of them leave for good, and those who remain examine less. Where nobody leaves, nothing is "
    "displaced. Second, an AI creator with the parameters of a human one still differs: its niche "
    "is the centre of its community, that of a human their own taste, so its posts match more "
    "people. Where all tastes are those of the community, no difference is left.",
)
