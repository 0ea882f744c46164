"""What the generator knows, put into the columns that a catalogue's data set reads; what it does not, drawn from codes.

So no value is outside the catalogue, and a variable that the catalogue gains is filled without a change here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets.catalogue import DataSet
from datasets.variables import Banding, Numbers, Variable
from synthetic.in_use import in_use
from synthetic.npd.parquet import Coded, Column, Ids, Ticks
from synthetic.npd.streams import Ints

Known = Coded | npt.NDArray[Any]
"""Of each row a code; whether something holds; or a number in the variable's unit (NaN is missing)."""
EMPTY = 0.8
"""Share of empty values of what the generator knows nothing of."""
YES_NO = (("1", "0"), ("Y", "N"), ("yes", "no"), ("true", "false"))


def coded(texts: Sequence[str], index: npt.ArrayLike) -> Coded:
    """Codes by their places in `texts`; -1 is an empty value."""
    places = np.asarray(index)
    small = np.uint8 if len(texts) < 255 else np.uint16 if len(texts) < 65_535 else np.uint32
    return Coded(tuple(texts), np.where(places < 0, len(texts), places).astype(small))


def fitted(
    data_set: DataSet,
    ids: Ints,
    known: Mapping[str, Known],
    draw: Callable[[str], np.random.Generator],
    year: int | None = None,
) -> dict[str, Column]:
    """One column for each that the files of `data_set` must have. known: by name of the variable. draw: a stream for
    each variable that is not known. year: variables that were not collected in it are empty, where they may be."""
    columns: dict[str, Column] = {data_set.key.unit: Ids(ids)} if data_set.key.unit else {}
    for v in data_set.own:
        column: Column
        if _empty(v, year):
            column = coded((), np.full(len(ids), -1))
        elif v.name in known:
            column = _column(v, known[v.name])
        else:
            column = _drawn(v, len(ids), draw(v.name), year)
        columns[v.column] = column
        for banding in v.bandings:
            if banding.checked_against and isinstance(column, Coded):
                columns[banding.checked_against] = _band(v, banding, column)
    return columns


def _column(v: Variable, known: Known) -> Column:
    if v.numbers:
        if isinstance(known, Coded):
            raise ValueError(f"{v.name}: a number is asked for, not codes")
        return _ticks(v.numbers, known)
    if not isinstance(known, Coded):
        if known.dtype != np.bool_:
            raise ValueError(f"{v.name}: codes are asked for, not a number")
        known = _truth(v, known)
    may = {a.code for a in v.atoms} | {text for text, _ in v.recode}
    used = np.unique(known.index)
    outside = sorted({known.texts[i] for i in used if i < len(known.texts)} - may)
    if outside:
        raise ValueError(f"{v.name}: {', '.join(outside[:5])} not among the catalogue's codes")
    if len(known.texts) in used and v.missing is None:
        raise ValueError(f"{v.name}: the catalogue does not allow empty values")
    return known


def _truth(v: Variable, holds: npt.NDArray[Any]) -> Coded:
    may = {a.code for a in v.atoms}
    yes, no = next((pair for pair in YES_NO if may >= set(pair)), YES_NO[0])
    return coded((no, yes), holds)


def _ticks(numbers: Numbers, values: npt.NDArray[Any]) -> Ticks:
    """To the nearest step inside the valid range."""
    missing = np.isnan(values) if values.dtype.kind == "f" else None
    if missing is not None and not missing.any():
        missing = None
    filled = values if missing is None else np.where(missing, 0, values)
    ticks = np.round(filled / float(numbers.step)).astype(np.int64)
    return Ticks(numbers.step, np.clip(ticks, numbers.lowest, numbers.highest), missing)


def _may_be_empty(v: Variable) -> bool:
    return v.numbers.optional if v.numbers else v.missing is not None


def _empty(v: Variable, year: int | None) -> bool:
    if year is None or v.populated is None or not _may_be_empty(v):
        return False
    first, last = v.populated
    return year < first or (last is not None and year > last)


def _drawn(v: Variable, size: int, rng: np.random.Generator, year: int | None) -> Column:
    """Mostly empty where that is allowed, else mostly the first code, or what is not so; lower numbers more often."""
    if v.numbers:
        low, high = v.numbers.lowest, v.numbers.highest
        ticks = rng.triangular(low, low, high + 0.5, size).astype(np.int64)
        return Ticks(v.numbers.step, ticks, rng.random(size) < EMPTY if v.numbers.optional else None)
    codes = [a.code for a in v.atoms if a.code != v.missing and (year is None or in_use(a, year))]
    weights = 0.5 ** np.minimum(np.arange(len(codes)), 8)
    if {"1", "0"} == set(codes):
        weights[codes.index("1")] = 0.05
    weights = np.append(weights / weights.sum(), EMPTY / (1 - EMPTY) if v.missing is not None else 0)
    # A table of 65,536 places: so many values are drawn that searching for each would cost more than all the rest.
    reach = np.cumsum(weights) / weights.sum()
    places = np.minimum(np.searchsorted(reach, (np.arange(65_536) + 0.5) / 65_536), len(codes))
    table = coded(codes, np.where(places == len(codes), -1, places))
    return Coded(table.texts, table.index[rng.integers(0, 65_536, size, np.uint16)])


def _band(v: Variable, banding: Banding, column: Coded) -> Coded:
    """What a column that is checked against a banding must say."""
    place = {a.code: i for i, a in enumerate(v.atoms)}
    meant = {text: place[code] for text, code in v.recode} | place
    band = {atom: i for i, group in enumerate(banding.groups) for atom in group}
    empty = place.get(v.missing) if v.missing is not None else None
    bands = [band.get(meant[text], -1) if text in meant else -1 for text in column.texts]
    bands.append(-1 if empty is None else band.get(empty, -1))
    return coded([c.code for c in banding.codes], np.asarray(bands)[column.index])
