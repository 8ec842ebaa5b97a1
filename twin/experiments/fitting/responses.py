"""Fit the slopes of responses on arousal and agreement to published effects.

    python -m twin.experiments.fitting.responses scenarios/base.yaml \\
        [--people 6000] [--burn-in 1] [--days 14] [--replicates 2] [--rounds 2]

The fit itself is `twin.experiments.fitting.response_fit`. With R runs in the design (16 for 8 to 15
parameters) it takes (R + 1 + rounds) x replicates trunks, each with five branches.

Prints the YAML block for the scenario; `twin.experiments.fitting.intercepts` can then refine the
intercepts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml

from twin.experiments.fitting import posterior
from twin.experiments.fitting import worlds as response_worlds
from twin.experiments.fitting.meetings import NAMES
from twin.experiments.fitting.response_fit import (
    RESPONSES,
    TARGETS,
    Fit,
    FitProblem,
    Floats,
    aims,
    asked,
    levels_at,
    noise_of,
    problem,
)
from twin.experiments.fitting.worlds import WorldSize

UNKNOWN = 0.9
"""Ratio of posterior to prior sd above which a parameter counts as not identified."""


def run(p: FitProblem, rounds: int, say: Callable[[str], None]) -> tuple[Fit, posterior.Posterior]:
    """Find derivatives, then solve and run worlds for so many rounds; the fit and the last
    posterior.

    ``say`` receives a line for each step.
    """
    # first the scenario as it is: closed forms need its population, rounds its answers
    runs = [p.start()]
    say(f"as it is: {words(runs[0].mean(0))}")
    levels = posterior.design(len(p.paths))
    at, width = levels_at(p.prior, levels)
    for number, row in enumerate(at, 1):
        runs.append(p.worlds(row))
        say(f"run {number} of {len(at)}: {words(runs[-1].mean(0))}")
    # without runs[0], which is no row of the design
    slopes, errors = posterior.contrasts(levels, np.array(runs[1:]).mean(1), width)
    fit = Fit(p, slopes, errors, noise_of(np.array(runs), errors, width, len(at)), [])
    fit.visit(p.prior.mean, runs[0].mean(0))
    return fit, look(fit, rounds, say)


def look(fit: Fit, rounds: int, say: Callable[[str], None]) -> posterior.Posterior:
    """Solve and run the worlds at the solution, for so many rounds; the last solution."""
    for number in range(1, rounds + 1):
        found = fit.solve()
        worlds = fit.problem.worlds(found.mean).mean(0)
        fit.visit(found.mean, worlds)
        say(
            f"round {number}: {words(worlds)}, misfit {fit.visits[-1].misfit:.2f} (as it is: "
            f"{fit.visits[0].misfit:.2f})"
        )
    return found


def words(effects: Floats) -> str:
    """Answers of worlds (4,) on one line."""
    return ", ".join(
        f"{name} {value:+.3f}" for name, value in zip(response_worlds.EFFECTS, effects, strict=True)
    )


def report(fit: Fit, sd: Floats) -> str:
    """Tables of targets and parameters; ``sd`` are those of the posterior (P,)."""
    misfit = (
        f"misfit {fit.visits[0].misfit:.2f} before, {fit.best.misfit:.2f} after; standard errors "
        f"of "
        f"worlds {words(fit.noise)}"
    )
    return "\n".join([*_targets(fit), misfit, *_parameters(fit, sd)])


def _targets(fit: Fit) -> list[str]:
    before, after = asked(fit.visits[0].answers), asked(fit.best.answers)
    lines = [
        f"{'effect':24s} {'answer':16s} {'published':>9s} {'sd':>6s} {'weight':>7s} {'before':>8s} "
        f"{'after':>8s}"
    ]
    for k, target in enumerate(TARGETS):
        lines.append(
            f"{target.id:24s} {target.answer:16s} {aims()[k]:9.3f} {fit.sd[k]:6.3f} "
            f"{fit.sd[k] ** -2:7.1f} {before[k]:8.3f} {after[k]:8.3f}"
        )
    return lines


def _parameters(fit: Fit, sd: Floats) -> list[str]:
    prior = fit.problem.prior
    lines = [
        f"\n{'parameter':30s} {'prior':>7s} {'sd':>6s} {'fitted':>7s} {'sd':>6s}  {'':15s} slopes "
        f"of worlds (se)"
    ]
    for i, name in enumerate(fit.problem.paths):
        verdict = "not identified" if sd[i] > UNKNOWN * prior.sd[i] else ""
        slopes = "  ".join(
            f"{a:+.3f} ({b:.3f})"
            for a, b in zip(fit.slopes[:, i], fit.slopes_se[:, i], strict=True)
        )
        lines.append(
            f"{name:30s} {prior.mean[i]:7.3f} {prior.sd[i]:6.2f} {fit.best.at[i]:7.3f} "
            f"{sd[i]:6.2f}  {verdict:15s} {slopes}"
        )
    return lines


def block(fit: Fit) -> dict[str, Any]:
    """Settings for the scenario: fitted parameters, and the intercepts that keep the rates."""
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
@click.option(
    "--people", default=WorldSize.people, show_default=True, help="consumers of each world"
)
@click.option(
    "--burn-in",
    default=WorldSize.burn_in,
    show_default=True,
    help="days after the warm-up and before worlds are forked",
)
@click.option("--days", default=WorldSize.days, show_default=True, help="days after the fork")
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
    help="rounds of solving and of running worlds at the solution",
)
def main(path: Path, people: int, burn_in: int, days: int, replicates: int, rounds: int) -> None:
    """Fit the slopes of responses to published effects, report the fit, and print it as YAML."""
    began = time.perf_counter()

    def say(text: str) -> None:
        click.echo(f"[{time.perf_counter() - began:5.0f} s] {text}", err=True)

    fit, found = run(problem(path, WorldSize(people, burn_in, days), replicates), rounds, say)
    # The block alone goes to standard output, so that it can be redirected into a file.
    click.echo(report(fit, found.sd), err=True)
    click.echo(yaml.safe_dump(block(fit), sort_keys=False))


if __name__ == "__main__":
    main()
