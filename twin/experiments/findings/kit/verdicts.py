"""Verdicts of findings, from their judged claims.

One to three primary claims decide, each with its controls. Its outcome is

    a control fails                  confounded: the design cannot say
    the claim is null or open        that, whatever its other controls do
    every control holds              what the claim does: holds, or fails ("reversed")
    a control is open                open

and the verdict of the finding

    a claim is reversed              refuted
    else one is confounded           confounded
    else all hold                    reproduced
    else all are null                null
    else                             inconclusive

A failed control never refutes. Where one primary claim holds and another is null the finding is
inconclusive as a whole: it is right in part, which the list of its claims shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.power import in_words

Verdict = Literal["reproduced", "null", "refuted", "confounded", "inconclusive"]
Standing = Literal["holds", "null", "reversed", "confounded", "open"]


def controls_of(claim: Claim, claims: Sequence[Claim]) -> list[Claim]:
    """The controls of a claim that count."""
    return [each for each in claims if each.of == claim.says and not each.aside]


def standing(claim: Claim, controls: Sequence[Claim]) -> Standing:
    """Of a settled claim with its settled controls."""
    states = {control.state for control in controls}
    if "fails" in states:
        return "confounded"
    if claim.state in ("null", "open"):
        return claim.state
    if states - {"holds"}:
        return "open"
    return "holds" if claim.state == "holds" else "reversed"


def standings(claims: Sequence[Claim]) -> list[tuple[Claim, Standing]]:
    """Primary claims and how each comes out."""
    return [
        (claim, standing(claim, controls_of(claim, claims))) for claim in claims if claim.primary
    ]


def verdict(claims: Sequence[Claim]) -> Verdict:
    """Of settled claims of a finding; without any primary claim it is inconclusive."""
    found = {each for _, each in standings(claims)}
    if "reversed" in found:
        return "refuted"
    if "confounded" in found:
        return "confounded"
    if found == {"holds"}:
        return "reproduced"
    return "null" if found == {"null"} else "inconclusive"


def undecided(claim: Claim, claims: Sequence[Claim]) -> str:
    """How many worlds would decide a primary claim that is open, or its controls; else empty."""
    controls = controls_of(claim, claims)
    if standing(claim, controls) != "open":
        return ""
    return in_words(claim) or "; ".join(
        f"control: {in_words(each)}" for each in controls if in_words(each)
    )


def changes(claims: Sequence[Claim]) -> list[str]:
    """What would change the verdict, in sentences: one or more per primary claim."""
    made = []
    for claim, result in standings(claims):
        controls = controls_of(claim, claims)
        if result == "confounded":
            made += [
                f"{claim.says}: it needs a design in which the control vanishes, {each.says} "
                f"({each.why}; at most {100 * each.share.size:g} % may be)."
                if each.kind == "vanishes"
                else f"{claim.says}: it needs a design in which the control holds, {each.says} "
                f"({each.why})."
                for each in controls
                if each.state == "fails"
            ]
        elif result == "open" and claim.state == "open":
            made.append(f"{claim.says}: {claim.why}; {in_words(claim) or 'its readings'}.")
        elif result == "open":
            made += [
                f"{claim.says}: the control, {each.says}, is {each.why}; "
                f"{in_words(each) or 'its readings'}."
                for each in controls
                if each.state == "open"
            ]
        elif result == "null":
            made.append(
                f"{claim.says}: only an effect of less than {claim.matters.size:.3g} would have to "
                f"matter ({claim.matters.why})."
            )
        else:
            held = "no control fails" if controls else "it has no control"
            made.append(
                f"{claim.says}: decided at this size; {held}. Other worlds or another reading of "
                f"the sentence could change it."
            )
    return made
