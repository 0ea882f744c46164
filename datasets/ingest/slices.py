"""Slices of a data set's rows that are looked at, or written, one after another, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datasets.ingest.coding import code_table, coded, place_of, texts_table
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import Staged
from datasets.variables import Variable

AT_ONCE = 8_000_000
"""Rows of a slice, so far as pupils can be told apart."""


@dataclass(frozen=True, slots=True)
class Slice:
    """period: code of the time period, or None: of all rows where there is no time, or of those whose period is faulty.

    files: numbers of those that have such rows. whole: all rows of these files are meant. unit_part: (i, n): every n-th
    unit only, from the i-th.
    """

    period: str | None
    files: tuple[int, ...]
    rows: int
    whole: bool
    unit_part: tuple[int, int] = (0, 1)


@dataclass(frozen=True, slots=True)
class Rows:
    """A query, and what it binds."""

    query: Sql
    values: Mapping[str, object]


def periods(database: Database, staged: Staged) -> list[Slice]:
    """One for each time period that occurs, in the catalogue's order, then one for what is faulty."""
    data_set = staged.data_set
    if data_set.time is None:
        return [Slice(None, tuple(staged.parts), staged.rows, True)]
    query = sql(
        "SELECT k.{time}::VARCHAR, list(DISTINCT t.file ORDER BY t.file), sum(t.records)::BIGINT "
        "FROM {texts} t JOIN {codes} k ON t.text IS NOT DISTINCT FROM k.text WHERE t.place = {column} "
        "GROUP BY k.{time} ORDER BY k.{time} NULLS LAST",
        time=name(data_set.time.name),
        texts=texts_table(data_set),
        codes=code_table(data_set, data_set.time),
        column=place_of(data_set, data_set.time.column),
    )
    found = database.run(query)
    return [Slice(code, tuple(files), rows, _rows(staged, files) == rows) for code, files, rows in found]


def unit_slices(staged: Staged, at_once: int) -> list[Slice]:
    """Slices of all rows by units, of all periods together."""
    return list(_by_unit(Slice(None, tuple(staged.parts), staged.rows, True), at_once))


def key_slices(database: Database, staged: Staged) -> list[Slice]:
    """Slices such that rows of one unit and period are in one: periods, and units within large ones."""
    data_set = staged.data_set
    slices = periods(database, staged) if data_set.key.time else unit_slices(staged, AT_ONCE)
    if data_set.key.unit is None:
        return slices
    return [part for one in slices for part in _by_unit(one, AT_ONCE)]


def rows_of(staged: Staged, variables: Sequence[Variable], of: Slice) -> Rows:
    """The coded rows of a slice."""
    time, values, wheres = staged.data_set.time, dict[str, object](), [Sql("true")]
    if time is not None and not of.whole:
        values["period"] = of.period
        variables = [*variables, *([] if time in variables else [time])]
        wheres.append(
            sql("{k}.{time}::VARCHAR IS NOT DISTINCT FROM $period", k=name(f"codes:{time.name}"), time=name(time.name))
        )
    if of.unit_part != (0, 1):
        part, parts = (Sql(str(number)) for number in of.unit_part)
        wheres.append(sql("coalesce(raw.{unit}, 0) % {n} = {i}", unit=name(UNIT), n=parts, i=part))
    return Rows(coded(staged, variables, of.files, listed(wheres, " AND ")), values)


def _by_unit(of: Slice, at_once: int) -> Iterator[Slice]:
    parts = 1 + of.rows // at_once
    yield from (replace(of, unit_part=(i, parts)) for i in range(parts))


def _rows(staged: Staged, files: Sequence[int]) -> int:
    return sum(staged.parts[i].rows for i in files)
