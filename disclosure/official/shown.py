"""What earlier releases have told, and what one release tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.tables import Flags, Integers, Secret


@dataclass(frozen=True, slots=True, eq=False)
class Flagged:
    """Cells that an earlier release has shown (known), and those that it has hidden; none is both."""

    known: Flags
    hidden: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """What earlier releases have done with the same cells."""

    counts: Flagged
    sums: Mapping[Aggregate, Flagged]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Protected numbers and which of them are hidden (0 there), of one shape."""

    values: Integers
    hidden: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Protected:
    counts: Shown
    structural: Flags
    present: Mapping[Count, Shown]
    sums: Mapping[Sum | SumOfProducts, Shown]
    distinct: Mapping[DistinctCount, Shown]
    positions: Mapping[BinnedCount, Shown]


class Unprotected(Secret, Protected):
    """Numbers in the form of a release that is none: the truth, or all that could be shown. To be compared with."""

    __slots__ = ()


def hide(values: Integers, hidden: Flags) -> Shown:
    return Shown(np.where(hidden, 0, values), hidden)
