"""Fit the default world to the regularities: parameters are found, outputs are never rescaled.

    python -m twin.experiments.fitting.intercepts scenarios/base.yaml [--rounds 4]

There are two parts. The Beta law of daily return chances is fitted in closed form. Weighted by how
often people come, gaps follow a beta-geometric law, P(G = k) = B(a + 2, b + k - 1) / B(a + 1, b)
(Fader & Hardie 2007), which is matched to KuaiRand's first five days. The intercepts of the
responses are moved round by round: run the world, compare each rate with its target (given a click,
where the response needs one), and shift the log-odds by the difference. The script prints the YAML
block for the scenario.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click
import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.special import betaln, logit

from twin.experiments.fitting.regularities import GAPS, RATES, measure
from twin.scenario.loading import Scenario, load

ROUNDS = 4


def gap_law(a: float, b: float, days: int = 28) -> NDArray[np.float64]:
    """Probabilities of gaps of 1..days, weighted by visits, within a window of ``days``."""
    k = np.arange(1, days + 1)
    law = np.exp(betaln(a + 2, b + k - 1) - betaln(a + 1, b))
    # given a return within the window, as longer gaps are not in the data
    return np.asarray(law / law.sum())


def fit_gaps(within: float = 0.12) -> tuple[float, float]:
    """Shapes (a, b) of the Beta law: those with the largest mean chance, among all whose first five
    gaps lie ``within`` of the targets.

    Many shapes fit equally well. Those with fewer rare visitors need fewer simulated people for the
    same number of sessions.
    """
    grid = np.arange(0.05, 2.0, 0.01)
    # relative errors, as the fifth gap is twenty times rarer than the first
    good = [
        (a / (a + b), a, b)
        for a in grid
        for b in grid
        if np.abs(gap_law(a, b)[:5] / np.array(GAPS) - 1).max() <= within
    ]
    _, a, b = max(good)
    return float(a), float(b)


def moved(scenario: Scenario, shift: dict[str, float]) -> Scenario:
    """The scenario with the intercepts of responses shifted."""
    audience: Any = scenario.mechanisms["audience"]
    changed = {
        head: getattr(audience.responses, head).model_copy(
            update={"intercept": getattr(audience.responses, head).intercept + by}
        )
        for head, by in shift.items()
    }
    audience = audience.model_copy(
        update={"responses": audience.responses.model_copy(update=changed)}
    )
    return dataclasses.replace(scenario, mechanisms={**scenario.mechanisms, "audience": audience})


def shifts(measured: dict[str, float]) -> dict[str, float]:
    """The error of each intercept in log-odds; responses that need a click are compared given a
    click."""
    out = {}
    for head, (target, _) in RATES.items():
        base, aim = (
            (measured["P(click) per impression"], RATES["click"][0])
            if head not in ("click", "hide")
            else (1.0, 1.0)
        )
        # A response that never happened has no log-odds; this floor moves its intercept far enough.
        now = max(measured[f"P({head}) per impression"] / base, 1e-7)
        out[head] = float(logit(target / aim) - logit(now))
    return out


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", default=ROUNDS, show_default=True, help="rounds of run, compare, shift")
def main(path: Path, rounds: int) -> None:
    """Fit return chances and response intercepts of a scenario, and print them as YAML."""
    # Return chances first: they decide how much is seen, and so all rates.
    a, b = fit_gaps()
    audience: Any = (scenario := load(path)).mechanisms["audience"]
    audience = audience.model_copy(update={"return_a": round(a, 3), "return_b": round(b, 3)})
    scenario = dataclasses.replace(
        scenario, mechanisms={**scenario.mechanisms, "audience": audience}
    )
    for number in range(1, rounds + 1):
        measured = measure(scenario)
        by = shifts(measured)
        # to standard error: the block alone is the output
        click.echo(
            f"round {number}: "
            + ", ".join(f"{head} {measured[f'P({head}) per impression']:.6f}" for head in RATES),
            err=True,
        )
        scenario = moved(scenario, by)
    fitted: Any = scenario.mechanisms["audience"]
    block = {
        "return_a": fitted.return_a,
        "return_b": fitted.return_b,
        "responses": {
            head: {"intercept": round(getattr(fitted.responses, head).intercept, 3)}
            for head in RATES
        },
    }
    click.echo(yaml.safe_dump({"mechanisms": {"audience": block}}, sort_keys=False))


if __name__ == "__main__":
    main()
