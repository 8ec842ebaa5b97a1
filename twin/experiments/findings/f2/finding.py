"""Finding 2: a reward model per person loses the averaging of a pooled one. It is asked for
agreement, echo chambers and truth, in the feed and in the chatbot.

Barreto et al. (arXiv 2503.17338) raise sycophancy as a caveat and do not measure it. So no
published size exists: worlds are asked for signs, and closed forms for numbers.
"""

from __future__ import annotations

from twin.experiments.findings.f2 import chat, feed, forms
from twin.experiments.findings.kit.declare import Finding

FINDING = Finding(
    key="F2",
    title="Personal reward models remove averaging",
    sentence="A reward model per person loses the averaging of a pooled one: sycophancy, echo "
    "chambers.",
    evidence="sign",
    sources=(
        "Barreto et al., arXiv 2503.17338 (raises sycophancy as a caveat, does not measure it)",
        "Sharma et al., arXiv 2310.13548 (sign)",
    ),
    parts=(forms.PART, feed.SHARE_PART, feed.SIGMA_PART, chat.SHARE_PART, chat.SIGMA_PART),
    note="Three claims decide: the gap in agreement of the chatbot (sycophancy), the variance "
    "between people of what the feed shows (echo chambers), and false answers. No size has "
    "been published. Mean agreement has no sign of its own: a personal model also contradicts "
    "those who like to be contradicted. What it raises is agreement weighted by the taste for "
    "it, E|a| against |E a|. Where people are alike, a model that is free to tell them apart "
    "finds differences that are errors, and errors can only lose agreement: that control is "
    "not exactly zero, and need not be.",
)
