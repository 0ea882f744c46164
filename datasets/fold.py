"""One scan for several layouts: exact tables of coarser cells are sums of a finer one's, in integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from datasets.plan import Axis, Layout
from datasets.predicate import Predicate
from datasets.validate import ValidQuery
from disclosure.aggregates import Aggregate, bins_of, is_additive
from disclosure.tables import ExactTable, Integers

OUTSIDE = -1
MOST_NUMBERS = 1_000_000
"""Held for a coarser layout's sake; beyond, a scan of its own is less."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Aggregates to compute over one layout; into: the layouts served, each with its aggregates and, for every cell of
    the scan, the cell that it is part of."""

    layout: int
    aggregates: tuple[Aggregate, ...]
    into: Mapping[int, tuple[tuple[Aggregate, ...], Integers | None]]


def scans(valid: ValidQuery, wanted: Mapping[int, tuple[Aggregate, ...]]) -> list[Scan]:
    """The fewest that will do, taking layouts by size; each layout is served by one."""
    found: list[tuple[int, dict[int, tuple[tuple[Aggregate, ...], Integers | None]]]] = []
    for layout in sorted(wanted, key=lambda i: (-valid.layouts[i].cells, i)):
        aggregates = wanted[layout]
        for fine, into in found:
            cells = cells_in_coarser(valid.layouts[fine], valid.layouts[layout], valid)
            numbers = valid.layouts[fine].cells * sum(map(bins_of, aggregates))
            if cells is not None and numbers <= MOST_NUMBERS and all(map(is_additive, aggregates)):
                into[layout] = (aggregates, cells)
                break
        else:
            found.append((layout, {layout: (aggregates, None)}))
    return [
        Scan(layout, tuple(dict.fromkeys(a for every, _ in into.values() for a in every)), into)
        for layout, into in found
    ]


def tables(scan: Scan, exact: ExactTable, valid: ValidQuery) -> Iterator[tuple[int, ExactTable]]:
    """Each layout that the scan serves with its table."""
    for layout, (aggregates, cells) in scan.into.items():
        if cells is None:
            yield layout, exact
        else:
            size = valid.layouts[layout].cells
            yield layout, ExactTable({a: _summed(exact[a], cells, size) for a in aggregates}, size)


def _summed(values: Integers, cells: Integers, size: int) -> Integers:
    out = np.zeros((size, values.shape[1]), np.int64)
    inside = cells != OUTSIDE
    np.add.at(out, cells[inside], values[inside])
    return out


def cells_in_coarser(fine: Layout, coarse: Layout, valid: ValidQuery) -> Integers | None:
    """For each cell of the one the cell of the other that it is part of; None where those do not make it up."""
    cell = np.zeros(fine.shape, np.int64)
    used: set[int] = set()
    for axis in coarse.axes:
        place, parents = _within(axis, fine, valid, used)
        if parents is None:
            return None
        used.add(place)
        along = [1] * len(fine.axes)
        along[place] = len(parents)
        cell = cell * len(axis.codes) + parents.reshape(along)
    rest = [axis for place, axis in enumerate(fine.axes) if place not in used]
    return cell.ravel() if all(_atoms(axis, valid) == _admitted(axis, valid) for axis in rest) else None


def _within(axis: Axis, fine: Layout, valid: ValidQuery, used: set[int]) -> tuple[int, Integers | None]:
    """The finer axis whose codes make up this one's, and for each of them the code that it is part of."""
    for place, own in enumerate(fine.axes):
        if own.variable.name == axis.variable.name and place not in used:
            parents = _parents(own, axis, valid)
            if parents is not None:
                return place, parents
    return OUTSIDE, None


def _parents(fine: Axis, coarse: Axis, valid: ValidQuery) -> Integers | None:
    if _atoms(fine, valid) != _atoms(coarse, valid):
        return None
    admitted = _admitted(fine, valid)
    holder = {atom: place for place, group in enumerate(coarse.groups) for atom in group}
    found = [{holder[atom] for atom in group if admitted >> atom & 1} for group in fine.groups]
    return np.array([min(places) for places in found]) if all(len(places) == 1 for places in found) else None


def _atoms(axis: Axis, valid: ValidQuery) -> int:
    """Those that the criteria admit and the axis shows, as a mask."""
    return sum(1 << atom for group in axis.groups for atom in group) & _admitted(axis, valid)


def _admitted(axis: Axis, valid: ValidQuery) -> int:
    predicate: Predicate = valid.predicate
    return predicate.admitted(valid.data_set.domain.index(axis.variable))
