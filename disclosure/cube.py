"""A table with all its totals, as an attacker would know it: exact numbers, and which of them add up to which.

Each dimension has its own elements and every total of them; a cell is one element of each dimension, so the cells of
all margins of a table stand in one array. Along every dimension the same lines hold: a total is the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from disclosure.margins import Chain
from disclosure.tables import Integers, Secret


@dataclass(frozen=True, slots=True)
class Line:
    """One element is the sum of others, whatever the rest of the cell is."""

    total: int
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Elements 0 … size − 1 and their lines. Every element that is no line's total is a code of its own.

    An element can be the total of several lines (one count split by two variables) and part of at most one, so that
    from every element one way leads up to the last total.
    """

    size: int
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        parts = [part for line in self.lines for part in line.parts]
        if self.size < 1 or any(not 0 <= i < self.size for i in [*parts, *(line.total for line in self.lines)]):
            raise ValueError("a line names an element that is not there")
        if len(set(parts)) < len(parts) or any(not line.parts for line in self.lines):
            raise ValueError("an element is part of at most one line, and a line has parts")
        if any(line.total <= max(line.parts) for line in self.lines):
            raise ValueError("totals stand after their parts")
        if len(parts) != self.size - 1:
            raise ValueError("every element but the last is part of a line")

    @classmethod
    def of(cls, chain: Chain) -> Dimension:
        """The elements of all levels of a chain, finest first."""
        starts = [0, *accumulate(chain.sizes)]
        lines = []
        for level, parents in enumerate(chain.parents):
            for element in range(chain.sizes[level + 1]):
                parts = tuple(starts[level] + i for i, parent in enumerate(parents) if parent == element)
                lines.append(Line(starts[level + 1] + element, parts))
        return cls(starts[-1], tuple(lines))

    @classmethod
    def splits(cls, sizes: Sequence[int]) -> Dimension:
        """One total, split in several ways: each into so many bins. No way at all: the total alone."""
        starts = [0, *accumulate(sizes)]
        total = starts[-1]
        return cls(total + 1, tuple(Line(total, tuple(range(a, b))) for a, b in pairwise(starts)))

    @property
    def codes(self) -> tuple[int, ...]:
        """Elements that are no totals."""
        totals = {line.total for line in self.lines}
        return tuple(i for i in range(self.size) if i not in totals)

    @property
    def above(self) -> tuple[int, ...]:
        """The total that each element is part of; −1 for the last."""
        found = [-1] * self.size
        for line in self.lines:
            for part in line.parts:
                found[part] = line.total
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cube(Secret):
    """values: exact int64, not negative, one axis per dimension; every line holds. It is never shown or copied out."""

    dimensions: tuple[Dimension, ...]
    values: Integers

    def __post_init__(self) -> None:
        if self.values.dtype != np.int64 or self.values.shape != self.shape or (self.values < 0).any():
            raise ValueError(f"want int64 of {self.shape}, none below 0")
        for axis, dimension in enumerate(self.dimensions):
            for line in dimension.lines:
                if (self.values.take(line.parts, axis).sum(axis) != self.values.take(line.total, axis)).any():
                    raise ValueError(f"totals of dimension {axis} are not the sums of their parts")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(dimension.size for dimension in self.dimensions)


def add_totals(codes: npt.NDArray[np.int64], dimensions: Sequence[Dimension]) -> Integers:
    """Values of all codes (one axis per dimension, in the order of `Dimension.codes`) → values of all elements.

    Where a total has several lines, all must give the same; `Cube` checks that they do.
    """
    values = codes
    for axis, dimension in enumerate(dimensions):
        shape = (*values.shape[:axis], dimension.size, *values.shape[axis + 1 :])
        wide = np.zeros(shape, np.int64)
        whole = np.moveaxis(wide, axis, 0)
        whole[list(dimension.codes)] = np.moveaxis(values, axis, 0)
        for line in sorted(dimension.lines, key=lambda line: line.total):
            whole[line.total] = whole[list(line.parts)].sum(0)
        values = wide
    return values
