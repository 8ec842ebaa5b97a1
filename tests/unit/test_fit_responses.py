"""The fit of responses: closed forms, the solver on a planted truth, and what is read off
worlds."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from tests.conftest import SCENARIOS
from twin.experiments.fitting import meetings, posterior, response_fit
from twin.experiments.fitting import worlds as response_worlds
from twin.experiments.fitting.meetings import NAMES, Meetings
from twin.experiments.fitting.response_fit import Fit, FitProblem
from twin.experiments.fitting.worlds import Shown, WorldSize
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.kernels import respond
from twin.kernels.respond import FEATURES
from twin.scenario.loading import load

SMALL = WorldSize(people=300, burn_in=4, days=2)


def crowd(n: int = 4000, seed: int = 1) -> Meetings:
    """Meetings drawn at random; arousal and agreement keep off their bounds."""
    rng = np.random.default_rng(seed)
    x = 0.5 * rng.normal(size=(n, len(FEATURES)))
    x[:, meetings.AROUSAL] = rng.uniform(0.3, 0.6, n)
    x[:, meetings.AGREEMENT] = rng.uniform(0.2, 0.6, n)
    return Meetings(
        x, rng.normal(size=n), rng.uniform(-1, 1, n), rng.uniform(-1, 1, n), np.arange(n)
    )


def base() -> Any:
    """Coefficients of the default world."""
    audience: Any = load(SCENARIOS / "base.yaml").mechanisms["audience"]
    return meetings.coefficients(audience.responses)


def flat(**slopes: float) -> Any:
    """Rare responses that nothing moves but the given slopes, such as ``reshare_arousal``."""
    table = np.zeros((len(NAMES), 1 + len(FEATURES)))
    table[:, 0] = -9.0
    for name, value in slopes.items():
        response, _, feature = name.partition("_")
        table[NAMES.index(response), 1 + FEATURES.index(feature)] = value
    return table


def test_a_word_in_closed_form() -> None:
    """Shares are rare: a word multiplies them by exp(slope x sd), click and reshare together; an
    out-group word by agreement too."""
    crowd_, sd = crowd(), crowd().x[:, meetings.AROUSAL].std()
    table = flat(click_arousal=0.7, reshare_arousal=1.5)
    assert meetings.moral_word(crowd_, table) == pytest.approx(2.2 * sd, rel=1e-3)
    assert meetings.outgroup_word(crowd_, table) == pytest.approx(2.2 * sd, rel=1e-3)
    table = flat(reshare_arousal=1.5, reshare_agreement=2.0)
    wanted = 1.5 * sd + 2.0 * crowd_.x[:, meetings.AGREEMENT].std()
    assert meetings.outgroup_word(crowd_, table) == pytest.approx(wanted, rel=1e-2)
    assert meetings.moral_word(crowd_, table) == pytest.approx(1.5 * sd, rel=1e-2)
    assert meetings.moral_word(crowd_, flat(comment_arousal=3.0)) == 0


def test_a_word_counts_posts_once() -> None:
    """A post that everybody meets does not make posts more alike."""
    crowd_ = crowd()
    often = Meetings(
        *(np.concatenate([each, np.repeat(each[:1], 9999, axis=0)]) for each in crowd_)
    )
    assert meetings.over_posts(often, meetings.AROUSAL) == pytest.approx(
        crowd_.x[:, meetings.AROUSAL].std()
    )
    assert often.x[:, meetings.AROUSAL].std() < 0.9 * crowd_.x[:, meetings.AROUSAL].std()


def test_words_stop_at_the_bounds() -> None:
    """Posts as aroused as can be cannot be more so."""
    crowd_ = crowd()
    crowd_.x[1:, meetings.AROUSAL] = 1.0
    crowd_.x[0, meetings.AROUSAL] = 0.0
    assert meetings.moral_word(crowd_, flat(reshare_arousal=1.5)) == pytest.approx(0, abs=1e-3)


def test_rates_by_hand() -> None:
    """Given a click, given a hide, and with eagerness where it belongs."""
    crowd_, table = crowd(), base()
    opened, hidden = (
        expit(table[r, 0] + crowd_.x @ table[r, 1:])
        for r in (respond.Response.CLICK, respond.Response.HIDE)
    )
    liked = expit(
        table[respond.Response.LIKE, 0] + crowd_.x @ table[respond.Response.LIKE, 1:] + crowd_.eager
    )
    reported, glad = (
        expit(table[r, 0] + crowd_.x @ table[r, 1:])
        for r in (respond.Response.REPORT, respond.Response.GLAD)
    )
    found = dict(zip(NAMES, meetings.rates(crowd_, table), strict=True))
    by_hand = {
        "click": opened,
        "hide": hidden,
        "like": opened * liked,
        "report": hidden * reported,
        "glad": opened * glad,
    }
    for name, wanted in by_hand.items():
        assert found[name] == pytest.approx(wanted.mean())


def test_rates_are_held_whatever_the_slopes() -> None:
    """Slopes move, intercepts follow, rates stay; where no slope moves nothing does."""
    crowd_, before = crowd(), base()
    slopes = before + np.random.default_rng(2).normal(size=before.shape) * (
        np.arange(before.shape[1]) > 0
    )
    after = meetings.held(crowd_, before, slopes)
    assert meetings.rates(crowd_, after) == pytest.approx(meetings.rates(crowd_, before), rel=1e-6)
    assert (after[:, 1:] == slopes[:, 1:]).all() and np.abs(after[:, 0] - before[:, 0]).min() > 0.01
    assert (meetings.held(crowd_, before, before) == before).all()


def test_design_is_orthogonal_and_finds_slopes() -> None:
    """Slopes of a linear function come back exactly; noise comes back as their error."""
    for parameters in (1, 3, 11, 12, 16):
        levels = posterior.design(parameters)
        assert levels.shape[1] == parameters < len(levels) <= 2 * parameters + 2
        assert (levels.T @ levels == len(levels) * np.eye(parameters)).all() and (
            levels.sum(0) == 0
        ).all()
    rng, levels = np.random.default_rng(3), posterior.design(11)
    width, true = rng.uniform(0.2, 1, 11), rng.normal(size=(4, 11))
    exact = 5 + (levels * width) @ true.T
    slopes, errors = posterior.contrasts(levels, exact, width)
    assert slopes == pytest.approx(true) and errors == pytest.approx(0, abs=1e-12)
    spread = [
        posterior.contrasts(levels, exact + rng.normal(size=exact.shape), width)
        for _ in range(2000)
    ]
    assert np.std([slope for slope, _ in spread], axis=0) * width == pytest.approx(
        np.full((4, 11), 0.25), rel=0.1
    )
    assert np.sqrt(np.mean([error**2 for _, error in spread], axis=0)) * width == pytest.approx(
        np.full((4, 11), 0.25), rel=0.1
    )
    with pytest.raises(UsageError, match="one parameter"):
        posterior.design(0)


def test_noise_is_between_replicates() -> None:
    """Of a mean over replicates; with one replicate, what the design leaves over."""
    rng, levels = np.random.default_rng(5), posterior.design(5)
    runs = rng.normal(size=(4000, 4, 4)) * 0.6
    assert response_fit.noise_of(runs, np.zeros((4, 5)), np.ones(5), 8) == pytest.approx(
        np.full(4, 0.3), rel=0.05
    )
    width, alone = np.full(5, 0.7), []
    for _ in range(2000):
        _, errors = posterior.contrasts(levels, 0.6 * rng.normal(size=(8, 4)), width)
        alone.append(response_fit.noise_of(runs[:, :1], errors, width, len(levels)))
    assert np.sqrt(np.mean(np.square(alone), axis=0)) == pytest.approx(np.full(4, 0.6), rel=0.05)
    assert (response_fit.noise_of(runs[:, :1], np.full((4, 5), np.inf), width, 8) == 0).all()


def test_step_on_a_planted_truth() -> None:
    """What effects say is found, what they do not say stays at its prior with its sd, and bounds
    hold."""
    true, free = np.array([2.0, -1.0, 0.5]), 9.0
    prior = posterior.Prior(
        np.array([0.0, 0.0, 0.3]), np.array([1.0, 1.0, 0.7]), np.full(3, -free), np.full(3, free)
    )
    slopes = np.array([[1.0, 0.5, 0.0], [0.2, 2.0, 0.0]])
    found = posterior.step(
        prior, prior.mean, slopes @ (true - prior.mean), slopes, np.full(2, 1e-5)
    )
    assert found.mean == pytest.approx([2.0, -1.0, 0.3], abs=1e-6)
    assert found.sd[:2].max() < 1e-4 and found.sd[2] == pytest.approx(0.7)
    again = posterior.step(
        prior, true, np.zeros(2), slopes, np.full(2, 1e-5)
    )  # from elsewhere to the same
    assert again.mean == pytest.approx(found.mean, abs=1e-6)
    tight = prior._replace(high=np.array([1.5, free, free]))
    assert (
        posterior.step(
            tight, prior.mean, slopes @ (true - prior.mean), slopes, np.full(2, 1e-5)
        ).mean[0]
        == 1.5
    )


def test_step_weighs_prior_and_effect() -> None:
    """One parameter, one effect: the precision-weighted mean."""
    prior = posterior.Prior(np.array([1.0]), np.array([0.5]), np.array([-9.0]), np.array([9.0]))
    found = posterior.step(
        prior, np.array([4.0]), np.array([3.0 - 4.0]), np.array([[1.0]]), np.array([0.25])
    )
    assert found.mean[0] == pytest.approx((1 / 0.25 + 3 / 0.0625) / (1 / 0.25 + 1 / 0.0625))
    assert found.sd[0] == pytest.approx((1 / 0.25 + 1 / 0.0625) ** -0.5)


def planted(monkeypatch: pytest.MonkeyPatch, truth: Any) -> tuple[Fit, Any]:
    """A fit whose effects are what the twin says at other parameters, precisely."""
    problem: FitProblem = response_fit.problem(SCENARIOS / "base.yaml", SMALL, 1)
    problem.population = crowd()
    slopes = np.random.default_rng(4).normal(
        size=(len(response_worlds.EFFECTS), len(problem.paths))
    )
    at = problem.prior.mean + truth * problem.prior.sd
    aims = response_fit.asked(
        np.concatenate([problem.closed(at), slopes @ (at - problem.prior.mean)])
    )
    monkeypatch.setattr(response_fit, "aims", lambda: aims)
    monkeypatch.setattr(Fit, "sd", np.full(len(aims), 1e-4))
    fit = Fit(problem, slopes, np.zeros_like(slopes), np.zeros(len(slopes)), [])
    fit.visit(problem.prior.mean, np.zeros(len(slopes)))
    return fit, at


def test_solution_reproduces_planted_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more parameters than effects the effects are met, not the parameters; and nothing moves
    where there is nothing to explain."""
    fit, at = planted(
        monkeypatch,
        np.linspace(-0.5, 0.5, len(response_fit.problem(SCENARIOS / "base.yaml", SMALL, 1).paths)),
    )
    start = fit.visits[0].misfit
    found = fit.solve().mean
    fit.visit(found, fit.slopes @ (found - fit.problem.prior.mean))
    assert response_fit.asked(fit.best.answers) == pytest.approx(response_fit.aims(), abs=1e-3)
    assert fit.best.misfit < 1e-3 * start
    assert np.abs(found - at).max() > 0.05
    still, _ = planted(monkeypatch, 0.0)
    assert still.solve().mean == pytest.approx(still.problem.prior.mean)


