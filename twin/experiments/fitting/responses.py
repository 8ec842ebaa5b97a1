"""Fit the slopes of responses on arousal and agreement to published effects.

    python -m twin.experiments.fitting.responses scenarios/base.yaml [--people 6000] [--burn-in 1] [--days 14] [--replicates 2] [--rounds 2]

Targets are effects from `evidence`, whose ids `TARGETS` ties to what the twin says of them: in
closed form over a population of meetings (`meetings`), or read off forked worlds
(`response_worlds`). There are more parameters than effects, so today's values are prior means, with
the sds of `PARAMETERS`, and the mode of the posterior is found by Gauss-Newton (`posterior`). What
a target cannot say moves nothing: such parameters come back as they were, and are reported as not
identified.

The sd of a target joins three errors: its published one, that of the mapping (a share of the
effect, an assumption: anger is not arousal, a word is no measured dose), and that of the worlds it
is read off, between replicates. Derivatives of worlds come from a two-level design about the prior,
once; each round solves, and runs the worlds at the solution. The reported fit is that of the
parameters visited whose misfit is least, with their own worlds, not a prediction. Rates stay:
intercepts follow the slopes (`meetings.held`).

With R the runs of the design (16 for 8 to 15 parameters) it takes (R + 1 + rounds) x replicates
trunks, each with five branches.

Prints the YAML block to put into the scenario; `twin.experiments.fitting.intercepts` can then
refine the intercepts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
import yaml
from numpy.typing import NDArray

from twin.experiments.fitting import evidence, meetings, posterior
from twin.experiments.fitting import worlds as response_worlds
from twin.experiments.fitting.meetings import NAMES, Meetings
from twin.experiments.fitting.worlds import Size
from twin.ground.errors import UsageError
from twin.kernels.respond import FEATURES
from twin.scenario.loading import load
from twin.world.params import leaves, value_at

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
"""Parameters of the audience that are fitted, and the sds of their priors (assumptions). Any that
the model lacks are left out."""
SOLVES, NEAR, STEP = 50, 1e-6, 1e-3
UNKNOWN = 0.9
"""Posterior over prior sd from which on a parameter counts as not identified."""


@dataclass(frozen=True)
class Target:
    """An effect of `evidence` by id, what of the twin answers to it, and the sd of that mapping as
    a share of the effect."""

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
    Target("brady_2017", "moral_word", 0.5),
    Target("rathje_2021", "outgroup_word", 0.5),
    Target("E01.O1", "shown_arousal", 0.25),
    Target("E01.O2", "shown_animosity", 0.5),
    Target("guess_2023_facebook", "chronological_time", 0.25),
    Target("guess_2023_instagram", "chronological_time", 0.25),
    Target("toxic_hidden_facebook", "filtered_time", 0.5),
    Target("toxic_hidden_twitter", "filtered_time", 0.5),
)
ANSWERS = (*CLOSED, *response_worlds.EFFECTS)


class Visit(NamedTuple):
    """Parameters (P,), what the twin says there of every answer (A,), and the misfit."""

    at: Floats
    answers: Floats
    misfit: float


@dataclass
class Problem:
    """A scenario, the parameters that are fitted, and how large its worlds are."""

    path: Path
    sets: Sequence[str]
    size: Size
    replicates: int
    paths: list[str]
    prior: posterior.Prior
    before: Floats  # (9, 11) coefficients of the scenario
    population: Meetings = field(init=False)

    def table(self, at: Floats) -> Floats:
        """Coefficients at these parameters, with intercepts at which rates are the scenario's."""
        slopes = self.before.copy()
        for path, value in zip(self.paths, at, strict=True):
            if path.startswith(RESPONSES):
                _, response, feature = path.split(".")
                slopes[NAMES.index(response), 1 + FEATURES.index(feature)] = value
        return meetings.held(self.population, self.before, slopes)

    def settings(self, at: Floats) -> list[str]:
        """The parameters, and the intercepts that follow, as settings of the scenario."""
        table = self.table(at)
        return [
            *(f"audience.{path}={value:.9f}" for path, value in zip(self.paths, at, strict=True)),
            *(
                f"audience.responses.{name}.intercept={table[r, 0]:.9f}"
                for r, name in enumerate(NAMES)
            ),
        ]

    def worlds(self, at: Floats) -> Floats:
        """What worlds say at these parameters (replicates, 4)."""
        sets = [*self.sets, *self.settings(at)]
        return np.array(
            [
                response_worlds.measure(self.path, [*sets, f"replicate={r}"], self.size)[0]
                for r in range(self.replicates)
            ]
        )

    def start(self) -> Floats:
        """Run the scenario as it is: what worlds say (replicates, 4), and the population of
        meetings, kept."""
        found = [
            response_worlds.measure(self.path, [*self.sets, f"replicate={r}"], self.size, True)
            for r in range(self.replicates)
        ]
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
        """What closed forms say (C,)."""
        table = self.table(at)
        return np.array([say(self.population, table) for say in CLOSED.values()])

    def closed_slopes(self, at: Floats) -> Floats:
        """Their derivatives (C, P), by central differences."""
        moves = np.eye(len(at)) * STEP
        return np.stack(
            [(self.closed(at + move) - self.closed(at - move)) / (2 * STEP) for move in moves],
            axis=1,
        )


