"""The engine's counts and evidence → one table with all its totals. Nothing of it leaves the server's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from datasets.official.table import OfficialTable
from datasets.official.trees import Tree
from datasets.plan import Axis, Plan
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount
from disclosure.cube import add_totals
from disclosure.evidence import Evidence, RecordKeys
from disclosure.tables import ExactTable, Integers, Secret

Aggregates = Callable[[Plan], ExactTable]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Gathered(Secret):
    """counts: of rows, the table's whole shape; keys: their record keys, or None. sums: in ticks (and counts of rows
    with a value), of the dimensions without the splits; positions likewise, (…, bins). evidence: what does not add up,
    likewise, (…, numbers); cells that no code stands for are 0.
    """

    counts: Integers
    keys: Integers | None
    sums: dict[Aggregate, Integers]
    positions: dict[BinnedCount, Integers]
    evidence: dict[Aggregate | Evidence, Integers]


def gather(
    table: OfficialTable, aggregate: Aggregates, evidence: Sequence[DistinctCount | Evidence], keys: bool
) -> Gathered:
    """One scan for the counts and sums, one for each split, and one for each total of what does not add up."""
    more: tuple[Evidence, ...] = (RecordKeys(),) if keys else ()
    adding_up = (*table.present, *table.sums)
    whole = _scan(table, aggregate, None, (Count(), *adding_up, *table.positions), more)
    parts = [_split(table, split, aggregate, more) for split in table.splits]
    counts = _stack(table, _folded(table, whole[Count()], None), [found for found, _ in parts])
    own = _folded(table, whole.evidence(more[0]), None) if keys else None
    stacked = None if own is None else _stack(table, own, [found for _, found in parts if found is not None])
    sums: dict[Aggregate, Integers] = {
        a: add_totals(_folded(table, whole[a], None), table.dimensions[:-1]) for a in adding_up
    }
    positions = {a: _with_totals(table, whole[a]) for a in table.positions}
    return Gathered(counts, stacked, sums, positions, _by_margin(table, aggregate, evidence))


def _with_totals(table: OfficialTable, values: Integers) -> Integers:
    """Several numbers a cell, (…, numbers), of every total."""
    return np.stack(
        [add_totals(_folded(table, values[:, [i]], None), table.dimensions[:-1]) for i in range(values.shape[1])], -1
    )


def _scan(
    table: OfficialTable,
    aggregate: Aggregates,
    split: Tree | None,
    aggregates: Sequence[Aggregate],
    evidence: tuple[Evidence, ...],
) -> ExactTable:
    axes = (*(tree.scan for tree in table.trees), *([split.scan] if split else []))
    return aggregate(Plan(table.data_set, table.population, axes, tuple(aggregates), evidence))


def _split(
    table: OfficialTable, split: Tree, aggregate: Aggregates, more: tuple[Evidence, ...]
) -> tuple[Integers, Integers | None]:
    """Counts (and keys) of the split's codes, (sizes of the dimensions' codes, codes of the split)."""
    exact = _scan(table, aggregate, split, (Count(),), more)
    return (
        _folded(table, exact[Count()], split),
        _folded(table, exact.evidence(more[0]), split) if more else None,
    )


def _folded(table: OfficialTable, values: Integers, split: Tree | None) -> Integers:
    return folded([*table.trees, *([split] if split else [])], values)


def folded(trees: Sequence[Tree], values: Integers) -> Integers:
    """Cells of a scan → codes of the finest level of each tree; a further axis for several numbers in a cell."""
    whole = values.reshape(*(len(tree.scan.codes) for tree in trees), -1)
    for axis, tree in enumerate(trees):
        shape = list(whole.shape)
        shape[axis] = len(tree.levels[0].masks)
        folded = np.zeros(shape, np.int64)
        np.add.at(np.moveaxis(folded, axis, 0), list(tree.scanned), np.moveaxis(whole, axis, 0))
        whole = folded
    return whole[..., 0] if whole.shape[-1] == 1 else whole


def _stack(table: OfficialTable, whole: Integers, splits: Sequence[Integers]) -> Integers:
    """All codes of the last dimension side by side, then every total. Sums wrap modulo 2^64, as record keys do."""
    codes = np.concatenate(splits, axis=-1) if splits else whole[..., None]
    return add_totals(codes, table.dimensions)


def _by_margin(
    table: OfficialTable, aggregate: Aggregates, wanted: Sequence[DistinctCount | Evidence]
) -> dict[Aggregate | Evidence, Integers]:
    """What is not the sum of its parts, measured for every total by itself."""
    every = tuple(dict.fromkeys([*wanted, *table.distinct]))
    if not every:
        return {}
    shape = table.shape[:-1]
    found: dict[Aggregate | Evidence, Integers] = {}
    distinct = tuple(a for a in every if isinstance(a, DistinctCount))
    rest = tuple(e for e in every if not isinstance(e, DistinctCount))
    for places, axes in _margins(table):
        exact = aggregate(Plan(table.data_set, table.population, axes, distinct or (Count(),), rest))
        for each in every:
            values = exact[each] if isinstance(each, DistinctCount) else exact.evidence(each)
            into = found.setdefault(each, np.zeros((*shape, values.shape[1]), np.int64))
            into[np.ix_(*places)] = values.reshape(*(len(place) for place in places), -1)
    return found


def _margins(table: OfficialTable) -> Iterator[tuple[list[range], tuple[Axis, ...]]]:
    """Each combination of levels: the elements it fills, and what the engine groups by."""
    for levels in product(*(_levels(tree) for tree in table.trees)):
        yield [place for place, _ in levels], tuple(axis for _, axis in levels if axis is not None)


def _levels(tree: Tree) -> list[tuple[range, Axis | None]]:
    found: list[tuple[range, Axis | None]] = []
    start = 0
    for level in tree.levels:
        if level.axis.codes:
            found.append((range(start, start + len(level.axis.codes)), level.axis))
        start += len(level.masks)
    if start < tree.dimension.size:
        found.append((range(start, start + 1), None))
    return found