def test_levels_stay_within_bounds() -> None:
    """A parameter at its bound is moved about a point inside."""
    prior = posterior.Prior(
        np.array([0.0, 1.0]), np.array([0.5, 0.5]), np.array([0.0, -20.0]), np.array([20.0, 20.0])
    )
    at, width = response_fit.levels_at(prior, posterior.design(2))
    assert (
        sorted(set(at[:, 0])) == [0.0, 1.0]
        and sorted(set(at[:, 1])) == [0.5, 1.5]
        and (width == 0.5).all()
    )


def test_parameters_that_the_audience_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list may name what another model of people has."""
    monkeypatch.setattr(
        response_fit,
        "PARAMETERS",
        {"responses.glad.arousal": 1.0, "no_such": 1.0, "satisfaction_rate": 0.1},
    )
    problem = response_fit.problem(SCENARIOS / "base.yaml", SMALL, 1)
    assert sorted(problem.paths) == ["responses.glad.arousal", "satisfaction_rate"]
    problem.population = crowd()
    at = problem.prior.mean + 0.05
    settings = load(SCENARIOS / "base.yaml", problem.settings(at)).mechanisms["audience"]
    assert dict(zip(problem.paths, at, strict=True)) == pytest.approx(
        {
            "responses.glad.arousal": settings.responses.glad.arousal,
            "satisfaction_rate": settings.satisfaction_rate,
        }
    )  # type: ignore[attr-defined]
    monkeypatch.setattr(response_fit, "PARAMETERS", {"no_such": 1.0})
    with pytest.raises(UsageError, match="none of the parameters"):
        response_fit.problem(SCENARIOS / "base.yaml", SMALL, 1)


def test_posts_of_a_creator_before_in_the_session() -> None:
    """Counted within sessions, in order."""
    place = np.array([0, 1, 2, 3, 0, 1, 2])
    maker = np.array([5, 7, 5, 5, 5, 5, 7])
    found = response_worlds.same_before(Shown(place, place, place), maker)
    assert found.tolist() == [0, 0, 1, 2, 0, 1, 0]


def test_standardised() -> None:
    """Both sides 1 apart, each with sd .5: over sqrt(.25 + .25)."""
    assert response_worlds.standardised(
        np.array([0.5, 1.5]), np.array([-0.5, 0.5])
    ) == pytest.approx(1 / np.sqrt(0.5))


def test_worlds_shrink_in_proportion() -> None:
    """A tenth of the people, a tenth of the creators and of those who join."""
    scenario = load(
        SCENARIOS / "base.yaml",
        response_worlds.shrunk(load(SCENARIOS / "base.yaml"), WorldSize(1000, 5, 3)),
    )
    audience, creators = (scenario.mechanisms[name] for name in ("audience", "creators"))
    assert (audience.initial, creators.human.initial, creators.ai.initial) == (1000, 200, 6)  # type: ignore[attr-defined]
    assert audience.arrivals == pytest.approx(2.0) and scenario.duration >= 8 * DAY  # type: ignore[attr-defined]
