"""Derived columns, one variable after another, each over the rows that the one before made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import takewhile

from sqlglot import exp

from datasets.catalogue import DataSet
from datasets.catalogue_toml.numbers import MISSING
from datasets.derive.expression import Ever
from datasets.derive.sql import Columns, code, ticks
from datasets.ingest.columns import UNIT, Coded, Column, columns
from datasets.ingest.database import Database
from datasets.ingest.report import Problem
from datasets.ingest.rules import MISSING_VALUE, ORPHAN, OUT_OF_RANGE, Fault, Rule
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.variables import Numbers, Variable

VALUE = name("?value")


def derived(
    database: Database, data_set: DataSet, rows: Sql, flags: Mapping[Ever, str], before: Variable | None = None
) -> Sql:
    """The rows with the columns of every derived variable, or of those before one. flags: columns that hold `ever`."""
    names = names_of(data_set, flags)
    for variable in takewhile(lambda v: v != before, data_set.variables):
        if variable.derived is not None:
            rows = _with(database, data_set, variable, names, rows)
    return rows


def names_of(data_set: DataSet, flags: Mapping[Ever, str]) -> Columns:
    known = {v.name: v for v in data_set.variables}
    return Columns(known, exp.column(UNIT, quoted=True), _year(data_set), flags)


def _year(data_set: DataSet) -> exp.Expr | None:
    """Academic years that a derived variable looks back over are consecutive: their places count them."""
    if data_set.key.time is None:
        return None
    place = exp.Anonymous(this="enum_code", expressions=[exp.column(data_set.key.time, quoted=True)])
    return exp.cast(place, exp.DataType.Type.BIGINT)


def _with(database: Database, data_set: DataSet, variable: Variable, names: Columns, rows: Sql) -> Sql:
    # The expression is the catalogue's, not of the data, and SQLGlot quotes what stands in it.
    value = Sql(_expression(variable, names).sql(dialect="duckdb"))
    stored = columns(data_set, variable)
    shown = [_shown(variable, column) for column in stored]
    return sql(
        "(SELECT v.* EXCLUDE ({name}), {shown} FROM (SELECT *, {value} AS {name} FROM {rows}) v {join})",
        name=VALUE,
        shown=listed(shown),
        value=value,
        rows=rows,
        join=_join(database, data_set, variable),
    )


def _expression(variable: Variable, names: Columns) -> exp.Expr:
    if variable.derived is None:
        raise ValueError(f"{variable.name} is not derived")
    if variable.numbers is None:
        return code(variable.derived, names)
    return ticks(variable.derived, Fraction(variable.numbers.step), names)


def _shown(variable: Variable, column: Column) -> Sql:
    if column.codes is None:
        return sql("{ticks} AS {name}", ticks=_held(variable.numbers), name=name(column.name))
    value = sql("g.{name}", name=name(column.name))
    if variable.numbers and variable.numbers.optional and column.name == variable.stored_atoms:
        missing = Sql(str(column.codes.index(MISSING) + 1))
        absent = sql("list_extract(enum_range(NULL::{type}), {place})", type=column.type, place=missing)
        value = sql("CASE WHEN v.{v} IS NULL THEN {absent} ELSE {value} END", v=VALUE, absent=absent, value=value)
    return sql("{value} AS {name}", value=value, name=name(column.name))


def _held(numbers: Numbers | None) -> Sql:
    """A number beyond the range as the next to it, which fits the column; it is refused once all are there."""
    if numbers is None:
        raise ValueError("only numbers have ticks")
    low, high = (Sql(str(tick)) for tick in (numbers.lowest - 1, numbers.highest + 1))
    held = "CASE WHEN v.{v} < {low} THEN {low} WHEN v.{v} > {high} THEN {high} ELSE v.{v} END"
    return sql(held, v=VALUE, low=low, high=high)


def _join(database: Database, data_set: DataSet, variable: Variable) -> Sql:
    """To the table of its codes, or of its bins by their lower ends: each with its atom and bandings."""
    stored = [c for c in columns(data_set, variable) if c.codes is not None]
    if not stored:
        return Sql("")
    table = name(f"groups:{data_set.id}.{variable.name}")
    shape = listed(sql("{name} {type}", name=name(c.name), type=c.type) for c in stored)
    kind = Sql("BIGINT" if variable.numbers else "VARCHAR")
    database.run(sql("CREATE OR REPLACE TABLE {t} (key {kind}, {shape})", t=table, kind=kind, shape=shape))
    keys, meant = _keys(variable)
    values: dict[str, object] = {"keys": keys}
    gaps = []
    for i, column in enumerate(stored):
        values[f"v{i}"] = [column.value(coded) for coded in meant]
        gaps.append(sql("unnest({gap}::VARCHAR[])", gap=Sql(f"$v{i}")))
    insert = "INSERT INTO {t} SELECT unnest($keys::{kind}[]), {gaps}"
    database.run(sql(insert, t=table, kind=kind, gaps=listed(gaps)), **values)
    if variable.numbers:
        return sql("ASOF LEFT JOIN {t} g ON v.{value} >= g.key", t=table, value=VALUE)
    return sql("LEFT JOIN {t} g ON v.{value} IS NOT DISTINCT FROM g.key", t=table, value=VALUE)


def _keys(variable: Variable) -> tuple[list[str | int | None], list[Coded]]:
    if variable.numbers:
        lows = variable.numbers.edges[:-1]
        return list(lows), [Coded(Fault.NONE, i) for i in range(len(lows))]
    codes: list[str | int | None] = [atom.code for atom in variable.atoms]
    meant = [Coded(Fault.NONE, i) for i in range(len(codes))]
    if variable.missing is not None:
        return [*codes, None], [*meant, Coded(Fault.NONE, codes.index(variable.missing))]
    return codes, meant


def made_problems(database: Database, data_set: DataSet, table: Sql) -> Iterator[Problem]:
    """What is wrong with linked and derived values, once they are there: none missing that must not be, none beyond
    its range. An optional number without bins may be missing, whether or not its row was found."""
    for variable in data_set.variables:
        for rule, wrong in _wrong(variable):
            count = database.one(sql("SELECT count(*) FROM {t} WHERE {wrong}", t=table, wrong=wrong))
            if count:
                yield Problem(rule, data_set.id, variable.name, count)


def _wrong(variable: Variable) -> Iterator[tuple[Rule, Sql]]:
    column, numbers = name(variable.name), variable.numbers
    absent = sql("{column} IS NULL", column=column)
    if variable.is_own:
        return
    if numbers is None:
        yield ORPHAN if variable.linked else MISSING_VALUE, absent
        return
    if variable.derived is not None:
        yield OUT_OF_RANGE, _beyond(column, numbers)
    if not numbers.optional:
        yield ORPHAN if variable.linked else MISSING_VALUE, absent
    elif variable.linked and variable.atoms:
        yield ORPHAN, sql("{atom} IS NULL", atom=name(variable.stored_atoms))


def _beyond(column: Sql, numbers: Numbers) -> Sql:
    low, high = (Sql(str(tick)) for tick in (numbers.lowest, numbers.highest))
    return sql("{column} NOT BETWEEN {low} AND {high}", column=column, low=low, high=high)
