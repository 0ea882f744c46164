"""Results of statements → dense numbers over a plan's whole key space, whichever engine ran them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from datasets.plan import Axis, Plan
from datasets.sql import Statement, Wanted
from disclosure.aggregates import BinnedCount
from disclosure.evidence import RecordKeys, numbers_of
from disclosure.tables import ExactGroups, ExactTable, Integers

SMALL = {np.dtype(np.uint8).str: 2**8, np.dtype(np.uint16).str: 2**16}
"""Types of codes for which a place of every value costs less than to convert them."""
Run = Callable[[Statement], list[Integers]]
"""Runs a statement: columns of its result as int64 (codes also as uint8 or uint16), NULL as −1, unsigned numbers of 64
bits as the int64 of the same bits."""


def exact_table(plan: Plan, statements: Iterable[Statement], run: Run) -> ExactTable:
    found: dict[Wanted, Integers] = {}
    for statement in statements:
        columns = run(statement)
        found |= (_dense if statement.binned is None else _dense_bins)(plan, statement, columns)
    return ExactTable({a: found[a] for a in plan.aggregates}, plan.cells, {e: found[e] for e in plan.evidence})


def exact_groups(plan: Plan, statements: Iterable[Statement], run: Run) -> ExactGroups:
    """statements: one, which counts rows."""
    (statement,) = statements
    *keys, counts = run(statement)
    cells = _cells(plan, keys)
    order = np.argsort(cells)
    inside = order[np.searchsorted(cells, 0, sorter=order) :]
    return ExactGroups(cells[inside], counts[inside])


def _cells(plan: Plan, columns: list[Integers]) -> Integers:
    """Row-major cell of each result row; −1 outside the key space (NULL bands, codes not shown)."""
    cell, outside = np.zeros(1, np.int64), np.zeros(1, bool)
    for place, (axis, column) in enumerate(zip(plan.axes, columns, strict=False)):
        shown = _shown(axis, column)
        if shown.min(initial=0) < 0:
            outside = outside | (shown < 0)
        # In place: fresh pages for a large result cost more than the arithmetic.
        if place:
            shown += cell * len(axis.positions)
        cell = shown
    return np.where(outside, -1, cell) if outside.any() else cell


def _shown(axis: Axis, column: Integers) -> Integers:
    """The place of each code among those that are shown, or −1."""
    last = max(axis.positions) + 1
    place = np.full(max(last + 1, SMALL.get(column.dtype.str, 0)), -1, np.int64)
    place[list(axis.positions)] = np.arange(len(axis.positions))
    # Codes beyond the last that is shown, and NULL, stand for a place that is −1.
    return place.take(column if column.dtype.str in SMALL else np.minimum(column, last))


def _dense(plan: Plan, statement: Statement, columns: list[Integers]) -> dict[Wanted, Integers]:
    cell = _cells(plan, columns[: len(plan.axes)]) if plan.axes else np.zeros(1, np.int64)
    numbers = iter(columns[len(plan.axes) :])
    rows = np.flatnonzero(cell >= 0) if cell.min(initial=0) < 0 else slice(None)
    found: dict[Wanted, Integers] = {}
    for wanted in statement.wanted:
        table = np.zeros((numbers_of(wanted), plan.cells), np.int64)
        for number in table:
            number[cell[rows]] = next(numbers)[rows]
        found[wanted] = np.ascontiguousarray(table.T)
    return found


def _dense_bins(plan: Plan, statement: Statement, columns: list[Integers]) -> dict[Wanted, Integers]:
    keys, (atom, count, *record_keys) = columns[: len(plan.axes)], columns[len(plan.axes) :]
    cell = _cells(plan, keys) if plan.axes else np.zeros(atom.size, np.int64)
    found: dict[Wanted, Integers] = {}
    for wanted in statement.wanted:
        counted, numbers = (wanted.of, record_keys[0]) if isinstance(wanted, RecordKeys) else (wanted, count)
        if not isinstance(counted, BinnedCount):
            raise TypeError("a binned statement holds binned counts only")
        place = np.full(len(plan.data_set.by_name[counted.variable].atoms) + 1, -1, np.int64)
        for i, group in enumerate(counted.bins):
            place[list(group)] = i
        inside = (cell >= 0) & (place[atom] >= 0)
        flat = np.zeros(plan.cells * len(counted.bins), np.int64)
        # Keys add up modulo 2⁶⁴, as the bits of int64 do.
        np.add.at(flat, cell[inside] * len(counted.bins) + place[atom[inside]], numbers[inside])
        found[wanted] = flat.reshape(plan.cells, -1)
    return found
