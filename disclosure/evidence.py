"""What primary rules need to know of a cell beside its numbers. It is never measured, priced, protected or released.

So it has types of its own: nothing that takes an `Aggregate` can be asked for evidence. The numbers of distinct pupils
and of distinct schools in a cell are aggregates already: `DistinctCount()` and `DistinctCount("school")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from disclosure.aggregates import Aggregate, BinnedCount, Count, Sum, bins_of

MOST = 1000
ROWS = Count()


@dataclass(frozen=True, slots=True)
class Largest:
    """The ``most`` largest contributions of single pupils to ``total`` in the cell, descending, in ticks; then zeros.

    A pupil's contribution is Σ |clamp(x, lower, upper)| over the pupil's rows in the cell where every variable of
    ``total.present`` has a value. It is of the value itself: the origin of ``total`` has no effect. Where each row is
    one pupil, so it is here.

    Where ``lower`` is negative, the absolute total is at most the sum of all contributions, so a dominance or p % rule
    that compares these contributions with it flags at least the cells that it would flag by that sum.
    """

    total: Sum
    most: int

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST:
            raise ValueError(f"the number of largest contributions wants a whole number from 1 to {MOST}")


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """Sum of the record keys of the rows that ``of`` counts, modulo 2⁶⁴: a uint64, held as the int64 of the same bits.

    One number per cell, or one for each bin of a `BinnedCount`. Sums of disjoint sets of rows add up modulo 2⁶⁴.
    """

    of: Count | BinnedCount = ROWS


Evidence: TypeAlias = Largest | RecordKeys


def numbers_of(wanted: Aggregate | Evidence) -> int:
    """Numbers per cell."""
    match wanted:
        case Largest():
            return wanted.most
        case RecordKeys():
            return bins_of(wanted.of)
        case _:
            return bins_of(wanted)
