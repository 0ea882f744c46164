"""Results of statements → dense numbers over a plan's whole key space, whichever engine ran them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from datasets.plan import Plan
from datasets.sql import Statement, Wanted
from disclosure.aggregates import BinnedCount
from disclosure.evidence import RecordKeys, numbers_of
from disclosure.tables import ExactGroups, ExactTable, Integers

Run = Callable[[Statement], list[Integers]]
"""Runs a statement: columns of its result as int64, NULL as −1, numbers of 64 bits as the int64 of the same bits."""


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
    rows = columns[0].size if columns else 1
    cell, outside = np.zeros(rows, np.int64), np.zeros(rows, bool)
    for axis, column in zip(plan.axes, columns, strict=False):
        place = np.full(max(axis.positions) + 2, -1, np.int64)
        place[list(axis.positions)] = np.arange(len(axis.positions))
        shown = place[np.where(column < place.size - 1, column, -1)]
        outside |= shown < 0
        cell = cell * len(axis.positions) + shown
    return np.where(outside, -1, cell)


def _dense(plan: Plan, statement: Statement, columns: list[Integers]) -> dict[Wanted, Integers]:
    cell = _cells(plan, columns[: len(plan.axes)]) if plan.axes else np.zeros(1, np.int64)
    inside, numbers = cell >= 0, iter(columns[len(plan.axes) :])
    found: dict[Wanted, Integers] = {}
    for wanted in statement.wanted:
        table = np.zeros((plan.cells, numbers_of(wanted)), np.int64)
        for place in range(table.shape[1]):
            table[cell[inside], place] = next(numbers)[inside]
        found[wanted] = table
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
