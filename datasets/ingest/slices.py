"""Slices of a data set's rows that are looked at, or written, one after another, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from datasets.ingest.coding import code_table, coded, place_of, text_column, texts_table
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import Staged
from datasets.variables import Variable

AT_ONCE = 8_000_000
"""Rows of a slice, so far as pupils can be told apart."""


@dataclass(frozen=True, slots=True)
class Slice:
    """periods: codes of time periods; none: all rows where there is no time, or those whose period is faulty.

    files: numbers of those that have such rows. texts: how they say so, where they have other rows too. unit_part:
    (i, n): every n-th unit only, from the i-th.
    """

    periods: tuple[str, ...]
    files: tuple[int, ...]
    rows: int
    texts: tuple[str, ...] = ()
    empty: bool = False
    whole: bool = True
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
        return [Slice((), tuple(staged.parts), staged.rows)]
    query = sql(
        "SELECT k.{time}::VARCHAR, list(DISTINCT t.file ORDER BY t.file), sum(t.records)::BIGINT, "
        "list(DISTINCT t.text) FILTER (k.fault = 0 AND t.text IS NOT NULL), bool_or(t.text IS NULL) "
        "FROM {texts} t JOIN {codes} k ON t.text IS NOT DISTINCT FROM k.text WHERE t.place = {column} "
        "GROUP BY k.{time} ORDER BY k.{time} NULLS LAST",
        time=name(data_set.time.name),
        texts=texts_table(data_set),
        codes=code_table(data_set, data_set.time),
        column=place_of(data_set, data_set.time.column),
    )
    return [
        Slice(
            periods=() if code is None else (code,),
            files=tuple(files),
            rows=rows,
            texts=tuple(texts or ()),
            empty=empty,
            whole=sum(staged.parts[i].rows for i in files) == rows,
        )
        for code, files, rows, texts, empty in database.run(query)
    ]


def unit_slices(staged: Staged, at_once: int) -> list[Slice]:
    """Slices of all rows by units, of all periods together."""
    return list(_by_unit(Slice((), tuple(staged.parts), staged.rows), at_once))


def key_slices(database: Database, staged: Staged) -> list[Slice]:
    """Slices such that rows of one unit and period are in one: periods, and units within large ones."""
    data_set = staged.data_set
    slices = periods(database, staged) if data_set.key.time else unit_slices(staged, AT_ONCE)
    if data_set.key.unit is None:
        return slices
    return [part for one in slices for part in _by_unit(one, AT_ONCE)]


def _by_unit(of: Slice, at_once: int) -> Iterator[Slice]:
    parts = 1 + of.rows // at_once
    yield from (replace(of, unit_part=(i, parts)) for i in range(parts))


def rows_of(staged: Staged, variables: Sequence[Variable], of: Slice) -> Rows:
    """The coded rows of a slice."""
    time, wheres = staged.data_set.time, [Sql("true")]
    values: dict[str, object] = {}
    if time is not None and not of.whole:
        variables = [time, *(v for v in variables if v != time)]
        if of.periods:
            values = {f"period{i}": text for i, text in enumerate(of.texts)}
            wheres.append(_said(text_column(staged.data_set, time.column), of))
        else:
            wheres.append(sql("{k} IS NULL", k=name(f"codes:{time.name}", time.name)))
    if of.unit_part != (0, 1):
        part, parts = (Sql(str(number)) for number in of.unit_part)
        wheres.append(sql("coalesce(raw.{unit}, 0) % {n} = {i}", unit=name(UNIT), n=parts, i=part))
    return Rows(coded(staged, variables, of.files, listed(wheres, " AND ")), values)


def _said(column: Sql, of: Slice) -> Sql:
    """A condition that the scan itself can look up: where a file is sorted by time, it skips the rest."""
    texts = listed(Sql(f"$period{i}") for i in range(len(of.texts)))
    conditions = [sql("raw.{c} IN ({texts})", c=column, texts=texts)] if of.texts else []
    conditions += [sql("raw.{c} IS NULL", c=column)] if of.empty else []
    return sql("({any})", any=listed(conditions, " OR "))
