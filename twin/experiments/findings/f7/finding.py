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
    note="Sizes are assumptions of the twin. The assistant does not touch creators of the feed: "
    "the "
    "producer here is the assistant itself, read off its use and its performance. Personalisation "
    "does not raise the cost of a failure but lowers it. A failure costs E less P, and with "
    "personalisation P rises ahead of E: disconfirmation in the last weeks is less negative with "
    "it. This reading was not tested separately. The ratchet itself, E above mean P, is there "
    "without personalisation too. With equal rates disconfirmation approaches zero but has not "
    "reached it after 26 weeks: people begin above the performance they meet, and those who seldom "
    "ask still are above it (-0.017 in the first week, -0.006 in the fourth, -0.001 in the last).",
)
