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
    note="Two claims decide, where AI doubles the supply: human posts examined, and uploads of "
    "human creators where AI works. Their controls are infinite attention where nobody "
    "leaves, and communities without AI that keep to themselves. In the default feed all "
    "topics compete for the same slates, so humans in topics without AI may lose too: that "
    "placebo is reported. With infinite attention where people may leave, less satisfied "
    "people leave, which is another mechanism: reported too. That AI posts build no "
    "reputation is a parameter of the twin, not a result. The dose of published studies is "
    "unknown; the band is asked where AI doubles the supply. Uploads respond to income "
    "through supply_elasticity, which is off by default, so their fall follows from the fall "
    "of income. That comprehensiveness captures engagement is not tested: it has no way to "
    "attention in the twin. An AI creator with the parameters of a human one still has a more "
    "central niche; only where niches, hours and quitting are alike too does nothing but the "
    "name differ.",
)
