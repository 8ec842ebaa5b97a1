"""The fit of response slopes: parameters, published effects, and the solver between them.

Targets are effects from `evidence`. `TARGETS` ties their ids to what the twin answers: in closed
form over a population of meetings (`meetings`), or read off forked worlds (`worlds`). There are
more parameters than effects. So today's values are prior means, with the sds of `PARAMETERS`, and
the mode of the posterior is found by Gauss-Newton (`posterior`). A parameter that no target depends
on comes back unchanged, and is reported as not identified.

The sd of a target joins three errors. One is published. One is that of the mapping, a share of the
effect (an assumption: anger is not arousal, and a word is not a measured dose). The third is that
of the worlds, between replicates. Derivatives of worlds come from a two-level design about the
prior, once; each round solves, and runs the worlds at the solution. The reported fit is the visited
point with the least misfit in worlds of its own, not a prediction. Rates stay, because intercepts
follow the slopes (`meetings.held`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.experiments.fitting import evidence, meetings, posterior
from twin.experiments.fitting import worlds as response_worlds
from twin.experiments.fitting.meetings import NAMES, Meetings
from twin.experiments.fitting.worlds import WorldSize
from twin.ground.errors import UsageError
from twin.kernels.respond import FEATURES
from twin.scenario.loading import load
from twin.world.params import Params, leaves, value_at

Floats = NDArray[np.float64]
RESPONSES = "responses."
PARAMETERS = {
    "responses.click.arousal": 0.4,
    "responses.comment.arousal": 1.0,
    "responses.comment.agreement": 0.5,
    "responses.reshare.arousal": 1.0,
    "responses.reshare.agreement": 0.5,
    "responses.hide.arousal": 1.0,
    "responses.hide.agreement": 0.5,
    "responses.report.arousal": 1.0,
    "responses.report.agreement": 0.5,
    "responses.glad.arousal": 1.0,
    "responses.glad.agreement": 0.5,
    "patience_effect": 0.5,
}
"""Parameters of the audience that are fitted, and the sds of their priors (assumptions). Those that
the model lacks are left out."""
SOLVES, NEAR, STEP = 50, 1e-6, 1e-3


@dataclass(frozen=True)
class Counterpart:
    """An effect of `evidence` by id, the twin's answer to it, and the sd of this mapping as a share
    of the effect."""

    id: str
    answer: str
    mapping: float

    @property
    def published(self) -> evidence.Sized:
        """The published effect."""
        return evidence.sized(self.id)

    @property
    def variance(self) -> float:
        """Of the published effect and of the mapping together."""
        value, se = self.published
        return se**2 + (self.mapping * value) ** 2


CLOSED: dict[str, Callable[[Meetings, Floats], float]] = {
    "moral_word": meetings.moral_word,
    "outgroup_word": meetings.outgroup_word,
}
TARGETS = (
    Counterpart("brady_2017", answer="moral_word", mapping=0.5),
    Counterpart("rathje_2021", answer="outgroup_word", mapping=0.5),
    Counterpart("E01.O1", answer="shown_arousal", mapping=0.25),
    Counterpart("E01.O2", answer="shown_animosity", mapping=0.5),
    Counterpart("guess_2023_facebook", answer="chronological_time", mapping=0.25),
    Counterpart("guess_2023_instagram", answer="chronological_time", mapping=0.25),
    Counterpart("toxic_hidden_facebook", answer="filtered_time", mapping=0.5),
    Counterpart("toxic_hidden_twitter", answer="filtered_time", mapping=0.5),
)
ANSWERS = (*CLOSED, *response_worlds.EFFECTS)


class Visit(NamedTuple):
    """A point that was tried: parameters (P,), the twin's answers there (A,), and the misfit."""

    at: Floats
    answers: Floats
    misfit: float


@dataclass
class FitProblem:
    """A scenario, the parameters that are fitted, and how large its worlds are."""

    path: Path
    sets: Sequence[str]
    size: WorldSize
    replicates: int
    paths: list[str]
    prior: posterior.Prior
    before: Floats  # (9, 11) coefficients of the scenario
    population: Meetings = field(init=False)

    def table(self, at: Floats) -> Floats:
        """Coefficients (9, 11) at these parameters, with intercepts that keep the scenario's
        rates."""
        slopes = self.before.copy()
        for path, value in zip(self.paths, at, strict=True):
            # patience_effect is no slope of a response, and acts in worlds only
            if path.startswith(RESPONSES):
                _, response, feature = path.split(".")
                slopes[NAMES.index(response), 1 + FEATURES.index(feature)] = value
        return meetings.held(self.population, self.before, slopes)

    def settings(self, at: Floats) -> list[str]:
        """The parameters, and the intercepts that follow from them, as settings of the scenario."""
        table = self.table(at)
        return [
            *(f"audience.{path}={value:.9f}" for path, value in zip(self.paths, at, strict=True)),
            *(
                f"audience.responses.{name}.intercept={table[r, 0]:.9f}"
                for r, name in enumerate(NAMES)
            ),
        ]

    def worlds(self, at: Floats) -> Floats:
        """Answers of worlds at these parameters (replicates, 4)."""
        sets = [*self.sets, *self.settings(at)]
        return np.array(
            [
                response_worlds.measure(self.path, [*sets, f"replicate={r}"], self.size)[0]
                for r in range(self.replicates)
            ]
        )

    def start(self) -> Floats:
        """Run the scenario as it is: answers of its worlds (replicates, 4). The population of
        meetings is kept."""
        found = [
            response_worlds.measure(self.path, [*self.sets, f"replicate={r}"], self.size, True)
            for r in range(self.replicates)
        ]
        # Posts of different replicates are different posts, although they share row numbers.
        populations = [
            each._replace(post=each.post * self.replicates + r)
            for r, (_, each) in enumerate(found)
            if each is not None
        ]
        self.population = Meetings(
            *(np.concatenate(each) for each in zip(*populations, strict=True))
        )
        return np.array([effects for effects, _ in found])

    def closed(self, at: Floats) -> Floats:
        """Answers in closed form (C,)."""
        table = self.table(at)
        return np.array([say(self.population, table) for say in CLOSED.values()])

    def closed_slopes(self, at: Floats) -> Floats:
        """Their derivatives (C, P), by central differences."""
        # Closed forms are cheap and smooth, so differences one at a time do.
        moves = np.eye(len(at)) * STEP
        return np.stack(
            [(self.closed(at + move) - self.closed(at - move)) / (2 * STEP) for move in moves],
            axis=1,
        )


