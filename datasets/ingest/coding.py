"""From the texts of the files to what is stored. Each variable has a code table: text → fault and stored columns.

All texts of all files are in it, so that what is wrong with single values is known before any row is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from datasets.catalogue import DataSet
from datasets.ingest.columns import UNIT, Coded, Column, columns
from datasets.ingest.database import Database
from datasets.ingest.read import part_columns
from datasets.ingest.rules import Fault
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import PLACE, Staged
from datasets.ingest.ticks import bin_of, tick_of
from datasets.variables import Numbers, Variable

PAGE = 50_000
"""Rows of a code table that are in Python at a time."""


def texts_table(data_set: DataSet) -> Sql:
    """Columns: file (its number), place (of the column, see `part_columns`), text, records."""
    return name(f"texts:{data_set.id}")


def code_table(data_set: DataSet, variable: Variable) -> Sql:
    """Columns: text, fault, and the stored columns of the variable. A faulty text has none of these."""
    return name(f"codes:{data_set.id}.{variable.name}")


def fault_column(variable: str) -> Sql:
    return name(f"{variable}?")


def text_column(data_set: DataSet, column: str) -> Sql:
    return part_columns(data_set)[column]


def place_of(data_set: DataSet, column: str) -> Sql:
    return Sql(str([*part_columns(data_set)].index(column)))


def code(database: Database, staged: Staged) -> None:
    """Make the code tables of a data set."""
    texts = texts_table(staged.data_set)
    database.run(sql("CREATE TABLE {t} AS FROM {texts}", t=texts, texts=staged.texts))
    for variable in staged.data_set.own:
        _create_code_table(database, staged.data_set, variable)


def coded(
    staged: Staged, variables: Iterable[Variable], files: Sequence[int] | None = None, where: Sql | None = None
) -> Sql:
    """A query of the rows of these files, or of all: "?place", "unit", and of each variable its stored columns and
    "x?", its fault. where: a condition on "raw", the texts."""
    data_set, shown, joins = staged.data_set, [sql("raw.{place}", place=PLACE), sql("raw.{u}", u=name(UNIT))], []
    for variable in variables:
        alias = name(f"codes:{variable.name}")
        shown += [sql("{a}.{c}", a=alias, c=name(c.name)) for c in columns(data_set, variable)]
        shown.append(sql("{a}.fault AS {fault}", a=alias, fault=fault_column(variable.name)))
        joins.append(
            # Not an inner join: its order would be the optimizer's, which knows too little to find a good one.
            sql(
                "LEFT JOIN {table} {a} ON raw.{text} IS NOT DISTINCT FROM {a}.text",
                table=code_table(data_set, variable),
                a=alias,
                text=text_column(data_set, variable.column),
            )
        )
    query = "(SELECT {shown} FROM {raw} raw {joins} WHERE {where})"
    return sql(
        query, shown=listed(shown), raw=staged.records(files), joins=listed(joins, " "), where=where or Sql("true")
    )


def understand(variable: Variable) -> Callable[[str | None], Coded]:
    """What a text of the file means; None is an empty one."""
    return _number(variable, variable.numbers) if variable.numbers else _category(variable)


def _category(variable: Variable) -> Callable[[str | None], Coded]:
    place = {atom.code: i for i, atom in enumerate(variable.atoms)}
    recode = dict(variable.recode)

    def read(text: str | None) -> Coded:
        meant = variable.missing if text is None else recode.get(text, text)
        if meant is None:
            return Coded(Fault.MISSING_VALUE)
        return Coded(Fault.NONE, place[meant]) if meant in place else Coded(Fault.UNKNOWN_CODE)

    return read


def _number(variable: Variable, numbers: Numbers) -> Callable[[str | None], Coded]:
    absent = Coded(Fault.MISSING_VALUE)
    if numbers.optional:
        absent = Coded(Fault.NONE, len(variable.atoms) - 1 if variable.atoms else None)
    recode = dict(variable.recode)

    def read(text: str | None) -> Coded:
        # The catalogue lets a number be recoded to "missing" alone.
        if text is None or text in recode:
            return absent
        fault, tick = tick_of(text, numbers)
        return Coded(fault, bin_of(tick, numbers) if tick is not None and numbers.edges else None, tick)

    return read


def _create_code_table(database: Database, data_set: DataSet, variable: Variable) -> None:
    stored, table, read = columns(data_set, variable), code_table(data_set, variable), understand(variable)
    shape = listed(sql("{name} {type}", name=name(c.name), type=c.type) for c in stored)
    database.run(sql("CREATE TABLE {table} (text VARCHAR, fault UTINYINT, {shape})", table=table, shape=shape))
    for texts in _texts(database, data_set, variable):
        _insert(database, table, stored, texts, [read(text) for text in texts])


def _texts(database: Database, data_set: DataSet, variable: Variable) -> Iterator[list[str | None]]:
    """The distinct texts of a column: far fewer than records, and few at a time."""
    table = name(f"distinct:{data_set.id}.{variable.name}")
    distinct = sql(
        "CREATE TABLE {table} AS SELECT DISTINCT text FROM {texts} WHERE place = {place}",
        table=table,
        texts=texts_table(data_set),
        place=place_of(data_set, variable.column),
    )
    database.run(distinct)
    count = database.one(sql("SELECT count(*) FROM {table}", table=table))
    page = sql("SELECT text FROM {table} WHERE rowid >= $start AND rowid < $stop", table=table)
    for start in range(0, count, PAGE):
        yield [text for (text,) in database.run(page, start=start, stop=start + PAGE)]
    database.run(sql("DROP TABLE {table}", table=table))


def _insert(
    database: Database, table: Sql, stored: Sequence[Column], texts: Sequence[str | None], read: Sequence[Coded]
) -> None:
    values: dict[str, object] = {"texts": list(texts), "faults": [int(coded.fault) for coded in read]}
    gaps = []
    for i, column in enumerate(stored):
        values[f"v{i}"] = [column.value(coded) for coded in read]
        kind = Sql("BIGINT[]" if column.codes is None else "VARCHAR[]")
        gaps.append(sql("unnest({gap}::{kind})", gap=Sql(f"$v{i}"), kind=kind))
    insert = sql(
        "INSERT INTO {table} SELECT unnest($texts::VARCHAR[]), unnest($faults::UTINYINT[]), {gaps}",
        table=table,
        gaps=listed(gaps),
    )
    database.run(insert, **values)
