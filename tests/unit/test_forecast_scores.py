"""Scores of forecasts on cases whose answer is known, naive forecasters, the sentence that may be
written, and key files."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import norm

from twin.experiments.forecasts import catalogue, naive, scoring, skill, truths, words
from twin.experiments.forecasts.document import LEVELS, SIGNS, Answer
from twin.experiments.forecasts.truths import DEVELOPMENT, Truth
from twin.ground.errors import UsageError

BLIND = [id for id in catalogue.IDS if catalogue.experiment(id).status == "blind"]
FAN = (-0.2, -0.05, 0.1, 0.2, 0.5)


def fan(y: float, sd: float, sesoi: float, id: str = "O1", form: str = "rel") -> Answer:
    """A normal forecast."""
    below, above = norm.cdf(-sesoi, y, sd), norm.sf(sesoi, y, sd)
    quantiles = tuple(float(q) for q in norm.ppf(LEVELS, y, sd))
    return Answer(id, form, sesoi, quantiles, (below, 1 - below - above, above))


def made_up(least: float = 0.0) -> dict[str, dict[str, Truth]]:
    """Results that nobody measured: effects in turn positive, null and negative, of eight smallest
    effects and no less than ``least`` of the naive forecasters' sd."""
    key: dict[str, dict[str, Truth]] = {}
    place = 0
    for id in BLIND:
        for outcome in catalogue.experiment(id).outcomes:
            sign = (1, 0, -1)[place % 3] if outcome.form != "size" else place % 2
            size = max(8 * outcome.sesoi, least * naive.SD[outcome.form])
            y, place = sign * size, place + 1
            category = truths.category(y, outcome.sesoi)
            key.setdefault(id, {})[outcome.id] = Truth(category, y, outcome.sesoi / 4)
    return key


def answered(key, shift: float = 0.0, sd: float = 0.3, sign: float = 1.0):
    """Forecasts of a key: off by ``shift`` and with an sd, both in smallest effects."""
    return {
        id: [
            fan(
                sign * results[outcome.id].y + shift * outcome.sesoi,
                sd * outcome.sesoi,
                outcome.sesoi,
                outcome.id,
                outcome.form,
            )
            for outcome in catalogue.experiment(id).outcomes
        ]
        for id, results in key.items()
    }


def found(answers, key=None, **options) -> skill.Result:
    """Scores of the primary outcomes."""
    return skill.result(skill.rows(key or made_up(), answers), **options)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        # by scoringrules 0.8.0: weighted_interval_score with weights 0.5 and alpha / 2
        (0.3, 0.119),
        # by hand: (0.1 + 0.25 (0.25) + 0.05 (0.7)) / 2.5, and with y beyond both intervals
        (-0.1, (0.1 + 0.25 * (0.25 + 4 * 0.05) + 0.05 * 0.7) / 2.5),
        (1.1, (0.5 + 0.25 * (0.25 + 4 * 0.9) + 0.05 * (0.7 + 20 * 0.6)) / 2.5),
    ],
)
def test_weighted_interval_score(y: float, expected: float) -> None:
    """As in the literature."""
    assert scoring.wis(FAN, y) == pytest.approx(expected, rel=1e-12)


def test_the_score_is_proper_and_zero_for_the_truth() -> None:
    """Of normal fans, the one that says the law of the result has the least mean score."""
    assert scoring.wis((0.4,) * 5, 0.4) == 0
    results = [float(y) for y in norm.ppf([(k + 0.5) / 400 for k in range(400)], 0.3, 0.2)]

    def mean(y: float, sd: float) -> float:
        quantiles = fan(y, sd, 0.1).quantiles
        return sum(scoring.wis(quantiles, each) for each in results) / len(results)

    best = mean(0.3, 0.2)
    assert all(mean(y, sd) > best for y, sd in ((0.3, 0.1), (0.3, 0.4), (0.2, 0.2), (0.45, 0.2)))


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("+", 0.2**2 + 0.3**2 + 0.5**2),
        ("0", 0.2**2 + 0.7**2 + 0.5**2),
        ("-0", 0.5**2 + 0.5**2),
        ("-", 0.8**2 + 0.3**2 + 0.5**2),
    ],
)
def test_brier(category: str, expected: float) -> None:
    """Over three categories; two that a result may be count as one."""
    assert scoring.brier((0.2, 0.3, 0.5), category) == pytest.approx(expected)


