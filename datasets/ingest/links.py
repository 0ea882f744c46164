"""Linked columns: of the one row of another data set that each row belongs to, or of none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from datasets.catalogue import DataSet, Link
from datasets.catalogue_toml.links import start
from datasets.catalogue_toml.numbers import MISSING
from datasets.ingest.columns import UNIT, Column, columns
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.variables import TimePeriod, Variable

TableOf = Callable[[str], Sql]
"""Where the finished table of a data set is."""
Values = dict[str, object]


def linked(data_set: DataSet, sets: Mapping[str, DataSet], rows: Sql, table_of: TableOf) -> tuple[Sql, Values]:
    """The rows with the columns of every link, and what is to be bound.

    The other's row is unique by its key (see `catalogue_toml.links`), so no row is multiplied or lost.
    """
    shown, joins, values = [Sql("r.*")], list[Sql](), Values()
    for link in data_set.links:
        target, alias = sets[link.to], name(f"link:{link.name}")
        for theirs, here in link.take:
            shown += _taken(data_set, data_set.by_name[here], target, target.by_name[theirs], link, alias)
        joins.append(_join(data_set, target, link, table_of(link.to), alias, values))
    if not joins:
        return rows, values
    query = "(SELECT {shown} FROM {rows} r {joins})"
    return sql(query, shown=listed(shown), rows=rows, joins=listed(joins, " ")), values


def _taken(
    data_set: DataSet, variable: Variable, target: DataSet, theirs: Variable, link: Link, alias: Sql
) -> list[Sql]:
    found = []
    for column, source in zip(columns(data_set, variable), columns(target, theirs), strict=True):
        value = sql("{alias}.{source}::{type}", alias=alias, source=name(source.name), type=column.type)
        if link.missing and column.name == variable.stored_atoms:
            value = sql("coalesce({value}, {absent})", value=value, absent=_absent(variable, column, link))
        found.append(sql("{value} AS {name}", value=value, name=name(column.name)))
    return found


def _absent(variable: Variable, column: Column, link: Link) -> Sql:
    """The member of the ENUM for rows without such a row, by its place."""
    code = MISSING if variable.numbers or link.missing is None else link.missing.code
    place = Sql(str((column.codes or ()).index(code) + 1))
    return sql("list_extract(enum_range(NULL::{type}), {place})", type=column.type, place=place)


def _join(data_set: DataSet, target: DataSet, link: Link, table: Sql, alias: Sql, values: Values) -> Sql:
    keys = [] if target.public else [sql("r.{unit} = {alias}.{unit}", unit=name(UNIT), alias=alias)]
    for own, theirs in link.on:
        keys.append(
            sql(
                "{place} = enum_code({alias}.{theirs})",
                place=_place(data_set.by_name[own], target.by_name[theirs], link, values),
                alias=alias,
                theirs=name(theirs),
            )
        )
    wheres = []
    for theirs, code in link.where:
        wheres.append(sql("{theirs} = {code}::VARCHAR", theirs=name(theirs), code=_bound(values, code)))
    where = sql("WHERE {all}", all=listed(wheres, " AND ")) if wheres else Sql("")
    query = "LEFT JOIN (SELECT * FROM {table} {where}) {alias} ON {keys}"
    return sql(query, table=table, where=where, alias=alias, keys=listed(keys, " AND ") if keys else Sql("true"))


def _place(own: Variable, theirs: Variable, link: Link, values: Values) -> Sql:
    """Where the code of a row, so many years before, stands among the other's codes."""
    places = positions(own, theirs, link.years_before if own.is_time and theirs.is_time else 0)
    place = sql("enum_code(r.{own})", own=name(own.stored_atoms))
    if places == list(range(len(own.atoms))):
        return place
    return sql("list_extract({places}::INTEGER[], {place} + 1)", places=_bound(values, places), place=place)


def _bound(values: Values, value: object) -> Sql:
    """Its place is its name: names of links and variables, joined, could be those of others."""
    called = f"link{len(values)}"
    values[called] = value
    return Sql(f"${called}")


def positions(own: Variable, theirs: Variable, years_before: int) -> list[int | None]:
    """For each atom the place of the other's that agrees with it; None where there is none."""
    if not years_before:
        place = {atom.code: i for i, atom in enumerate(theirs.atoms)}
        return [place.get(atom.code) for atom in own.atoms]
    years = {start(p): i for i, p in enumerate(theirs.atoms) if isinstance(p, TimePeriod)}
    begins = [start(p) if isinstance(p, TimePeriod) else None for p in own.atoms]
    return [None if year is None else years.get(year - years_before) for year in begins]
