"""The published database: one table per data set, sorted, and verified once it is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from datasets.catalogue import DataSet
from datasets.ingest.coding import coded
from datasets.ingest.columns import (
    BOUND_RANK,
    RECORD_KEY,
    UNIT,
    Column,
    columns,
    create_types,
    stored_columns,
    unit_and_period,
)
from datasets.ingest.database import Database, IngestFailed, attached, read_only
from datasets.ingest.derived import derived, made_problems
from datasets.ingest.folder import database_name
from datasets.ingest.links import linked
from datasets.ingest.look_back import look_back
from datasets.ingest.ranks import rank
from datasets.ingest.record_keys import keyed
from datasets.ingest.report import Problem
from datasets.ingest.slices import Rows, Slice, periods, rows_of
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import PLACE, Staged


def out(data_set: str) -> Sql:
    """The published table of a data set, as long as its file is attached."""
    return name(_alias(data_set), "main", data_set)


def _alias(data_set: str) -> str:
    return f"out:{data_set}"


def write(database: Database, staged: Staged, sets: Mapping[str, DataSet], folder: Path, secret: str) -> list[Problem]:
    """The file of a data set in `folder`, where those that it links to are. Problems of linked and derived values.

    Sorted by time and `sort_by`, then by the unit's pseudonym, so that the order of the files is gone: period after
    period, so that no more is sorted at once.
    """
    data_set = staged.data_set
    drawn = _drawn(database, staged, secret)
    with ExitStack() as stack:
        for other in dict.fromkeys(link.to for link in data_set.links):
            stack.enter_context(attached(database, _alias(other), folder / database_name(other), read_only=True))
        stack.enter_context(attached(database, _alias(data_set.id), folder / database_name(data_set.id)))
        create_types(database, data_set, _alias(data_set.id))
        _insert(database, staged, sets, drawn)
        problems = list(made_problems(database, data_set, out(data_set.id)))
    for table in drawn:
        database.run(sql("DROP TABLE {t}", t=table))
    return problems


def in_order(data_sets: Sequence[DataSet]) -> list[DataSet]:
    """Each after those that it links to; the catalogue has no circles."""
    done: dict[str, DataSet] = {}
    while len(done) < len(data_sets):
        done |= {d.id: d for d in data_sets if d.id not in done and all(link.to in done for link in d.links)}
    return list(done.values())


def _insert(database: Database, staged: Staged, sets: Mapping[str, DataSet], drawn: Sequence[Sql]) -> None:
    data_set, slices = staged.data_set, periods(database, staged)

    def rows(of: Slice) -> Rows:
        made = rows_of(staged, data_set.own, of)
        query, values = linked(data_set, sets, _published(made.query, drawn), out)
        return Rows(query, {**made.values, **values})

    behind = look_back(database, data_set, slices, rows)
    for i, one in enumerate(slices):
        found = rows(one)
        stored = sql(
            "SELECT {stored} FROM {rows} {order}",
            stored=listed(_stored(data_set)),
            rows=derived(database, data_set, behind.with_flags(one, found.query), behind.flags),
            order=_order(data_set),
        )
        head = "INSERT INTO {table} {rows}" if i else "CREATE TABLE {table} AS {rows}"
        database.run(sql(head, table=out(data_set.id), rows=stored), **found.values)
    behind.drop(database)


def _order(data_set: DataSet) -> Sql:
    time = data_set.time.name if data_set.time else None
    order = [n for n in dict.fromkeys((*data_set.sort_by, *_unit(data_set))) if n != time]
    return sql("ORDER BY {keys}", keys=listed(map(name, order))) if order else Sql("")


def _stored(data_set: DataSet) -> list[Sql]:
    """Columns in the types that they are stored in: linked and derived ones are computed in others."""
    types = {c.name: c.type for v in data_set.variables if not v.is_own for c in columns(data_set, v)}
    return [
        sql("{c}::{type} AS {c}", c=name(column), type=types[column]) if column in types else name(column)
        for column in _columns(data_set)
    ]


def _published(rows: Sql, drawn: Sequence[Sql]) -> Sql:
    """Of these rows those that are published, with what was drawn for them."""
    joins = listed((sql("JOIN {t} USING ({place})", t=table, place=PLACE) for table in drawn), " ")
    return sql("(SELECT * FROM {rows} {joins})", rows=rows, joins=joins)


def _drawn(database: Database, staged: Staged, secret: str) -> list[Sql]:
    """Tables of what the secret makes of each published row, by its place."""
    found, data_set = list[Sql](), staged.data_set
    if data_set.key.bounded:
        found.append(rank(database, staged, secret))
    if data_set.record_keys:
        rows = _published(coded(staged, data_set.own), found)
        found.append(keyed(database, data_set, rows, secret))
    return found


def verify(path: Path, data_set: DataSet, rows: int) -> None:
    """Read the closed file as the service will: rows, columns and order of codes are as meant, or IngestFailed."""
    with read_only(path) as database:
        if not _as_meant(database, data_set, rows):
            raise IngestFailed(f"the database that was written is not as meant: data set {data_set.id}")


def _as_meant(database: Database, data_set: DataSet, rows: int) -> bool:
    table, stored = name(data_set.id), stored_columns(data_set)
    names = [column for (column, *_) in database.run(sql("DESCRIBE {table}", table=table))]
    whole = names == _columns(data_set) and _full(database, data_set, rows) and _bounded(database, data_set)
    return whole and all(_ordered(database, table, c) for c in stored)


def _full(database: Database, data_set: DataSet, rows: int) -> bool:
    """Every row is there, and has a unit, a code of each category, and a record key if there are any."""
    categories = (v.name for v in data_set.variables if v.numbers is None)
    never_null = [*_unit(data_set), *categories, *_record_key(data_set)]
    counts = listed([Sql("count(*)"), *(sql("count({column})", column=name(column)) for column in never_null)])
    found = database.run(sql("SELECT {counts} FROM {table}", counts=counts, table=name(data_set.id)))[0]
    return set(found) == {rows}


def _bounded(database: Database, data_set: DataSet) -> bool:
    """No pupil has more rows in a period than the key says: the claim that all noise rests on."""
    if not data_set.key.bounded:
        return True
    keys = listed(map(name, unit_and_period(data_set)))
    count = sql("SELECT count(*) AS n FROM {table} GROUP BY {keys}", table=name(data_set.id), keys=keys)
    most = database.one(sql("SELECT coalesce(max(n), 0) FROM ({count})", count=count))
    return bool(most <= data_set.key.rows_per_period)


def _ordered(database: Database, table: Sql, column: Column) -> bool:
    """The place of a code in its ENUM is its place in the catalogue: engines count by it."""
    if column.codes is None:
        return True
    members = sql("SELECT enum_range({column}) FROM {table} LIMIT 1", column=name(column.name), table=table)
    return tuple(database.one(members)) == column.codes


def _columns(data_set: DataSet) -> list[str]:
    rank = [BOUND_RANK] if data_set.key.bounded else []
    return [*_unit(data_set), *(c.name for c in stored_columns(data_set)), *rank, *_record_key(data_set)]


def _record_key(data_set: DataSet) -> list[str]:
    return [RECORD_KEY] if data_set.record_keys else []


def _unit(data_set: DataSet) -> list[str]:
    return [UNIT] if data_set.key.unit else []
