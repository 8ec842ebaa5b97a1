"""Finding 7: chatbot personalisation over 26 weeks. Trust and closeness rise, and with them
concern, expectations and the cost of a failure.

No coefficients were found (Araujo & Bol 2024: directions). So every size is an assumption of the
twin, and the finding is a hypothesis that is shown with controls.
"""

from __future__ import annotations

from twin.experiments.findings.f7 import forms, trial, weeks
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F7",
    title="Chatbot personalisation over time",
    sentence="Personalisation raises trust and anthropomorphism and, at once, privacy concern and "
    "expectations: each interaction raises the baseline, so failures disappoint more. Only a "
    "longitudinal view shows it.",
    evidence="hypothesis",
    sources=(
        "Araujo & Bol 2024 (directions; no coefficients found)",
        "Fang et al., arXiv 2503.17473 v2 (no effect of assignment)",
        "Oliver 1980; Bhattacherjee 2001 (forms)",
    ),
    parts=(forms.PART, weeks.MONTHS, weeks.SINGLE, trial.PART),
    note="Three claims decide: trust and privacy concern rise over the weeks, and a failure of the "
    "same severity disappoints more with personalisation, after four weeks. Sizes are "
    "assumptions of the twin. The assistant does not touch creators of the feed: the producer "
    "here is the assistant itself, read off its use and its performance. A failure costs beta "
    "(E - P). Personalisation raises the expectation E and the performance P at once, so a "
    "failure as it is met may cost less although the same failure costs more: both are "
    "reported, apart. In an earlier run, under other rules, the former fell. The ratchet "
    "itself, E above mean P, is there without personalisation too. With equal rates "
    "disconfirmation approaches zero slowly: people begin above the performance they meet, "
    "and those who seldom ask still are above it.",
)
