"""The protected table → what each statistic of the question is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from datasets.official.table import OfficialTable, bins_of, within
from datasets.plan import Axis, Layout, Quantity
from datasets.validate import ValidQuery
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.official import Protected, Shown
from disclosure.tables import Measurement


def measurements(table: OfficialTable, protected: Protected, valid: ValidQuery) -> dict[Quantity, Measurement]:
    return {q: _measurement(table, protected, valid.layouts[q.layout], q.aggregate) for q in valid.quantities}


def _measurement(table: OfficialTable, protected: Protected, layout: Layout, aggregate: Aggregate) -> Measurement:
    """Cells in the layout's order. A bin of several codes is the sum of what is shown of them, if all are."""
    if isinstance(aggregate, BinnedCount) and (position := _position(table, aggregate)):
        return _of_position(table, protected.positions[position], layout, aggregate, position)
    places = [elements(table, place, layout.axes) for place in range(len(table.trees))]
    bins = [_of_bin(_numbers(protected, aggregate), places, parts) for parts in parts_of(table, aggregate)]
    values, hidden = (np.stack(each, axis=-1) for each in zip(*bins, strict=True))
    return Measurement(np.where(hidden, 0, values), 0.0, hidden)


def _position(table: OfficialTable, aggregate: BinnedCount) -> BinnedCount | None:
    """The finest bins of its variable, where quantiles are read from it."""
    return next((p for p in table.positions if p.variable == aggregate.variable), None)


def _of_position(
    table: OfficialTable, shown: Shown, layout: Layout, aggregate: BinnedCount, position: BinnedCount
) -> Measurement:
    places = [elements(table, place, layout.axes) for place in range(len(table.trees))]
    holder = {atom: i for i, group in enumerate(position.bins) for atom in group}
    bins = [_of_bin(shown, places, sorted({holder[atom] for atom in group})) for group in aggregate.bins]
    values, hidden = (np.stack(each, axis=-1) for each in zip(*bins, strict=True))
    return Measurement(np.where(hidden, 0, values), 0.0, hidden)


def elements(table: OfficialTable, place: int, axes: Sequence[Axis]) -> list[int]:
    """Of one tree, for each code of the axis of its variable; of all that was selected, where there is none."""
    tree = table.trees[place]
    selected = table.selected.get(tree.variable.name)
    axis = next((axis for axis in axes if axis.variable.name == tree.variable.name), None)
    groups = [range(len(tree.variable.atoms))] if axis is None else axis.groups
    return [tree.element(within(group, selected)) for group in groups]


def _numbers(protected: Protected, aggregate: Aggregate) -> Shown:
    match aggregate:
        case Sum() | SumOfProducts():
            found = protected.sums[aggregate]
        case DistinctCount():
            found = protected.distinct[aggregate]
        case Count(present) if present:
            found = protected.present[aggregate]
        case Count() | BinnedCount():
            return protected.counts
        case _:
            assert_never(aggregate)
    return Shown(found.values[..., None], found.hidden[..., None])


def parts_of(table: OfficialTable, aggregate: Aggregate) -> list[list[int]]:
    """For each number of a cell the elements of the last dimension that make it up."""
    if isinstance(aggregate, BinnedCount):
        return [table.parts(name, mask) for name, masks in bins_of(aggregate).items() for mask in masks]
    return [[table.total]] if aggregate == Count() else [[0]]


def _of_bin(shown: Shown, places: Sequence[Sequence[int]], parts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    at = np.ix_(*places, parts)
    return shown.values[at].sum(-1).ravel(), shown.hidden[at].any(-1).ravel()
