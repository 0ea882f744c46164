"""What a fit aims at: each margin as shares of the pupils, and how far it yields where its noise is large."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

import numpy as np

from synthetic.model.agree import agreed
from synthetic.model.domain import Floats
from synthetic.model.estimate import Target
from synthetic.model.junction import Places
from synthetic.model.measure import Margin
from synthetic.model.zeros import Zeros

ONES = 0.1
"""Ridge of the one-ways beside that of larger margins: they are what all others lean on."""
LEAST = 0.3
"""A share at or below nought is reckoned as this part of its noise, where something is expected of it."""
TURNS, SETTLED = 100, 1e-7
"""Most turns of agreeing and emptying, and the share of the pupils at which they end."""


def pupils(margins: Iterable[Margin]) -> float:
    """Noisy number of pupils: totals of all margins, weighted by the inverse of their variance. At least one."""
    weighted = [(float(m.counts.sum()), 1 / (m.counts.size * m.sigma**2)) for m in margins]
    return max(1.0, sum(total * weight for total, weight in weighted) / sum(weight for _, weight in weighted))


def targets(margins: Iterable[Margin], zeros: Zeros, ridge: float) -> dict[Places, Target]:
    margins, domain = tuple(margins), zeros.domain
    number = pupils(margins)
    noisy = {domain.places_of(m.clique): (m.counts / number, m.sigma / number) for m in margins}
    shares = _agreed(noisy, zeros)
    ones = {c[0]: _positive(shares[c], noisy[c][1]) for c in shares if len(c) == 1}
    return {c: Target(shares[c], ridge * noisy[c][1] ** 2 * _yielding(c, ones)) for c in shares}


def _agreed(noisy: Mapping[Places, tuple[Floats, float]], zeros: Zeros) -> dict[Places, Floats]:
    """Tables that agree with each other and have nothing where nobody can be: the nearest by weighted least squares.

    Both are affine spaces, which meet (in the tables of any pupils of whom the rules are true), and making tables agree
    and emptying cells are projections in one norm. Taken in turn they lead to the projection onto where both meet (von
    Neumann, Functional Operators II (1950), theorem 13.7).
    """
    shares = agreed(noisy, zeros.domain.sizes)
    never = {c: cells for c in shares if (cells := zeros.of(c)).any()}
    for _ in range(TURNS if never else 0):
        left = max(float(np.abs(shares[c][cells]).max()) for c, cells in never.items())
        if left < SETTLED:
            break
        emptied = {c: np.where(never[c], 0.0, table) if c in never else table for c, table in shares.items()}
        shares = agreed({c: (table, noisy[c][1]) for c, table in emptied.items()}, zeros.domain.sizes)
    return {c: np.where(never[c], 0.0, table) if c in never else table for c, table in shares.items()}


def _positive(one: Floats, sigma: float) -> Floats:
    least = np.maximum(one, LEAST * sigma)
    return np.asarray(least / least.sum())


def _yielding(clique: Places, ones: Mapping[int, Floats]) -> Floats:
    """The inverse of what each cell is expected to hold; a flat one for a single column."""
    if len(clique) == 1:
        return np.full(ones[clique[0]].shape, ONES * ones[clique[0]].size)
    alone: Floats = reduce(np.multiply.outer, [ones[i] for i in clique])
    return np.asarray(1 / alone)
