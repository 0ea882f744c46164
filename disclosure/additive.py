"""Whole tables out of estimates: every number a multiple of a base, every total exactly the sum of its parts.

Rounding each cell would leave totals that differ from the sums of their parts, or that drift by as much as there are
cells. Here it is the running totals that are rounded: let S be the summed-area table (cumulative sums along every axis,
in an order in which every element of every level is a run), R its nearest multiples of the base, and the result the
mixed differences of R.

Lemma. A cell of a margin that has more than one cell along j axes differs from the same cell of `values` by at most
base·2^(j−1). Proof: a run of codes on each axis makes a box of the table. The sum of a box is a sum with signs of the
corners of S, and in the result of R: two along each axis, one of which is empty (S = R = 0) along an axis that is
summed over. So at most 2^j corners count, each moved by at most base/2. ∎ For j = 0 it is half a base: the grand total
is simply rounded.

Variance. Where noise makes the distance of each corner to a multiple of the base uniform, and independent of that of
the other corners of its box, the error has mean 0 and variance base²·2^j/12, or less in a cell at the start of an axis,
which has fewer corners. Normal noise of standard deviation base/2 is enough: its phase is uniform to within
2·exp(−π²/2) = 1.5 %. With less noise (a total that is known almost exactly) only the lemma holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from disclosure.margins import Chain, Margin, Number, finest, kept, shape
from disclosure.tables import Floats, Integers

LIMIT = 2.0**53
"""Of the sum of absolute values of a table: below it whole numbers are exact in float64, and int64 is far away.

50,000 cells of 10⁹ are 1/180 of it. Only what is left over from whole bases is added up in float64, with an error of at
most cells²·2⁻⁵³ bases (3e-7 for 50,000 cells): by so much the lemma may be out.
"""


def additive(values: Floats, chains: Sequence[Chain], base: int) -> Integers:
    """A finest table of multiples of `base`; its fold to any margin is within `rounding_bound` of that of `values`.

    values: (sizes of own codes, *batch). Batch entries are rounded independently.
    """
    axes = tuple(range(len(chains)))
    if values.shape[: len(chains)] != shape(chains, finest(chains)) or base < 1:
        raise ValueError(f"want a table of {shape(chains, finest(chains))} and a base of at least 1")
    if values.size and not np.abs(values).sum(axis=axes).max() < LIMIT:
        raise ValueError("values must be finite and add up to less than 2^53")
    runs = _reordered(values, [chain.order() for chain in chains])
    # Whole bases are added up as integers, so that float64 adds up only what is left, and loses nothing that matters.
    whole, left = np.divmod(runs, base)
    parts = np.floor(_running(left, axes) / base + 0.5)
    rounded = base * (_running(whole.astype(np.int64), axes) + parts.astype(np.int64))
    for axis in axes:
        rounded = np.diff(rounded, axis=axis, prepend=0)
    return _reordered(rounded, [np.argsort(chain.order()) for chain in chains])


def rounding_bound(chains: Sequence[Chain], margin: Margin, base: int) -> float:
    """The most that `additive` moves a cell of this margin."""
    return base * 2.0 ** (kept(chains, margin) - 1)


def rounding_variance(chains: Sequence[Chain], margin: Margin, base: int) -> float:
    """What `additive` adds to the variance of a cell of this margin, at most, if corners are spread evenly."""
    return base**2 * 2.0 ** kept(chains, margin) / 12


def _reordered(values: npt.NDArray[Number], orders: Sequence[Integers]) -> npt.NDArray[Number]:
    for axis, order in enumerate(orders):
        values = values.take(order, axis)
    return values


def _running(values: npt.NDArray[Number], axes: Sequence[int]) -> npt.NDArray[Number]:
    for axis in axes:
        values = np.cumsum(values, axis=axis)
    return values
