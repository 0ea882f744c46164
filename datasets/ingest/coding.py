"""From the texts of the files to what is stored. Each variable has a code table: text → fault and stored columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from datasets.catalogue import DataSet
from datasets.ingest.columns import UNIT, Coded, Column, columns
from datasets.ingest.database import Database
from datasets.ingest.read import PLACE, Staged
from datasets.ingest.rules import Fault
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.ticks import bin_of, tick_of
from datasets.ingest.units import UNITS
from datasets.variables import Banding, Numbers, Variable

PAGE = 50_000
"""Rows of a code table that are in Python at a time."""


def coded_table(data_set: DataSet) -> Sql:
    """Columns: "?place" (see `read`), "unit", all stored columns, and "x?", the fault of x, for `faulty` x."""
    return name(f"coded:{data_set.id}")


def faulty(data_set: DataSet) -> tuple[str, ...]:
    """What can be wrong with single values: variables, bandings that are checked, the unit."""
    checked = [v.stored_banding(b) for v in data_set.own for b in v.bandings if b.checked_against]
    return (*(v.name for v in data_set.own), *checked, *([UNIT] if data_set.key.unit else []))


def fault_column(subject: str) -> Sql:
    return name(f"{subject}?")


def code(database: Database, staged: Staged, unit_type: Sql) -> None:
    """Make the coded table of a data set from its staged texts, which are dropped."""
    data_set = staged.data_set
    for variable in data_set.own:
        _create_code_table(database, staged, variable)
    shown = listed([sql("raw.{place}", place=PLACE), *_unit(staged, unit_type), *_selected(staged)])
    joins = listed((_join(staged, variable) for variable in data_set.own), " ")
    if staged.unit is not None:
        joins = listed([joins, sql("LEFT JOIN {u} units ON raw.{text} = units.unit", u=UNITS, text=staged.unit)], " ")
    create = sql(
        "CREATE TABLE {coded} AS SELECT {shown} FROM ({raw}) raw {joins}",
        coded=coded_table(data_set),
        shown=shown,
        raw=staged.records,
        joins=joins,
    )
    database.run(create, **staged.starts)
    staged.drop(database)


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


def _code_table(data_set: DataSet, variable: Variable) -> Sql:
    return name(f"codes:{data_set.id}.{variable.name}")


def _create_code_table(database: Database, staged: Staged, variable: Variable) -> None:
    stored = columns(staged.data_set, variable)
    shape = listed(sql("{name} {type}", name=name(c.name), type=c.type) for c in stored)
    table = _code_table(staged.data_set, variable)
    database.run(sql("CREATE TABLE {table} (text VARCHAR, fault UTINYINT, {shape})", table=table, shape=shape))
    meaning = understand(variable)
    _insert(database, table, stored, [None], [meaning(None)])
    for page in _numbers(database, staged, variable) if variable.numbers else _codes(variable):
        _insert(database, table, stored, page, [meaning(text) for text in page])


def _codes(variable: Variable) -> Iterator[Sequence[str]]:
    known = list(dict.fromkeys([*(atom.code for atom in variable.atoms), *(text for text, _ in variable.recode)]))
    return (known[i : i + PAGE] for i in range(0, len(known), PAGE))


def _numbers(database: Database, staged: Staged, variable: Variable) -> Iterator[Sequence[str]]:
    """The distinct texts of a numeric column: far fewer than records, and few at a time."""
    table = name(f"texts:{staged.data_set.id}.{variable.name}")
    distinct = sql(
        "CREATE TABLE {table} AS SELECT DISTINCT {text} AS text FROM ({raw}) WHERE {text} IS NOT NULL",
        table=table,
        text=staged.texts[variable.column],
        raw=staged.records,
    )
    database.run(distinct, **staged.starts)
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


def _unit(staged: Staged, unit_type: Sql) -> list[Sql]:
    if staged.unit is None:
        return []
    number = sql("units.rowid::{type} AS {unit}", type=unit_type, unit=name(UNIT))
    fault = sql(
        "CASE WHEN raw.{text} IS NULL THEN {missing} ELSE 0 END::UTINYINT AS {fault}",
        text=staged.unit,
        missing=_number_of(Fault.MISSING_UNIT),
        fault=fault_column(UNIT),
    )
    return [number, fault]


def _selected(staged: Staged) -> Iterator[Sql]:
    for variable in staged.data_set.own:
        codes = _codes_of(variable)
        stored = columns(staged.data_set, variable)
        yield from (sql("{codes}.{column}", codes=codes, column=name(c.name)) for c in stored)
        fault = fault_column(variable.name)
        # A text that is not in the code table is no code; numbers are all in theirs.
        unknown = _number_of(Fault.UNKNOWN_CODE)
        yield sql("coalesce({codes}.fault, {n})::UTINYINT AS {fault}", codes=codes, n=unknown, fault=fault)
        for banding in variable.bandings:
            if banding.checked_against:
                yield _contradiction(variable, banding, staged.texts[banding.checked_against])


def _contradiction(variable: Variable, banding: Banding, text: Sql) -> Sql:
    """A faulty value has one fault only: it contradicts nothing. An empty text says "in no band"."""
    return sql(
        "CASE WHEN {codes}.fault IN (0, {rounded}) AND {codes}.{band}::VARCHAR IS DISTINCT FROM raw.{text} "
        "THEN {contradiction} ELSE 0 END::UTINYINT AS {fault}",
        codes=_codes_of(variable),
        band=name(variable.stored_banding(banding)),
        rounded=_number_of(Fault.ROUNDED),
        contradiction=_number_of(Fault.CONTRADICTION),
        text=text,
        fault=fault_column(variable.stored_banding(banding)),
    )


def _number_of(fault: Fault) -> Sql:
    return Sql(str(int(fault)))


def _codes_of(variable: Variable) -> Sql:
    """The alias of a variable's code table; no column or other alias has a colon."""
    return name(f"codes:{variable.name}")


def _join(staged: Staged, variable: Variable) -> Sql:
    return sql(
        "LEFT JOIN {table} {codes} ON raw.{text} IS NOT DISTINCT FROM {codes}.text",
        table=_code_table(staged.data_set, variable),
        codes=_codes_of(variable),
        text=staged.texts[variable.column],
    )
