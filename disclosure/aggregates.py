"""The closed vocabulary of aggregates: the only things that are ever measured and protected.

Every statistic is computed from protected aggregates. Numbers are integers ("ticks": multiples of the variable's
declared step), so that sums are exact and no order of addition can change them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Count:
    """Rows of the cell in which every variable of ``present`` has a value."""

    present: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DistinctCount:
    """Distinct pupils of the cell; with ``variable``, distinct codes of it that occur there."""

    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """Σ (clamp(x, lower, upper) − origin) in ticks, over rows in which every variable of ``present`` has a value.

    An origin in the middle of the bounds halves the sensitivity; the recipe adds ``origin × count`` back. A variable
    that may have no value is one of those that must be present.
    """

    variable: str
    lower: int
    upper: int
    origin: int = 0
    present: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.lower <= self.origin <= self.upper:
            raise ValueError("a sum needs lower ≤ origin ≤ upper")

    @property
    def reach(self) -> int:
        """The largest absolute value that one row can add."""
        return max(self.origin - self.lower, self.upper - self.origin)


@dataclass(frozen=True, slots=True)
class SumOfProducts:
    """Σ (l · r − origin) over rows in which all that either `Sum` wants is present; l and r are centred as there."""

    left: Sum
    right: Sum
    origin: int = 0

    @property
    def present(self) -> tuple[str, ...]:
        return tuple(sorted({*self.left.present, *self.right.present}))

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value of l · r."""
        ends = [
            (a - self.left.origin) * (b - self.right.origin)
            for a in (self.left.lower, self.left.upper)
            for b in (self.right.lower, self.right.upper)
        ]
        if self.left.variable == self.right.variable:
            ends = [0, max(ends)]
        return min(ends), max(ends)

    @property
    def reach(self) -> int:
        low, high = self.bounds
        return max(abs(low - self.origin), abs(high - self.origin))


@dataclass(frozen=True, slots=True)
class BinnedCount:
    """Rows of the cell in each bin of ``variable``; adds one axis. A bin is a set of the variable's atoms.

    Rows in no bin are not counted.
    """

    variable: str
    bins: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        atoms = [atom for group in self.bins for atom in group]
        if not self.bins or len(set(atoms)) != len(atoms):
            raise ValueError("bins must be disjoint and at least one")


Aggregate: TypeAlias = Count | DistinctCount | Sum | SumOfProducts | BinnedCount


def contributors(aggregate: Aggregate) -> Aggregate:
    """The count that says how many stand behind a number of this aggregate."""
    match aggregate:
        case Sum() | SumOfProducts():
            return Count(aggregate.present)
        case DistinctCount():
            return Count() if aggregate.variable else aggregate
        case Count() | BinnedCount():
            return aggregate
        case _:
            assert_never(aggregate)


def is_additive(aggregate: Aggregate) -> bool:
    """Whether the number of a union of cells is the sum of theirs, for any data."""
    return not isinstance(aggregate, DistinctCount)


def as_json(aggregate: Aggregate) -> list[object]:
    """A JSON value that is equal exactly for equal aggregates; it is part of every question's fingerprint."""
    match aggregate:
        case Count():
            return ["count", list(aggregate.present)]
        case DistinctCount():
            return ["distinct", aggregate.variable]
        case Sum():
            bounds = [aggregate.lower, aggregate.upper, aggregate.origin]
            return ["sum", aggregate.variable, *bounds, list(aggregate.present)]
        case SumOfProducts():
            return ["products", as_json(aggregate.left), as_json(aggregate.right), aggregate.origin]
        case BinnedCount():
            return ["bins", aggregate.variable, [list(group) for group in aggregate.bins]]
        case _:
            assert_never(aggregate)


def bins_of(aggregate: Aggregate) -> int:
    """Numbers per cell."""
    return len(aggregate.bins) if isinstance(aggregate, BinnedCount) else 1
