"""Sums of skewed numbers perturbed in proportion to their largest contributors (sdcTools/cellKey, "flex function").

Contributor j of a cell, from the largest on, has the magnitude δⱼ = xⱼ·m(xⱼ)·eⱼ, where m falls from `small` for numbers
up to the flex point f towards `large` for numbers far above it:

    m(x) = small                                                                      for x < f
         = large·(1 + ((small·x − large·f) / (large·f))·(2f / (f + x))^q)             otherwise.

The sum X is changed by δⱼ·v once for each contributor. v comes from a perturbation table at X/δⱼ, in finer steps: with
s = steps, a = s·X/δⱼ and i = ⌊a⌋, the same key is looked up in rows i and i + 1, and v = ((i + 1 − a)·vᵢ + (a −
i)·vᵢ₊₁)/s.

Lemma. Rows being unbiased, so is every change; and no sum becomes negative. Proof: v is a mean of two numbers of mean
0, divided. A change of row i is at least −i, so v ≥ −((i + 1 − a)·i + (a − i)·(i + 1))/s = −a/s, and δⱼ·v ≥ −X. With X
replaced by the sum as changed so far the same holds for the next contributor, whose key is another. ∎

For a sensitive cell |v| is raised by `extra`, its sign kept (and taken from the key where v is 0). A sum that would
then be negative is 0: such cells are biased a little.

The noise is of the size of one contributor, not of the sum: it hides who is in a cell of few large numbers, and spoils
a mean of marks. So it is for money and the like only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from disclosure.cell_key.keys import Keys, mixed
from disclosure.cell_key.lookup import changes
from disclosure.cell_key.ptable import PTable
from disclosure.tables import Flags, Floats, Integers

_SIGN = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Flex:
    """small, large: relative sizes of the noise for small and large contributors. point: where small ends, in the unit
    of the sums. power: q. weights: e, one for each contributor that counts, from the largest. steps: s. extra: for
    sensitive cells.
    """

    small: float
    large: float
    point: float
    power: float = 3.0
    weights: tuple[float, ...] = (1.0,)
    steps: int = 1
    extra: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.large <= self.small <= 1:
            raise ValueError("small, large: want numbers above 0 and up to 1, large at most small")
        if not 0 < self.point < math.inf or not 1 <= self.power < math.inf:
            raise ValueError("point, power: want finite numbers, point above 0, power from 1")
        if not self.weights or not all(0 < weight < math.inf for weight in self.weights):
            raise ValueError("weights: wants one finite number above 0 for each contributor that counts")
        if self.steps < 1 or not 0 <= self.extra < math.inf:
            raise ValueError("steps, extra: want a whole number from 1, and a finite number from 0")

    def magnitude(self, x: Floats) -> Floats:
        """m(x), which is `small` at the flex point from both sides."""
        low, point = self.large * self.point, np.maximum(x, self.point)
        falling = (self.small * point - low) / low * (2 * self.point / (self.point + point)) ** self.power
        return np.where(x < self.point, self.small, self.large * (1 + falling))


def perturbed_sums(
    sums: Integers, largest: Integers, keys: Keys, table: PTable, flex: Flex, sensitive: Flags | None = None
) -> Integers:
    """sums: int64 of (cells,), not negative. largest: (cells, contributors that count), descending, 0 where there is
    none. keys: sums of record keys, (cells,). table: one that keeps zeros. sensitive: cells with extra noise.
    """
    _check(sums, largest, keys, table, flex)
    extra = np.zeros(sums.shape) if sensitive is None else np.where(sensitive, flex.extra, 0.0)
    shown = sums.astype(np.float64)
    for place, weight in enumerate(flex.weights):
        x = largest[:, place].astype(np.float64)
        uniform = mixed(keys, b"sum %d" % place)
        scale = x * flex.magnitude(x) * weight
        v = _change(np.divide(shown, scale, out=np.zeros_like(shown), where=scale > 0), uniform, table, flex.steps)
        sign = np.where(v == 0, np.where(mixed(keys, b"sign %d" % place) & _SIGN, 1.0, -1.0), np.sign(v))
        shown = np.maximum(shown + scale * (v + sign * extra), 0)
    return np.rint(shown).astype(np.int64)


def _change(ratios: Floats, keys: Keys, table: PTable, steps: int) -> Floats:
    """v at each ratio, between the rows on both sides. Beyond the last row all rows are alike."""
    a = np.minimum(ratios * steps, float(len(table.rows)))
    row = np.floor(a).astype(np.int64)
    part = a - row
    return ((1 - part) * changes(row, keys, table) + part * changes(row + 1, keys, table)) / steps


def _check(sums: Integers, largest: Integers, keys: Keys, table: PTable, flex: Flex) -> None:
    if sums.dtype != np.int64 or sums.ndim != 1 or largest.shape != (sums.size, len(flex.weights)):
        raise ValueError("want int64 sums of (cells,), and for each of them the contributors that count")
    if keys.dtype != np.uint64 or keys.shape != sums.shape:
        raise ValueError("want one uint64 key for each sum")
    if (sums < 0).any() or (largest < 0).any() or (np.diff(largest, axis=1) > 0).any():
        raise ValueError("sums and contributors are not negative, and contributors descend")
    if not table.keeps_zeros:
        raise ValueError("table: wants one that keeps zeros")