def problem(path: Path, size: Size, replicates: int) -> Problem:
    """The fit of a scenario: those of `PARAMETERS` that its audience has. Raises UsageError where
    it has none."""
    scenario = load(path)
    audience: Any = scenario.mechanisms["audience"]
    known = {name: info for name, info in leaves(type(audience)) if name in PARAMETERS}
    if not known:
        raise UsageError("the scenario's audience has none of the parameters that are fitted")
    value = np.array([value_at(audience, name) for name in known], float)
    bounds = np.array(
        [[_bound(info, "ge", -np.inf), _bound(info, "le", np.inf)] for info in known.values()]
    )
    prior = posterior.Prior(
        value, np.array([PARAMETERS[name] for name in known]), bounds[:, 0], bounds[:, 1]
    )
    return Problem(
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
    """A fit under way: the problem, derivatives of worlds about the prior, and what was visited;
    see `run`."""

    problem: Problem
    slopes: Floats  # (4, P) of `response_worlds.EFFECTS`
    slopes_se: Floats  # (4, P)
    noise: Floats  # (4,) see `noise_of`
    visits: list[Visit]

    @property
    def sd(self) -> Floats:
        """Of every target (K,)."""
        of = dict(zip(ANSWERS, [*np.zeros(len(CLOSED)), *self.noise], strict=True))
        return np.sqrt([target.variance + of[target.answer] ** 2 for target in TARGETS])

    def misfit(self, at: Floats, answers: Floats) -> float:
        """What is minimised."""
        return posterior.misfit(self.problem.prior, at, aims() - asked(answers), self.sd)

    def visit(self, at: Floats, worlds: Floats) -> None:
        """Keep what the twin says at these parameters."""
        answers = np.concatenate([self.problem.closed(at), worlds])
        self.visits.append(Visit(at, answers, self.misfit(at, answers)))

    def solve(self) -> posterior.Posterior:
        """The mode where worlds are taken as linear about the last visit, and closed forms as they
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
        """The visit whose misfit is least."""
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
    """Standard error of what a run says (4,), from runs (runs, replicates, 4): between replicates,
    which one run's parameters share with all others'; with one replicate only what is left beside
    the main effects of the design, which is too little."""
    if runs.shape[1] > 1:
        return np.asarray(np.sqrt(runs.var(1, ddof=1).mean(0) / runs.shape[1]), np.float64)
    left = errors[:, 0] * width[0] * np.sqrt(rows)
    return np.where(np.isfinite(left), left, 0.0)


def run(p: Problem, rounds: int, tell: Callable[[str], None]) -> tuple[Fit, posterior.Posterior]:
    """Derivatives, then rounds of solving and looking; the fit and the last posterior."""
    runs = [p.start()]
    tell(f"as it is: {words(runs[0].mean(0))}")
    levels = posterior.design(len(p.paths))
    at, width = levels_at(p.prior, levels)
    for number, row in enumerate(at, 1):
        runs.append(p.worlds(row))
        tell(f"run {number} of {len(at)}: {words(runs[-1].mean(0))}")
    slopes, errors = posterior.contrasts(levels, np.array(runs[1:]).mean(1), width)
    fit = Fit(p, slopes, errors, noise_of(np.array(runs), errors, width, len(at)), [])
    fit.visit(p.prior.mean, runs[0].mean(0))
    return fit, look(fit, rounds, tell)


def look(fit: Fit, rounds: int, tell: Callable[[str], None]) -> posterior.Posterior:
    """Solve and run the worlds there, so many times; the last solution."""
    for number in range(1, rounds + 1):
        found = fit.solve()
        worlds = fit.problem.worlds(found.mean).mean(0)
        fit.visit(found.mean, worlds)
        tell(
            f"round {number}: {words(worlds)}, misfit {fit.visits[-1].misfit:.2f} (as it is: "
            f"{fit.visits[0].misfit:.2f})"
        )
    return found


def words(effects: Floats) -> str:
    """What worlds say, on one line."""
    return ", ".join(
        f"{name} {value:+.3f}" for name, value in zip(response_worlds.EFFECTS, effects, strict=True)
    )


def report(fit: Fit, sd: Floats) -> str:
    """Tables of targets and parameters."""
    before, after, p = asked(fit.visits[0].answers), asked(fit.best.answers), fit.problem
    lines = [
        f"{'effect':24s} {'answer':16s} {'published':>9s} {'sd':>6s} {'weight':>7s} {'before':>8s} "
        f"{'after':>8s}"
    ]
    for k, target in enumerate(TARGETS):
        lines.append(
            f"{target.id:24s} {target.answer:16s} {aims()[k]:9.3f} {fit.sd[k]:6.3f} "
            f"{fit.sd[k] ** -2:7.1f} {before[k]:8.3f} "
            f"{after[k]:8.3f}"
        )
    lines.append(
        f"misfit {fit.visits[0].misfit:.2f} before, {fit.best.misfit:.2f} after; standard errors "
        f"of worlds {words(fit.noise)}"
    )
    lines.append(
        f"\n{'parameter':30s} {'prior':>7s} {'sd':>6s} {'fitted':>7s} {'sd':>6s}  {'':15s} slopes "
        f"of worlds (se)"
    )
    for i, name in enumerate(p.paths):
        verdict = "not identified" if sd[i] > UNKNOWN * p.prior.sd[i] else ""
        slopes = "  ".join(
            f"{a:+.3f} ({b:.3f})"
            for a, b in zip(fit.slopes[:, i], fit.slopes_se[:, i], strict=True)
        )
        lines.append(
            f"{name:30s} {p.prior.mean[i]:7.3f} {p.prior.sd[i]:6.2f} {fit.best.at[i]:7.3f} "
            f"{sd[i]:6.2f}  {verdict:15s} {slopes}"
        )
    return "\n".join(lines)


def block(fit: Fit) -> dict[str, Any]:
    """What to put into the scenario: fitted parameters, and the intercepts that hold rates."""
    p, table = fit.problem, fit.problem.table(fit.best.at)
    responses: dict[str, dict[str, float]] = {
        name: {"intercept": round(float(table[r, 0]), 3)} for r, name in enumerate(NAMES)
    }
    made: dict[str, Any] = {}
    for path, value in zip(p.paths, fit.best.at, strict=True):
        if path.startswith(RESPONSES):
            _, response, feature = path.split(".")
            responses[response][feature] = round(float(value), 3)
        else:
            made[path] = round(float(value), 3)
    return {"mechanisms": {"audience": {**made, "responses": responses}}}


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--people", default=Size.people, show_default=True, help="consumers of each world")
@click.option(
    "--burn-in",
    default=Size.burn_in,
    show_default=True,
    help="days after the warm-up and before worlds are forked",
)
@click.option("--days", default=Size.days, show_default=True, help="days after")
@click.option(
    "--replicates",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="worlds for each set of parameters",
)
@click.option(
    "--rounds",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="rounds of solving and running the worlds there",
)
def main(path: Path, people: int, burn_in: int, days: int, replicates: int, rounds: int) -> None:
    """Fit the slopes of responses to published effects, report the fit, and print it as YAML."""
    began = time.perf_counter()
    tell = lambda text: click.echo(f"[{time.perf_counter() - began:5.0f} s] {text}", err=True)  # noqa: E731
    fit, found = run(problem(path, Size(people, burn_in, days), replicates), rounds, tell)
    click.echo(report(fit, found.sd), err=True)
    click.echo(yaml.safe_dump(block(fit), sort_keys=False))


if __name__ == "__main__":
    main()
