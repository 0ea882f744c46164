"""Whole numbers that add up: totals shared out exactly, between parts, and between the chunks that are made apart.

A published share of so many pupils is first rounded to a whole number of them (largest remainders). Each chunk then
gets its part of that number, so that chunks made in any order, by any number of workers, meet the total.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from synthetic.npd.streams import Floats, Ints


def largest_remainder(total: int, weights: npt.ArrayLike) -> Ints:
    """`total` in whole parts as near to `weights` as can be; what is left goes to the largest remainders, then to the
    first."""
    w = np.asarray(weights, np.float64)
    if total and not w.sum() > 0:
        raise ValueError("weights: want one that is not 0")
    exact = w * (total / w.sum()) if total else np.zeros(len(w))
    # Shares of a whole number of pupils are never 1e-9 apart unless they are the same.
    exact = np.round(exact, 9)
    parts = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - parts), kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    return parts


def published(total: int, per_cent: float) -> int:
    """Pupils that are so many per cent of `total`, halves up; exact for the decimal fraction that was published."""
    exact = Fraction(str(per_cent)) * total / 100
    return int(exact + Fraction(1, 2))


def deal(there: Ints, targets: Ints) -> Ints:
    """[chunk, stratum, category]: how many of each category each chunk gets in each stratum.

    there: pupils by chunk and stratum. targets: by stratum and category; the rows sum to the pupils of the stratum.
    Sums over categories are `there`, sums over chunks `targets`, and no number is negative: each category in turn is
    spread over the chunks by what they have left.
    """
    if (there.sum(axis=0) != targets.sum(axis=1)).any():
        raise ValueError("targets: want as many in each stratum as there are")
    left = there.astype(np.int64)
    dealt = np.zeros((*there.shape, targets.shape[1]), np.int64)
    for j in range(targets.shape[1]):
        total = np.maximum(left.sum(axis=0), 1)
        reach = (2 * targets[:, j] * np.cumsum(left, axis=0) + total) // (2 * total)
        dealt[:, :, j] = np.diff(reach, axis=0, prepend=0)
        left = left - dealt[:, :, j]
    return dealt


def assign(score: Floats, stratum: Ints, numbers: Ints) -> Ints:
    """Of each element the category: the first of its stratum, by score from above, are of the first, and so on.

    numbers: by stratum and category, as `deal` gives for one chunk."""
    within = 0.5 - score / (2.001 * (1 + np.abs(score)))  # falls as the score rises, from 1 to 0
    order = np.argsort(stratum + within)
    found = np.empty(len(score), np.int64)
    found[order] = np.repeat(np.tile(np.arange(numbers.shape[1]), len(numbers)), numbers.ravel())
    return found


def every(start: Ints, end: Ints, chunk: int, chunks: int) -> Ints:
    """How many of the places from `start` up to `end` are those of a chunk, which has every `chunks`-th."""
    return np.asarray((end - 1 - chunk) // chunks - (start - 1 - chunk) // chunks)
