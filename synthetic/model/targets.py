"""What a fit aims at: each margin as shares of the pupils, and how far it yields where its noise is large."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np

from synthetic.model.agree import agreed
from synthetic.model.domain import Domain, Floats
from synthetic.model.estimate import Target
from synthetic.model.junction import Places
from synthetic.model.measure import Margin

ONES = 0.1
"""Ridge of the one-ways beside that of larger margins: they are what all others lean on."""
LEAST = 0.3
"""A share at or below nought is reckoned as this part of its noise, where something is expected of it."""


def pupils(margins: Iterable[Margin]) -> float:
    """Noisy number of pupils: totals of all margins, weighted by the inverse of their variance. At least one."""
    weighted = [(float(m.counts.sum()), 1 / (m.counts.size * m.sigma**2)) for m in margins]
    return max(1.0, sum(total * weight for total, weight in weighted) / sum(weight for _, weight in weighted))


def targets(margins: Iterable[Margin], domain: Domain, ridge: float) -> dict[Places, Target]:
    margins = tuple(margins)
    number = pupils(margins)
    noisy = {domain.places_of(m.clique): (m.counts / number, m.sigma / number) for m in margins}
    shares = agreed(noisy, domain.sizes)
    ones = {c[0]: _positive(shares[c], noisy[c][1]) for c in shares if len(c) == 1}
    return {c: Target(shares[c], ridge * noisy[c][1] ** 2 * _yielding(c, ones)) for c in shares}


def _positive(one: Floats, sigma: float) -> Floats:
    least = np.maximum(one, LEAST * sigma)
    return np.asarray(least / least.sum())


def _yielding(clique: Places, ones: Mapping[int, Floats]) -> Floats:
    """The inverse of what each cell is expected to hold; a flat one for a single column."""
    if len(clique) == 1:
        return np.full(ones[clique[0]].shape, ONES * ones[clique[0]].size)
    alone: Floats = reduce(np.multiply.outer, [ones[i] for i in clique])
    return np.asarray(1 / alone)