def test_scores_of_one_outcome() -> None:
    """Coverage is widened by s, the loss is on the larger of SESOI and s, imputed s is scaled."""
    said = Answer("O1", "rel", 0.02, FAN, (0.2, 0.3, 0.5))
    each = scoring.score("E02", said, Truth("+", 0.25, 0.06))
    assert each.inside == (True, True) and each.right and not each.null
    assert each.loss == pytest.approx(math.log1p(scoring.wis(FAN, 0.25) / 0.06))
    assert each.width == pytest.approx(0.7)
    beyond = scoring.score("E02", said, Truth("+", 0.55, 0.06, imputed=True), error=0.5)
    assert beyond.inside == (False, False)
    assert scoring.score("E02", said, Truth("+", 0.55, 0.06)).inside == (False, True)
    small = scoring.score("E02", said, Truth("0", 0.0, 0.001))
    assert small.loss == pytest.approx(math.log1p(scoring.wis(FAN, 0.0) / 0.02)) and small.null
    sign = scoring.score("E02", said, Truth("-0"))
    assert sign.inside is None and math.isnan(sign.loss) and not sign.right


def test_naive_forecasters() -> None:
    """N0 is a normal around zero; N1 the coded mean by topic and form of other experiments; N2 the
    nearest one, turned as the arms are."""
    outcome = catalogue.experiment("E02").outcomes[0]
    said = naive.answer("N0", "E02", outcome)
    assert said.quantiles == pytest.approx(norm.ppf(LEVELS, 0, 0.34))
    assert said.p == pytest.approx((norm.cdf(-0.02 / 0.34),) * 1 + (said.p[1], said.p[0]))
    assert sum(said.p) == pytest.approx(1)
    # E03 (random against recommended, so turned) and E06's two; without E02 itself
    middle = (0.765 + 0.010 + 0.004) / 3
    assert naive.answer("N1", "E02", outcome).quantiles[2] == pytest.approx(middle)
    assert naive.answer("N2", "E02", outcome).quantiles[2] == pytest.approx(0.765)
    shop = catalogue.experiment("E07").outcomes[0]
    assert naive.answer("N2", "E07", shop).quantiles[2] == pytest.approx(-(0.254 + 0.765) / 2)
    every = (0.254 + 0.765 + 0.010 + 0.004) / 4
    assert naive.answer("N1", "E07", shop).quantiles[2] == pytest.approx(-every)
    # nothing to learn from: as N0
    for name in ("N1", "N2"):
        chat = catalogue.experiment("E11").outcomes[2]
        assert naive.answer(name, "E11", chat) == naive.answer("N0", "E11", chat)
    shift = catalogue.experiment("E10").outcomes[1]
    folded = naive.answer("N0", "E10", shift)
    assert folded.p[0] == 0 and min(folded.quantiles) > 0 and sum(folded.p) == pytest.approx(1)


def test_root_mean_squares_are_those_of_the_development_set() -> None:
    """The sd of N0 by form."""
    for form in ("rel", "sd"):
        effects = [
            truth.y
            for id, results in DEVELOPMENT.items()
            for outcome in catalogue.experiment(id).outcomes
            if outcome.form == form and outcome.id in results
            if (truth := results[outcome.id]).sized
        ]
        rms = math.sqrt(sum(each**2 for each in effects) / len(effects))
        assert naive.SD[form] == pytest.approx(rms, abs=0.005)


def test_what_is_known_of_the_development_set() -> None:
    """Every outcome has its result, whose sign is that of its size; imputed errors follow the
    rule to the digits given."""
    for id, results in DEVELOPMENT.items():
        outcomes = {each.id: each for each in catalogue.experiment(id).outcomes}
        assert set(results) == {name for name in outcomes if name[0] == "O"}
        for name, truth in results.items():
            assert truth.source and set(truth.category) <= set(SIGNS)
            assert truth.sized != outcomes[name].sign
            if truth.sized:
                sesoi = outcomes[name].sesoi
                assert truth.category == truths.category(truth.y, sesoi)
            if truth.imputed and truth.y:
                rule = max(outcomes[name].sesoi / 2, abs(truth.y) / 4)
                assert truth.s == pytest.approx(rule, rel=0.05)


