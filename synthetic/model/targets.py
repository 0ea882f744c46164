"""What a fit aims at: each margin as shares of the pupils, and how far it yields where its noise is large."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np

from synthetic.model.domain import Domain, Floats
from synthetic.model.estimate import Target
from synthetic.model.junction import Places
from synthetic.model.measure import Margin

ONES = 0.1
"""Ridge of the one-ways beside that of larger margins: they are what all others lean on."""


def pupils(margins: Iterable[Margin]) -> float:
    """Noisy number of pupils: totals of all margins, weighted by the inverse of their variance. At least one."""
    weighted = [(float(m.counts.sum()), 1 / (m.counts.size * m.sigma**2)) for m in margins]
    return max(1.0, sum(total * weight for total, weight in weighted) / sum(weight for _, weight in weighted))


def targets(margins: Iterable[Margin], domain: Domain, ridge: float) -> dict[Places, Target]:
    margins = tuple(margins)
    number = pupils(margins)
    ones = {m.clique[0]: _positive(m, number) for m in margins if len(m.clique) == 1}
    return {domain.places_of(m.clique): _target(m, number, ones, ridge) for m in margins}


def _positive(one: Margin, number: float) -> Floats:
    """Shares of a one-way with none at or below nought: what lies within the noise counts as a third of it."""
    shares = np.maximum(one.counts, 0.3 * one.sigma) / number
    return np.asarray(shares / shares.sum())


def _target(margin: Margin, number: float, ones: Mapping[str, Floats], ridge: float) -> Target:
    variance = (margin.sigma / number) ** 2
    shares = margin.counts / number
    if len(margin.clique) == 1:
        return Target(shares, np.full(shares.shape, ONES * ridge * variance * shares.size))
    alone: Floats = reduce(np.multiply.outer, [ones[name] for name in margin.clique])
    return Target(shares, ridge * variance / alone)
