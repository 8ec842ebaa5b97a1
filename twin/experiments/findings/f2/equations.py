"""Closed forms of finding 2: what a reward model per person does with known and with learned
weights.

An answer has a stance s = +-1 and a quality q. It is worth q + b a_u s to person u, with tastes
a_u ~ N(mu, sigma^2). With answers chosen greedily at equal q,

    agreement  E|a| personal, |E a| pooled
    gap        sigma sqrt(2/pi) exp(-mu^2 / 2 sigma^2) + mu (1 - 2 Phi(-mu/sigma)) - |mu|

The false answer (s = -1, quality less by dq) goes to a share P(a < -dq / 2b) =
Phi((-dq/2b - mu) / sigma) of people. The twin's own code serves all answers,
`twin.kernels.reward.margin`. Source: Barreto et al., arXiv 2503.17338 (the model), FINDINGS (the
forms).
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri
from scipy.stats import norm

from twin.kernels import reward

Floats = NDArray[np.float64]
KNOWN = 1e9
"""Precision of a weight that is as good as known."""


class Case(NamedTuple):
    """Mean and sd of tastes, worth b of agreement, and quality dq that a false answer lacks."""

    mu: float
    sigma: float
    b: float
    dq: float

    @property
    def name(self) -> str:
        """What its study is called."""
        return f"known mu {self.mu:g} sigma {self.sigma:g} b {self.b:g} dq {self.dq:g}"


class KnownAnswers(NamedTuple):
    """A model's answers with known weights: agreement E[a s] at equal quality, variance of the
    stance between people, and share of false answers."""

    agreement: float
    between: float
    false: float


class LearnedAnswers(NamedTuple):
    """The same with learned weights, without the variance."""

    agreement: float
    false: float


def gap(mu: float, sigma: float) -> float:
    """E|a| - |E a| of a normal law, never below zero."""
    if sigma == 0:
        return 0.0
    return float(
        sigma * np.sqrt(2 / np.pi) * np.exp(-(mu**2) / (2 * sigma**2))
        + mu * (1 - 2 * ndtr(-mu / sigma))
        - abs(mu)
    )


def false_rate(mu: float, sigma: float, b: float, dq: float) -> float:
    """Share of people who get the false answer from their personal model."""
    return float(ndtr((-dq / (2 * b) - mu) / sigma))


def tastes(mu: float, sigma: float, *breaks: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and masses of N(mu, sigma^2), in panels that end where a choice
    changes."""
    if sigma == 0:
        return np.array([mu]), np.ones(1)
    ends = sorted(
        {mu - 12 * sigma, mu + 12 * sigma, *(x for x in breaks if abs(x - mu) < 12 * sigma)}
    )
    # A quadrature is exact on smooth pieces, so panels end where the best answer changes.
    node, weight = np.polynomial.legendre.leggauss(300)
    a = np.concatenate([low + (high - low) * (node + 1) / 2 for low, high in pairwise(ends)])
    mass = np.concatenate([weight * (high - low) / 2 for low, high in pairwise(ends)])
    return a, mass * norm.pdf(a, mu, sigma)


def _served(
    pull: NDArray[np.float32],
    precision: NDArray[np.float32],
    total: Floats,
    spread: float,
    difference: tuple[float, float],
    share: float,
) -> Floats:
    """Stance of the answer that each person gets (people,): +1 for the first of two answers that
    differ by ``difference``, -1 for the other."""
    x = np.array(difference)
    first = [
        reward.margin(u, x, pull, precision, total, spread, share) > 0 for u in range(len(pull))
    ]
    return np.where(first, 1.0, -1.0)


def known(seed: int, data: str, mu: float, sigma: float, b: float, dq: float) -> Floats:
    """KnownAnswers with known weights, personal and pooled: `KnownAnswers` (2, 3). The same numbers
    whatever the seed."""
    # The best answer changes at a = 0 for equal qualities, and at -dq / 2b for others.
    a, mass = tastes(mu, sigma, 0.0, *([-dq / (2 * b)] if b else []))
    # To one again: the law is cut off at 12 sd.
    mass = mass / mass.sum()
    mean = b * float(a @ mass)
    model = (
        (b * a[:, None] * KNOWN).astype(np.float32),
        np.full((len(a), 1), KNOWN, np.float32),
        # Sums of the pooled model as after endless comparisons: it knows the mean taste.
        np.array([[1e12, 1.0], [1e12 * mean, 1.0]]),
        1.0,
    )
    made = []
    for share in (1.0, 0.0):
        # The true answer less the false one: 2 in stance, 0 or dq in quality.
        equal, unequal = _served(*model, (2.0, 0.0), share), _served(*model, (2.0, dq), share)
        made.append(
            KnownAnswers(
                agreement=float(mass @ (a * equal)),
                between=float(mass @ equal**2 - (mass @ equal) ** 2),
                false=float(mass[unequal < 0].sum()),
            )
        )
    return np.array(made)


def learned(
    seed: int, data: str, mu: float, sigma: float, spread: float, each: int, people: int
) -> Floats:
    """KnownAnswers with weights learned from ``each`` comparisons a person, at dq = b = 1, personal
    and pooled: `LearnedAnswers` (2, 2)."""
    rng = np.random.default_rng(seed)
    # Quantiles instead of draws: the tastes of a crowd that is as even as it can be.
    a = mu + sigma * ndtri((np.arange(people) + 0.5) / people)
    # Round by round: the pool learns from everybody at once, not from one person after another.
    who = np.tile(np.arange(people), each)
    x = np.stack([np.full(len(who), 2.0), rng.normal(size=len(who))], 1)
    likes = rng.random(len(who)) < expit(a[who] * x[:, 0] + x[:, 1])
    # The kernel learns from the preferred answer less the other one.
    x = np.where(likes[:, None], x, -x)
    pull, precision, total = (
        np.zeros((people, 1), np.float32),
        np.zeros((people, 1), np.float32),
        reward.pool(2, 10.0),
    )
    reward.learn(who, x, pull, precision, total, spread, 1.0)
    made = []
    for share in (1.0, 0.0):
        equal = _served(pull, precision, total, spread, (2.0, 0.0), share)
        unequal = _served(pull, precision, total, spread, (2.0, 1.0), share)
        made.append(
            LearnedAnswers(
                agreement=float((a * equal).mean()),
                false=float((unequal < 0).mean()),
            )
        )
    return np.array(made)
