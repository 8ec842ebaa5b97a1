"""The design of a finding as a diagram: what varies, in which world, what is read; below each
primary claim its controls. Made of boxes in HTML from the declaration, so that it cannot disagree
with what ran."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Examined, Part
from twin.experiments.findings.kit.verdicts import controls_of
from twin.experiments.findings.scoreboard import least

ARROW = Markup('<span class="arrow" aria-hidden="true">&rarr;</span>')
FEW = 8
"""Arms that are named."""


def diagram(claims: Sequence[Claim], parts: Sequence[Examined]) -> Markup:
    """One row of boxes per primary claim, and one per control of it; empty without parts."""
    rows = []
    by_key = {part.key: (part, seen.quick) for _, part, seen in parts}
    for claim in claims:
        if claim.primary and claim.part in by_key:
            part, quick = by_key[claim.part]
            rows.append(_experiment(claim, part, quick))
            rows += [_control(each) for each in controls_of(claim, claims)]
        elif claim.kind == "related":
            rows.append(_over_all(claim, [part for _, part, _ in parts if part.both_ends]))
    return (
        Markup('<div class="design">{}</div>').format(Markup("").join(rows)) if rows else Markup()
    )


def _experiment(claim: Claim, part: Part, quick: bool) -> Markup:
    size = part.size(quick)
    where = (
        f"{size.replicates} worlds an arm, {size.days} days; "
        f"{len(part.world) + len(part.drawn)} settings differ "
        f"from "
        f"the default world"
        if part.arms
        else f"a study without a world, {claim.n} replicates"
    )
    return _row(
        "",
        _box("What varies", f"{part.varies}{_arms(part)}"),
        _box("Where", where),
        _outcome(claim),
    )


def _over_all(claim: Claim, parts: Sequence[Part]) -> Markup:
    """Finding 8: the doses of other findings, in their worlds."""
    return _row(
        "",
        _box("What varies", "; ".join(part.varies for part in parts)),
        _box("Where", "the worlds of F1 to F7: each parameter gives one pair of slopes"),
        _outcome(claim),
    )


def _control(claim: Claim) -> Markup:
    allowed = (
        f"May be left: {100 * claim.share.size:g} % of the effect above ({claim.share.why})"
        if claim.kind == "vanishes"
        else f"Expected {claim.expected}"
    )
    return _row(" control", _box("Control", claim.says), _box("Must vanish", allowed))


def _outcome(claim: Claim) -> Markup:
    unit = "" if claim.unit == "1" else f" {claim.unit}"
    small = f"Expected {claim.expected}; what matters: {least(claim)}{unit} ({claim.matters.why})"
    return _box("Primary outcome", claim.says, small)


def _arms(part: Part) -> str:
    names = [arm.name for arm in part.arms if not arm.control]
    if not names:
        return ""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f": {', '.join(names[:FEW])}{more}"


def _box(title: str, text: str, small: str = "") -> Markup:
    under = Markup("<small>{}</small>").format(small) if small else Markup()
    return Markup('<div class="box"><b>{}</b>{}{}</div>').format(title, escape(text), under)


def _row(kind: str, *boxes: Markup) -> Markup:
    return Markup('<div class="row{}">{}</div>').format(kind, ARROW.join(boxes))
