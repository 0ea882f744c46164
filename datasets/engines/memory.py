"""The plain-Python engine: the definition of every aggregate, row by row. The oracle that other engines must equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from datasets.plan import Plan
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts, bins_of
from disclosure.evidence import Evidence, Largest, RecordKeys, numbers_of
from disclosure.tables import ExactGroups, ExactTable


@dataclass(frozen=True, slots=True)
class Row:
    """atoms: variable → atom. ticks: number → value in ticks, or None where it is missing. record_key: below 2⁶⁴."""

    unit: int
    atoms: Mapping[str, int]
    ticks: Mapping[str, int | None]
    record_key: int = 0


class MemoryEngine:
    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self._rows = rows

    def aggregate(self, plan: Plan) -> ExactTable:
        by_cell: list[list[Row]] = [[] for _ in range(plan.cells)]
        for row in self._rows[plan.data_set.id]:
            cell = _cell(row, plan)
            if cell is not None:
                by_cell[cell].append(row)
        tables = {a: np.zeros((plan.cells, bins_of(a)), np.int64) for a in plan.aggregates}
        for aggregate, table in tables.items():
            for cell, rows in enumerate(by_cell):
                table[cell] = _numbers(aggregate, rows)
        evidence = {e: np.zeros((plan.cells, numbers_of(e)), np.int64) for e in plan.evidence}
        for wanted, table in evidence.items():
            for cell, rows in enumerate(by_cell):
                table[cell] = _evidence(wanted, rows)
        return ExactTable(tables, plan.cells, evidence)

    def listed(self, plan: Plan) -> ExactGroups:
        counts = Counter(_cell(row, plan) for row in self._rows[plan.data_set.id])
        found = sorted((cell, count) for cell, count in counts.items() if cell is not None)
        cells, numbers = np.array(found, np.int64).reshape(-1, 2).T
        return ExactGroups(cells, numbers)

    def close(self) -> None:
        """Nothing is open."""


def _cell(row: Row, plan: Plan) -> int | None:
    if not plan.predicate.holds([row.atoms[v.name] for v in plan.data_set.domain]):
        return None
    cell = 0
    for axis in plan.axes:
        atom = row.atoms[axis.variable.name]
        place = next((i for i, group in enumerate(axis.groups) if atom in group), None)
        if place is None:
            return None
        cell = cell * len(axis.groups) + place
    return cell


def _numbers(aggregate: Aggregate, rows: Sequence[Row]) -> list[int]:
    match aggregate:
        case Count(present):
            return [sum(_has(row, present) for row in rows)]
        case DistinctCount(variable):
            return [len({row.unit if variable is None else row.atoms[variable] for row in rows})]
        case Sum(_, _, _, _, present):
            return [sum(_centred(row, aggregate) for row in rows if _has(row, present))]
        case SumOfProducts(left, right, origin):
            there = [row for row in rows if _has(row, aggregate.present)]
            return [sum(_centred(row, left) * _centred(row, right) - origin for row in there)]
        case BinnedCount(variable, bins):
            return [sum(row.atoms[variable] in group for row in rows) for group in bins]
        case _:
            assert_never(aggregate)


def _evidence(wanted: Evidence, rows: Sequence[Row]) -> list[int]:
    match wanted:
        case Largest(total, most):
            sizes: Counter[int] = Counter()
            for row in rows:
                if _has(row, total.present):
                    sizes[row.unit] += abs(_clamped(row, total))
            return sorted([*sizes.values(), *[0] * most], reverse=True)[:most]
        case RecordKeys(of):
            return [_signed(sum(row.record_key for row in counted)) for counted in _counted(of, rows)]
        case _:
            assert_never(wanted)


def _counted(by: Count | BinnedCount, rows: Sequence[Row]) -> list[list[Row]]:
    """The rows behind each number of a count."""
    match by:
        case Count(present):
            return [[row for row in rows if _has(row, present)]]
        case BinnedCount(variable, bins):
            return [[row for row in rows if row.atoms[variable] in group] for group in bins]
        case _:
            assert_never(by)


def _signed(total: int) -> int:
    """Modulo 2⁶⁴, as the int64 of the same bits."""
    return (total + 2**63) % 2**64 - 2**63


def _has(row: Row, present: Sequence[str]) -> bool:
    return all(row.ticks[name] is not None for name in present)


def _centred(row: Row, part: Sum) -> int:
    return _clamped(row, part) - part.origin


def _clamped(row: Row, part: Sum) -> int:
    ticks = row.ticks[part.variable]
    if ticks is None:
        raise ValueError("a variable without a value must be declared as one that may be missing")
    return min(max(ticks, part.lower), part.upper)
