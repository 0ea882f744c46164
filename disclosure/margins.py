"""Margins of one table: every axis at its own codes, at a coarser level, or summed over.

An axis has a chain of nested partitions, finest first: its own codes, perhaps coarser levels (region over LA), and last
one element for all. A margin names one level of every axis; its table has one cell for each combination of elements of
those levels, so an axis that is summed over keeps length one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from disclosure.tables import Integers

Number = TypeVar("Number", np.int64, np.float64)
Margin: TypeAlias = tuple[int, ...]
"""A level of every axis."""


@dataclass(frozen=True, slots=True)
class Chain:
    """parents[k][i]: the element of level k + 1 that holds element i of level k. The last level has one element."""

    size: int
    parents: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("an axis needs at least one code")
        size = self.size
        for parents in self.parents:
            if len(parents) != size:
                raise ValueError(f"{size} elements need as many parents, not {len(parents)}")
            size = len(set(parents))
            if set(parents) != set(range(size)):
                raise ValueError("the elements of a level are numbered from 0, and each has a part")
        if size != 1:
            raise ValueError("the last level has one element")

    @classmethod
    def plain(cls, size: int) -> Chain:
        """Own codes and all, nothing between."""
        return cls(size, ((0,) * size,))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of elements of each level."""
        return (self.size, *(max(parents) + 1 for parents in self.parents))

    def ancestors(self, level: int) -> Integers:
        """The element of `level` that each code belongs to."""
        found = np.arange(self.size, dtype=np.int64)
        for parents in self.parents[:level]:
            found = np.array(parents, dtype=np.int64)[found]
        return found

    def order(self) -> Integers:
        """The codes in an order in which every element of every level is a run."""
        return np.lexsort([self.ancestors(level) for level in range(len(self.sizes))]).astype(np.int64)


def shape(chains: Sequence[Chain], margin: Margin) -> tuple[int, ...]:
    """Of the margin's table."""
    return tuple(chain.sizes[level] for chain, level in zip(chains, margin, strict=True))


def finest(chains: Sequence[Chain]) -> Margin:
    return (0,) * len(chains)


def check(chains: Sequence[Chain], margins: Collection[Margin]) -> None:
    """That these are margins of one table, the finest among them, and at most one axis has levels between."""
    for margin in margins:
        if len(margin) != len(chains) or any(
            not 0 <= level < len(chain.sizes) for chain, level in zip(chains, margin, strict=True)
        ):
            raise ValueError(f"{margin} is not a level of each of the {len(chains)} axes")
    if finest(chains) not in margins:
        raise ValueError("the finest margin must be measured")
    if sum(len(chain.sizes) > 2 for chain in chains) > 1:
        raise ValueError("at most one axis may have levels between its codes and all")


def group_sums(values: npt.NDArray[Number], groups: Integers, axis: int = 0) -> npt.NDArray[Number]:
    """Sums over the elements of each group (numbered from 0, none empty) along one axis."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    return np.add.reduceat(values.take(order, axis), starts, axis)


def fold(values: npt.NDArray[Number], chains: Sequence[Chain], margin: Margin) -> npt.NDArray[Number]:
    """Sums of a finest table to a margin: (sizes of own codes, *batch) → (sizes of the margin's levels, *batch).

    Integers are added as integers. Raises ValueError for a table that is not the finest.
    """
    if values.shape[: len(chains)] != shape(chains, finest(chains)):
        raise ValueError(f"want a table of {shape(chains, finest(chains))}, not of {values.shape}")
    for axis, (chain, level) in enumerate(zip(chains, margin, strict=True)):
        if level > 0:
            values = group_sums(values, chain.ancestors(level), axis)
    return values


def kept(chains: Sequence[Chain], margin: Margin) -> int:
    """Number of axes along which the margin has more than one cell."""
    return sum(size > 1 for size in shape(chains, margin))


def cells(chains: Sequence[Chain], margin: Margin) -> int:
    return math.prod(shape(chains, margin))
