"""What is known of one release before it is protected. None of it leaves the server's memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from disclosure.aggregates import BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.cube import Cube
from disclosure.tables import Flags, Integers, Secret


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Summed(Secret):
    """A sum over the cells of all dimensions but the last, in ticks.

    values: as measured, Σ (x − origin). total: Σ x. rows: how many are added up. least, most: the smallest and the
    largest number that one row can add to `values`. largest: absolute contributions of single pupils, descending,
    (…, k); None of products.
    """

    values: Integers
    total: Integers
    rows: Integers
    least: int
    most: int
    largest: Integers | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exact(Secret):
    """What is known of one release before it is protected. The last dimension of `counts` holds the ways in which each
    count is split, its total last.

    rows_each: the most rows of one pupil in a cell (of a shape that broadcasts to that of `counts`). structural:
    cells that nobody can be in. schools: of the cells of all dimensions but the last; by_school: those that are of one
    school by definition. keys: sums of record keys. positions: counts in bins that quantiles are read from, (…, bins).
    """

    counts: Cube
    rows_each: Integers
    structural: Flags
    present: Mapping[Count, Integers]
    sums: Mapping[Sum | SumOfProducts, Summed]
    distinct: Mapping[DistinctCount, Integers]
    positions: Mapping[BinnedCount, Integers]
    schools: Integers | None = None
    by_school: Flags | None = None
    keys: Integers | None = None

    @property
    def pupils(self) -> Integers:
        return at_least(self.counts.values, self.rows_each)


def at_least(rows: Integers, each: Integers) -> Integers:
    """So many pupils are in each cell: a count of rows must be so high that fewer could not have made it."""
    found: Integers = np.maximum(rows // each, np.minimum(rows, 1))
    return found
