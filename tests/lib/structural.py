"""Rows for any catalogue: right in shape, codes and keys, and in nothing else.

Each pupil gets one code per variable for good (drawn with uneven weights, so that tables look like tables); numbers
are drawn anew for each row (not where the catalogue has them fixed), more often from the middle. The same catalogue,
size and seed give the same bytes.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets.catalogue import Catalogue, DataSet
from datasets.variables import Variable

SMALL = Path(__file__).with_name("small.toml")
"""A catalogue of two flat tables, with few codes."""
Indices = npt.NDArray[np.int64]


def generate(catalogue: Catalogue, pupils: int, seed: int, directory: Path) -> dict[str, Path]:
    """Write one CSV per data set; returns data set → file."""
    written = {}
    for data_set in catalogue.data_sets:
        path = directory / f"{data_set.id}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(_rows(data_set, pupils, seed))
        written[data_set.id] = path
    return written


def _rows(data_set: DataSet, pupils: int, seed: int) -> Iterator[list[str]]:
    columns = _columns(data_set)
    yield list(columns)
    several = data_set.key.time or data_set.key.unit is None
    for period in range(len(data_set.time_periods) if several and data_set.time_periods else 1):
        drawn = {name: _text(data_set, name, pupils, period, seed) for name in columns}
        yield from (list(row) for row in zip(*drawn.values(), strict=True))


def _columns(data_set: DataSet) -> dict[str, None]:
    """Every column that the file must have, in catalogue order."""
    names = [data_set.key.unit] if data_set.key.unit else []
    for v in data_set.own:
        names += [v.column, *(b.checked_against for b in v.bandings if b.checked_against)]
    return dict.fromkeys(names)


def _text(data_set: DataSet, column: str, pupils: int, period: int, seed: int) -> list[str]:
    if column == data_set.key.unit:
        return [f"P{i:09d}" for i in range(pupils)]
    for v in data_set.own:
        if v.column == column:
            return _values(v, pupils, 0 if v.name in data_set.fixed else period, seed)
        for b in v.bandings:
            if b.checked_against == column:
                band = {atom: code.code for code, group in zip(b.codes, b.groups, strict=True) for atom in group}
                return [band.get(int(a), "") for a in _atoms(v, pupils, period, seed)]
    raise ValueError(f"{column}: no variable of the catalogue is read from it")


def _values(v: Variable, pupils: int, period: int, seed: int) -> list[str]:
    if v.numbers:
        ticks = _stream(v, seed, period).triangular(
            v.numbers.lowest, (v.numbers.lowest + v.numbers.highest) / 2, v.numbers.highest, pupils
        )
        return [f"{v.numbers.step * int(t):f}" for t in ticks]
    in_file = {code: text for text, code in v.recode}
    codes = [in_file.get(a.code, a.code) for a in v.atoms]
    return [codes[a] for a in _atoms(v, pupils, period, seed)]


def _atoms(v: Variable, pupils: int, period: int, seed: int) -> Indices:
    if v.is_time:
        return np.full(pupils, period, np.int64)
    stream = _stream(v, seed, 0)
    weights = stream.gamma(4.0, size=len(v.atoms))
    return stream.choice(len(v.atoms), size=pupils, p=weights / weights.sum()).astype(np.int64)


def _stream(v: Variable, seed: int, period: int) -> np.random.Generator:
    """A stream of its own for each variable and period, so that adding one changes no other."""
    return np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(v.name.encode()) * 1000 + period]))
