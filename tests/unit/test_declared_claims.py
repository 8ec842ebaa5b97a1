"""What judges declare, on readings that nobody simulated: primary claims, their controls, and the
smallest effects that matter, all before any world runs."""

from pathlib import Path

import numpy as np
import pytest

from tests.given import findings as given
from twin.experiments.findings import above
from twin.experiments.findings.catalogue import KEYS, finding
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.verdicts import changes, controls_of, verdict


@pytest.fixture(scope="module")
def claims() -> dict[str, list[Claim]]:
    """Claims of every finding on noise, quick set."""
    parts = given.examined()
    made = {
        key: [claim for own, part, seen in parts if own == key for claim in part.judge(seen)]
        for key in KEYS[:-1]
    }
    return made | {"F8": above.judge(parts)}


@pytest.mark.parametrize("key", KEYS)
def test_one_to_three_claims_decide(key, claims):
    assert 1 <= sum(claim.role == "primary" for claim in claims[key]) <= 3
    assert len({claim.says for claim in claims[key]}) == len(claims[key])


@pytest.mark.parametrize("key", KEYS[:-1])
def test_every_primary_claim_has_a_control_that_counts(key, claims):
    for claim in claims[key]:
        if claim.primary:
            assert controls_of(claim, claims[key]), claim.says


@pytest.mark.parametrize("key", KEYS)
def test_every_claim_states_what_matters_and_why(key, claims):
    for claim in claims[key]:
        if claim.kind in ("sign", "moves", "related", "vanishes"):
            assert claim.matters.size > 0 and len(claim.matters.why) > 10, claim.says
        if claim.kind == "vanishes":
            assert claim.share.size == 0.15 or "rule" not in claim.share.why
            assert any(claim.of == main.says for main in claims[key]), claim.says
        # A band is its own smallest effect, and may state beside it what would be none.
        assert claim.kind != "band" or claim.high_bound >= claim.low_bound


@pytest.mark.parametrize("key", KEYS)
def test_smallest_effects_do_not_depend_on_what_was_read(key, claims):
    """Declared before anything runs: other readings, the same claims with the same sizes."""
    if key == "F8":
        again = above.judge(given.examined(noise=given.Noise(seed=2)))
    else:
        again = [
            claim
            for part in finding(key).parts
            for claim in part.judge(given.readings(part, noise=given.Noise(seed=2)))
        ]
    declared = [
        [(each.says, each.matters, each.role) for each in made] for made in (claims[key], again)
    ]
    assert declared[0] == declared[1]


@pytest.mark.parametrize("key", KEYS)
def test_noise_is_not_reproduced_or_refuted(key, claims):
    """The judges on noise, by the rules: no finding is made of nothing. What is exact fails then,
    and where it is a control the design cannot say."""
    judged = settled(claims[key])
    assert verdict(judged) in ("inconclusive", "null", "confounded")
    assert changes(judged)


def test_what_readings_are_missing_leaves_claims_open():
    """The first world of every arm failed: what was read from worlds says nothing then."""
    for key in KEYS[:-1]:
        for part in finding(key).parts:
            if part.arms:
                seen = given.readings(part)
                for values in seen.worlds.values():
                    values[0] = np.nan
                missing = [
                    claim for claim in settled(part.judge(seen)) if np.isnan(claim.values).any()
                ]
                assert (
                    all(claim.state == "open" or claim.kind == "exact" for claim in missing)
                    and missing
                )


def test_the_page_says_what_decides():
    """docs/explanation/findings.md has the table that judges declare."""
    assert given.decides() in Path("docs/explanation/findings.md").read_text(encoding="utf-8")