def test_forecasts_that_are_right_predict() -> None:
    """All sizes covered, all signs right, skill above zero against each naive forecaster; the loss
    is the mean over experiments of the means within them."""
    key = made_up()
    right = found(answered(key))
    assert right.sentence == "predicts" and right.right == right.outcomes == 21
    assert right.covered == (21, 21) and right.nulls[0] == right.nulls[1] > 4
    assert all(each.low > 0 and each.low <= each.value <= each.high for each in right.skills)
    assert right.p < 0.01 and right.briers["twin"] < 0.01
    by: dict[str, list[float]] = {}
    for row, each in right.scored:
        by.setdefault(row.experiment, []).append(each.loss)
    means = [sum(one) / len(one) for one in by.values()]
    assert right.losses["twin"] == pytest.approx(sum(means) / len(means))
    against = right.skills[0]
    assert against.value == pytest.approx(1 - right.losses["twin"] / right.losses["N0"])


def test_sentences_for_what_is_less_than_right() -> None:
    """Overconfident: promising; the wrong sign: worse than naive; vague as N0: worse; too much that
    cannot be said: void, though a few do not void it."""
    key = made_up()
    narrow = found(answered(key, shift=2.5, sd=0.1))
    assert narrow.sentence == "promising" and narrow.covered[1] == 0
    # where effects are far inside what N0 allows for, a wrong sign still beats its vagueness
    large = made_up(1.0)
    assert found(answered(large, sign=-1.0, sd=0.1), large).sentence == "worse than naive"
    assert found(answered(large, sd=0.1), large).sentence == "predicts"
    same = {
        id: [naive.answer("N0", id, each) for each in catalogue.experiment(id).outcomes]
        for id in key
    }
    as_naive = found(same)
    assert as_naive.skills[0].value == 0 and as_naive.sentence == "worse than naive"
    for many, sentence in ((5, "predicts"), (6, "void")):
        said, left = {}, many
        for id, answers in answered(key).items():
            said[id] = []
            for each in answers:
                primary = next(
                    one.primary for one in catalogue.experiment(id).outcomes if one.id == each.id
                )
                cannot = "no such thing" if primary and left > 0 else ""
                left -= bool(cannot)
                said[id].append(replace(each, cannot=cannot))
        result = found(said)
        assert result.cannot == many
        assert result.sentence == sentence or (many == 5 and result.sentence == "promising")
        # scored as N0 says
        row, each = next((row, each) for row, each in result.scored if row.cannot)
        assert each == scoring.score(row.experiment, row.said["N0"], row.truth)


def test_forecasts_that_know_nothing_are_not_distinguished_from_chance() -> None:
    """One forecast for all outcomes of a form: every deal scores the same, so p is 1. Right ones are
    told apart; and scores are the same whenever they are computed."""
    key = made_up()
    right = answered(key)
    same = {
        id: [
            replace(each, quantiles=FAN, p=(0.2, 0.3, 0.5)) if each.form == "rel" else each
            for each in answers
        ]
        for id, answers in right.items()
    }
    rows = [row for row in skill.rows(key, same) if row.outcome.form == "rel"]
    assert skill.result(rows).p == 1
    assert found(right).p < 0.01 and found(same).p == found(same).p


def test_imputed_errors_are_scored_at_half_and_double() -> None:
    """A larger error is more easily covered, and said so."""
    key = {
        id: {name: replace(each, imputed=True) for name, each in results.items()}
        for id, results in made_up().items()
    }
    said = answered(key, shift=1.0, sd=0.1)
    half, double = (found(said, key, error=error) for error in (0.5, 8.0))
    assert half.covered[1] == 0 and double.covered[1] == 21
    assert "half the imputed" in words.sensitivity(skill.rows(key, said))[0]
    assert not words.sensitivity(skill.rows(made_up(), said))


