"""Total variation between two sources, the k-marginal score, and the sample that would score the same.

The total variation of two tables is half of the sum of differences between their shares: the part of pupils who would
have to move. The k-marginal score is 1000 × (1 − the mean total variation over sets of k variables), as in NIST's
collaborative research cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from synthetic.fidelity.margins import Floats, Margin, Names, Source, sets_of

LIMIT = 300
"""Sets of k variables that are compared; of more, a sample of so many."""
WHOLE = 1000
STEPS = 20


@dataclass(frozen=True, slots=True)
class Variation:
    """Over sets of `ways` variables. compared: how many sets; possible: how many there are. worst: with the largest.

    noise: the mean that the reference's noise alone would show. as_sample: the share of pupils whose simple random
    sample differs from the reference as much; None where only noise is seen.
    """

    ways: int
    compared: int
    mean: float
    largest: float
    worst: Names
    noise: float
    as_sample: float | None

    @property
    def score(self) -> float:
        return WHOLE * (1 - self.mean)


def total_variation(a: Margin, b: Margin) -> float:
    return float(np.abs(a.shares - b.shares).sum() / 2)


def variation(source: Source, reference: Source, ways: int, limit: int = LIMIT, seed: int = 0) -> Variation | None:
    """None where the reference tells no table of so many variables."""
    sets = [(n, m) for n in sets_of(reference.variables, ways, limit, seed) if (m := reference.margin(n)) is not None]
    pairs = [(names, mine, theirs) for names, theirs in sets if (mine := source.margin(names)) is not None]
    if not pairs:
        return None
    each = np.array([total_variation(mine, theirs) for _, mine, theirs in pairs])
    margins = [theirs for _, _, theirs in pairs]
    noise = float(np.mean([_of_noise(m) for m in margins]))
    worst = pairs[int(each.argmax())][0]
    return Variation(
        ways, len(pairs), float(each.mean()), float(each.max()), worst, noise, as_sample(float(each.mean()), margins)
    )


def _of_noise(margin: Margin) -> float:
    """Mean total variation that noise of that sigma makes: half of √(2/π) σ for each cell."""
    return float(min(1.0, margin.counts.size * margin.sigma * np.sqrt(2 / np.pi) / 2 / max(margin.counts.sum(), 1.0)))


def as_sample(mean: float, margins: Sequence[Margin]) -> float | None:
    """The share of pupils that a simple random sample has whose mean total variation is as large.

    Between 1 pupil and all of them, by bisection of what is expected of a sample without replacement. None where the
    margins are so noisy that their own noise is more than the difference.
    """
    if float(np.mean([_of_noise(m) for m in margins])) > mean:
        return None
    shares, pupils = _cells(margins)
    low, high = 1 / max(float(pupils.max()), 1.0), 1.0
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        drawn = np.maximum(1.0, middle * pupils)
        expected = _mean_deviation(shares, drawn).sum() / 2 / len(margins) * np.sqrt(1 - middle)
        low, high = (middle, high) if expected > mean else (low, middle)
    return float(high)


def _cells(margins: Sequence[Margin]) -> tuple[Floats, Floats]:
    """Shares of all cells with anybody in them, and the pupils of the table that each is of."""
    shares = [m.shares.ravel() for m in margins]
    pupils = np.repeat([max(m.counts.sum(), 1.0) for m in margins], [s.size for s in shares])
    every = np.concatenate(shares)
    return every[every > 0], pupils[every > 0]


def _mean_deviation(p: Floats, n: Floats) -> Floats:
    """E|X/n − p| of a binomial X, by de Moivre's formula. Last digits do not matter here, so n need not be whole."""
    m = np.floor(n * p) + 1
    log = gammaln(n + 1) - gammaln(m + 1) - gammaln(np.maximum(n - m, 0) + 1)
    log = log + np.log(m) + m * np.log(p) + (n - m + 1) * np.log1p(-np.minimum(p, 1 - 1e-15))
    return np.asarray(np.where(m > n, 2 * p * (1 - p), 2 * np.exp(np.minimum(log, 700)) / n))
