"""What real files have and clean ones lack, in doses: `messiness` from 0 to 1. Everything spoilt is counted.

Missing values and corrected ethnic groups stand in the files, which ingest takes as they are. More pupils than usual
come late and have two registrations. Duplicates and late corrections would be refused (two rows of one key), so they
stand apart, in `mess/`, for who wants to see that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datasets.catalogue import DataSet
from synthetic.npd.parquet import Coded, Column, Ids, Ticks
from synthetic.npd.streams import Bools, Ints

MISSING, REPEATED, CORRECTED, RECODED = 0.05, 0.005, 0.005, 0.015
"""Shares at messiness 1: of optional values, of rows, of rows, of pupils."""
MORE_LATE, MORE_DUAL = 0.13, 0.03
SPOILT = {
    "census": {"primary_need", "secondary_need"},
    "registrations": set[str](),
    "ks1": set[str](),
    "ks2": {"average_score"},
    "cin": set[str](),
    "cla": set[str](),
}
"""Data sets that lose values, and of each the variables that keep theirs: rules of the data rest on them."""
Draw = Callable[[str], np.random.Generator]


def emptied(
    data_set: DataSet, columns: dict[str, Column], draw: Draw, messiness: float
) -> tuple[dict[str, Column], int]:
    """With some values gone, and how many."""
    if not messiness or data_set.id not in SPOILT:
        return columns, 0
    found, lost = dict(columns), 0
    for v in data_set.own:
        optional = v.numbers.optional if v.numbers else v.missing is not None
        column = columns[v.column]
        if optional and v.name not in SPOILT[data_set.id] and not isinstance(column, Ids):
            gone = draw(f"missing.{v.name}").random(_rows(column)) < MISSING * messiness
            gone &= ~_empty(column)
            found[v.column], lost = _without(column, gone), lost + int(gone.sum())
    return found, lost


def _rows(column: Coded | Ticks) -> int:
    return len(column.index if isinstance(column, Coded) else column.ticks)


def _empty(column: Coded | Ticks) -> Bools:
    if isinstance(column, Coded):
        return np.asarray(column.index == len(column.texts))
    return np.zeros(len(column.ticks), np.bool_) if column.missing is None else column.missing


def _without(column: Coded | Ticks, gone: Bools) -> Column:
    if isinstance(column, Coded):
        return Coded(column.texts, np.where(gone, len(column.texts), column.index).astype(column.index.dtype))
    return Ticks(column.step, column.ticks, gone if column.missing is None else column.missing | gone)


def some(rng: np.random.Generator, rows: int, share: float) -> Ints:
    return np.flatnonzero(rng.random(rows) < share)


def picked(column: Column, rows: Ints) -> Column:
    if isinstance(column, Coded):
        return Coded(column.texts, column.index[rows])
    if isinstance(column, Ids):
        return Ids(column.numbers[rows])
    return Ticks(column.step, column.ticks[rows], None if column.missing is None else column.missing[rows])


def corrected(columns: dict[str, Column], column: str) -> dict[str, Column]:
    """The same rows supplied again, with the other code of a variable of two."""
    of = columns[column]
    if not isinstance(of, Coded):
        return columns
    return columns | {column: Coded(of.texts, np.where(of.index < 2, 1 - of.index.astype(np.int64), of.index))}