def test_what_score_prints() -> None:
    """A table, the numbers below it, the sentence, and secondary outcomes apart; quick worlds have
    no sentence."""
    key = made_up()
    head = {"quick": False}
    read = {id: (head, answers) for id, answers in answered(key).items()}
    text = "\n".join(words.scored(key, read))
    assert "E07.O1" in text and "The sentence that may be written: predicts." in text
    assert "inside the 90 % interval: 21 of 21" in text and "Secondary" in text
    quick = {id: ({"quick": True}, each) for id, (_, each) in read.items()}
    last = "\n".join(words.scored(key, quick))
    assert "no sentence may be written" in last and "sentence that may be written:" not in last
    with pytest.raises(UsageError, match="nothing to score"):
        words.scored(key, {})


def parts(lines: list[str]) -> tuple[str, str]:
    """What is scored, and what is checked in sample."""
    before, _, after = "\n".join(lines).partition("In-sample checks:")
    return before, after


@pytest.mark.parametrize("score", [words.development, lambda read: words.scored(DEVELOPMENT, read)])
def test_outcomes_that_were_fitted_to_are_scored_apart(score) -> None:
    """Single ones of E01, and all of E04 and E05, without a key and with one; they count in no
    number of the forecasts, and no sentence is written of them."""
    read = {
        id: (
            {"quick": False},
            [
                fan(truth.y if truth.sized else 0.0, 0.1, 0.05, name)
                for name, truth in results.items()
            ],
        )
        for id, results in DEVELOPMENT.items()
    }
    forecasts, checks = parts(score(read))
    fitted = ["E01.O1", "E01.O2", *(f"E0{n}.O{k}" for n in (4, 5) for k in (1, 2, 3))]
    others = ["E01.O3", "E02.O1", "E03.O1", "E06.O3"]
    assert all(name in checks and name not in forecasts for name in fitted)
    assert all(name in forecasts and name not in checks for name in others)
    assert "of 8. Nulls called null" in forecasts and "of 8. Nulls called null" in checks
    assert "The sentence that may be written" in forecasts
    assert "sentence that may be written:" not in checks
    assert "were fitted to these results: no sentence may be written" in checks
    only, without = parts(score({"E02": read["E02"]}))
    assert "E02.O1" in only and not without
    assert not parts(score({"E05": read["E05"]}))[0].strip()


KEY = """\
source: a test
results:
  E02:
    O1: {y: -0.31, s: 0.02}
    O2: {y: 0.004, s: 0.01, imputed: true}
    O3: {category: "+"}
  E03:
    O1: {category: "-0"}
"""


def test_a_key_file_is_read(tmp_path: Path) -> None:
    """As its documentation has it: the category follows from the size, unless the file says."""
    file = tmp_path / "key.yaml"
    file.write_text(KEY)
    key = truths.read(file)
    assert key["E02"]["O1"] == Truth("-", -0.31, 0.02)
    assert key["E02"]["O2"] == Truth("0", 0.004, 0.01, True)
    assert key["E02"]["O3"].category == "+" and not key["E02"]["O3"].sized
    assert key["E03"]["O1"].category == "-0"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("E02:", "E2:", "no experiment E2"),
        ("O1: {y: -0.31", "O9: {y: -0.31", "E02 has no O9"),
        ("s: 0.02}", "t: 0.02}", "E02.O1: t"),
        (", s: 0.02", "", "E02.O1: needs y and s, or category"),
        ("s: 0.02", "s: 0", "s is a standard error, above zero"),
        ("y: -0.31", "y: big", "y: big is no number"),
        ('"+"', '"up"', "category up"),
        ("results:", "result:", "has no results"),
        ("{y: -0.31, s: 0.02}", "3", "E02.O1: is no result"),
        ("{y: -0.31", "{y: [-0.31", "key.yaml"),
    ],
)
def test_a_wrong_key_file_is_refused_in_one_line(tmp_path: Path, old, new, words) -> None:
    """With the place and the mend."""
    file = tmp_path / "key.yaml"
    file.write_text(KEY.replace(old, new, 1))
    with pytest.raises(UsageError, match=r"^--key ") as error:
        truths.read(file)
    assert words in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UsageError, match="there is no file"):
        truths.read(tmp_path / "other.yaml")