def problem(path: Path, size: WorldSize, replicates: int) -> FitProblem:
    """The fit of those of `PARAMETERS` that a scenario's audience has. Raises UsageError where it
    has none."""
    scenario = load(path)
    audience: Any = scenario.mechanisms["audience"]
    kind: type[Params] = type(audience)
    known = {name: info for name, info in leaves(kind) if name in PARAMETERS}
    if not known:
        raise UsageError("the scenario's audience has none of the parameters that are fitted")
    value = np.array([value_at(audience, name) for name in known], float)
    # The declared ranges of the parameters bound the fit too.
    bounds = np.array(
        [[_bound(info, "ge", -np.inf), _bound(info, "le", np.inf)] for info in known.values()]
    )
    prior = posterior.Prior(
        value, np.array([PARAMETERS[name] for name in known]), bounds[:, 0], bounds[:, 1]
    )
    return FitProblem(
        path,
        response_worlds.shrunk(scenario, size),
        size,
        replicates,
        list(known),
        prior,
        meetings.coefficients(audience.responses),
    )


def _bound(info: Any, name: str, without: float) -> float:
    return next(
        (float(getattr(each, name)) for each in info.metadata if hasattr(each, name)), without
    )


@dataclass
class Fit:
    """A fit under way: the problem, derivatives of worlds about the prior, and the points that were
    visited."""

    problem: FitProblem
    slopes: Floats  # (4, P) of `response_worlds.EFFECTS`
    slopes_se: Floats  # (4, P)
    noise: Floats  # (4,) see `noise_of`
    visits: list[Visit]

    @property
    def sd(self) -> Floats:
        """Of every target (K,)."""
        # closed forms have no noise between replicates
        of = dict(zip(ANSWERS, [*np.zeros(len(CLOSED)), *self.noise], strict=True))
        return np.sqrt([target.variance + of[target.answer] ** 2 for target in TARGETS])

    def misfit(self, at: Floats, answers: Floats) -> float:
        """The quantity that the fit minimises."""
        return posterior.misfit(self.problem.prior, at, aims() - asked(answers), self.sd)

    def visit(self, at: Floats, worlds: Floats) -> None:
        """Keep the twin's answers at these parameters; ``worlds`` are those of worlds (4,)."""
        answers = np.concatenate([self.problem.closed(at), worlds])
        self.visits.append(Visit(at, answers, self.misfit(at, answers)))

    def solve(self) -> posterior.Posterior:
        """The mode, with worlds taken as linear about the last visit and closed forms as they
        are."""
        p, last = self.problem, self.visits[-1]
        at, found = last.at, posterior.Posterior(last.at, p.prior.sd)
        for _ in range(SOLVES):
            answers = np.concatenate(
                [p.closed(at), last.answers[len(CLOSED) :] + self.slopes @ (at - last.at)]
            )
            slopes = np.concatenate([p.closed_slopes(at), self.slopes])
            rows = [ANSWERS.index(target.answer) for target in TARGETS]
            found = posterior.step(p.prior, at, aims() - asked(answers), slopes[rows], self.sd)
            moved, at = np.abs(found.mean - at).max(), found.mean
            if moved < NEAR:
                break
        return found

    @property
    def best(self) -> Visit:
        """The visit with the least misfit."""
        return min(self.visits, key=lambda visit: visit.misfit)


def aims() -> Floats:
    """Published values (K,)."""
    return np.array([target.published.value for target in TARGETS], float)


def asked(answers: Floats) -> Floats:
    """Answers (A,) in the order of the targets (K,)."""
    return answers[[ANSWERS.index(target.answer) for target in TARGETS]]


def levels_at(prior: posterior.Prior, levels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Parameters of the runs of a design (R, P) and the width of a level (P,): one prior sd to
    either side, moved inside the bounds."""
    width = np.minimum(prior.sd, (prior.high - prior.low) / 2)
    centre = np.clip(prior.mean, prior.low + width, prior.high - width)
    return centre + levels * width, width


def noise_of(runs: Floats, errors: Floats, width: Floats, rows: int) -> Floats:
    """Standard error of a run's answers (4,), from runs (runs, replicates, 4).

    It is the sd between replicates, pooled over runs. With one replicate only the residual beside
    the main effects of the design is known, which is too small.
    """
    if runs.shape[1] > 1:
        return np.asarray(np.sqrt(runs.var(1, ddof=1).mean(0) / runs.shape[1]), np.float64)
    # from the error of any one slope back to that of a run: all columns have the same
    left = errors[:, 0] * width[0] * np.sqrt(rows)
    return np.where(np.isfinite(left), left, 0.0)
