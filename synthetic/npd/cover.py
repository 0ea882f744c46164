"""Coverage: every code of every variable that is in use in a year occurs in the first file of the year.

Codes that nobody has are put on rows with the commonest one. Left as they are: keys, schools and authorities, and
provision, whose codes go with those of other data sets.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.catalogue import DataSet
from datasets.variables import Variable
from synthetic.in_use import in_use
from synthetic.npd.fit import coded
from synthetic.npd.parquet import Coded, Column
from synthetic.npd.streams import Ints

APART = frozenset(
    {
        "sen_provision",
        "provision",
        "sen_at_the_time",
        "sex",
        "ethnicity",
        "ethnicity_detail",
        "month_of_birth",
        "home_la",
    }
)
"""Beside keys and places: they occur by themselves (20,000 pupils have them all), and rules tie them to other rows."""


EMPTY_FOR_A_REASON = frozenset({"primary_need", "secondary_need"})
"""Whoever has no provision has no need."""


def coverable(data_set: DataSet) -> Iterator[Variable]:
    key = {data_set.key.time, *data_set.key.also}
    for v in data_set.own:
        if not v.numbers and v.name not in key | APART and v.level is None and v.column != data_set.key.unit:
            yield v


def wanted(v: Variable, year: int) -> list[str]:
    """Codes that the files of a year should have."""
    if v.populated and v.missing is not None:
        first, last = v.populated
        if year < first or (last is not None and year > last):
            return []
    return [a.code for a in v.atoms if a.code != v.missing and in_use(a, year)]


def covered(data_set: DataSet, columns: dict[str, Column], year: int) -> dict[str, Column]:
    """Raises ValueError where the file has too few rows for the codes."""
    found = dict(columns)
    if data_set.public:
        return found
    for v in coverable(data_set):
        column = found[v.column]
        if isinstance(column, Coded) and (lacking := _lacking(column, v, year)):
            found[v.column] = _with(column, lacking, f"{data_set.id}.{v.name}")
            for banding in v.bandings:
                if banding.checked_against:
                    raise ValueError(f"coverage: {data_set.id}.{v.name} has a column that is checked against it")
    _regroup(data_set, columns, found)
    return found


def _lacking(column: Coded, v: Variable, year: int) -> list[str]:
    meant = dict(v.recode)
    there = {column.texts[i] for i in np.unique(column.index) if i < len(column.texts)}
    there |= {meant[text] for text in there if text in meant}
    return [code for code in wanted(v, year) if code not in there]


def _with(column: Coded, codes: list[str], name: str) -> Column:
    numbers = np.bincount(column.index, minlength=len(column.texts) + 1)
    common = int(np.argmax(numbers[:-1])) if numbers[:-1].sum() else len(column.texts)
    rows = np.flatnonzero(column.index == common)[1:]
    if name.rpartition(".")[2] not in EMPTY_FOR_A_REASON:
        rows = np.concatenate([rows, np.flatnonzero(column.index == len(column.texts))])
    if len(rows) < len(codes):
        raise ValueError(f"coverage: wants more pupils: {name} has {len(codes)} codes that nobody has")
    texts = (*column.texts, *codes)
    index: Ints = np.where(column.index == len(column.texts), -1, column.index.astype(np.int64))
    index[rows[: len(codes)]] = np.arange(len(column.texts), len(texts))
    return coded(texts, index)


def _regroup(data_set: DataSet, before: dict[str, Column], after: dict[str, Column]) -> None:
    """A language's group follows from it."""
    if data_set.id != "census" or not {"language", "language_group"} <= set(data_set.by_name):
        return
    v, group = data_set.by_name["language"], data_set.by_name["language_group"].column
    language, banding = after[v.column], v.banding("group")
    if not isinstance(language, Coded) or banding is None:
        return
    of = {v.atoms[a].code: banding.codes[i].code for i, atoms in enumerate(banding.groups) for a in atoms}
    texts = tuple(c.code for c in banding.codes)
    places = np.array([*(texts.index(of[t]) if t in of else -1 for t in language.texts), -1])
    after[group] = coded(texts, places[language.index])
