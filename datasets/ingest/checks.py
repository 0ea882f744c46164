"""The checks of staged and coded data. Each finds problems of one rule; all run before anything is refused.

What is wrong with single values is seen in the code tables; rows are looked at for their places alone. Checks over
several rows go slice by slice (see `slices`), so that no table of a whole data set is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from datasets.catalogue import Reference
from datasets.ingest.coding import code_table, coded, fault_column, place_of, text_column, texts_table
from datasets.ingest.columns import UNIT, unit_and_period
from datasets.ingest.database import Database
from datasets.ingest.read import SHOWN
from datasets.ingest.report import Problem
from datasets.ingest.rules import (
    BEYOND_BOUND,
    IMPOSSIBLE,
    NOT_FIXED,
    ORPHAN,
    REPEATED_KEY,
    ROWS_PER_PERIOD,
    TOO_MANY_ROWS,
    Fault,
    Rule,
)
from datasets.ingest.slices import Rows, key_slices, rows_of, unit_slices
from datasets.ingest.sql import Sql, listed, name, sql
from datasets.ingest.staged import PLACE, Staged
from datasets.variables import Banding, Variable

Check = Callable[[Database, Staged, Mapping[str, Staged]], Iterator[Problem]]
"""A check of one data set, given all of the cut that could be staged."""
SOUND = Sql(f"(0, {int(Fault.ROUNDED)})")
UNITS_AT_ONCE = 20_000_000
"""Rows in a slice that is summed up by unit, of which there are far fewer."""
N = name("?n")


def check(database: Database, staged: Staged, every: Mapping[str, Staged]) -> Iterator[Problem]:
    """Every problem of a data set, of the files that could be read."""
    if staged.parts:
        for run in CHECKS:
            yield from run(database, staged, every)


def _faults(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Faults of single values: variables first, then bandings that are checked, then the unit."""
    data_set = staged.data_set
    for variable in data_set.own:
        for fault, n in _faulty_texts(database, staged, variable):
            where = sql("{k}.fault = {fault}", k=name(f"codes:{variable.name}"), fault=Sql(str(fault)))
            places = _first(database, coded(staged, [variable], where=where))
            yield Problem(Fault(fault).rule, data_set.id, variable.name, n, staged.places(places))
    for variable in data_set.own:
        for banding in variable.bandings:
            if banding.checked_against:
                yield from _contradictions(database, staged, variable, banding, banding.checked_against)
    if data_set.key.unit:
        where = sql("raw.{unit} IS NULL", unit=name(UNIT))
        yield from _counted(database, staged, Fault.MISSING_UNIT.rule, UNIT, Rows(coded(staged, [], where=where), {}))


def _faulty_texts(database: Database, staged: Staged, variable: Variable) -> list[tuple[int, int]]:
    query = sql(
        "SELECT k.fault, sum(t.records)::BIGINT FROM {codes} k JOIN {texts} t ON t.text IS NOT DISTINCT FROM k.text "
        "WHERE k.fault <> 0 AND t.place = {place} GROUP BY ALL ORDER BY ALL",
        codes=code_table(staged.data_set, variable),
        texts=texts_table(staged.data_set),
        place=place_of(staged.data_set, variable.column),
    )
    return [(fault, n) for fault, n in database.run(query)]


def _contradictions(
    database: Database, staged: Staged, variable: Variable, banding: Banding, column: str
) -> Iterator[Problem]:
    """A faulty value has one fault only: it contradicts nothing. An empty text says "in no band"."""
    subject = variable.stored_banding(banding)
    where = sql(
        "{k}.fault IN {sound} AND {k}.{band}::VARCHAR IS DISTINCT FROM raw.{text}",
        k=name(f"codes:{variable.name}"),
        sound=SOUND,
        band=name(subject),
        text=text_column(staged.data_set, column),
    )
    rows = Rows(coded(staged, [variable], where=where), {})
    yield from _counted(database, staged, Fault.CONTRADICTION.rule, subject, rows)


def _counted(database: Database, staged: Staged, rule: Rule, about: str, rows: Rows) -> Iterator[Problem]:
    """A problem, if there are any such rows."""
    count = sql("SELECT count(*), min({place}, $shown) FROM {rows}", place=PLACE, rows=rows.query)
    n, places = database.run(count, shown=SHOWN, **rows.values)[0]
    if n:
        yield Problem(rule, staged.data_set.id, about, n, staged.places(places))


def _first(database: Database, rows: Sql) -> list[int]:
    return list(database.one(sql("SELECT min({place}, $shown) FROM {rows}", place=PLACE, rows=rows), shown=SHOWN))


def _keys(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Where nothing completes the key of a pupil and period, it is unique if one row is allowed, else just counted.

    What is beyond a bound is left out when the table is written, and noted here.
    """
    key = staged.data_set.key
    period = unit_and_period(staged.data_set)
    if key.is_unique:
        yield from _crowded(database, staged, REPEATED_KEY, [*period, *key.also], 1)
    if key.unit is None:
        return
    if key.bounded:
        beyond = sum(
            _beyond(database, rows, period, key.rows_per_period) for rows in _key_rows(database, staged, period)
        )
        if beyond:
            yield Problem(BEYOND_BOUND, staged.data_set.id, None, beyond)
    elif key.also or key.rows_per_period > 1:
        yield from _crowded(database, staged, ROWS_PER_PERIOD, period, key.rows_per_period)


def _key_rows(database: Database, staged: Staged, keys: Sequence[str]) -> list[Rows]:
    variables = [staged.data_set.by_name[key] for key in keys if key != UNIT]
    return [rows_of(staged, variables, one) for one in key_slices(database, staged)]


def _crowds(rows: Rows, keys: Sequence[str]) -> Sql:
    """Keys with more than $allowed records, and how many they have."""
    return sql(
        "SELECT {keys}, count(*) AS {n} FROM {rows} WHERE {first} IS NOT NULL GROUP BY {keys} HAVING {n} > $allowed",
        keys=listed(map(name, keys)),
        first=name(keys[0]),
        rows=rows.query,
        n=N,
    )


def _beyond(database: Database, rows: Rows, keys: Sequence[str], allowed: int) -> int:
    crowded = _crowds(rows, keys)
    count = sql("SELECT coalesce(sum({n} - $allowed), 0)::BIGINT FROM ({crowded})", n=N, crowded=crowded)
    return int(database.one(count, allowed=allowed, **rows.values))


def _crowded(database: Database, staged: Staged, rule: Rule, keys: Sequence[str], allowed: int) -> Iterator[Problem]:
    """Records beyond the first `allowed` of the same key."""
    found, first = 0, list[int]()
    for rows in _key_rows(database, staged, keys):
        beyond = _beyond(database, rows, keys, allowed)
        if beyond:
            found += beyond
            first = sorted([*first, *_first_beyond(database, rows, keys, allowed)])[:SHOWN]
    if found:
        yield Problem(rule, staged.data_set.id, ", ".join(keys), found, staged.places(first))


def _first_beyond(database: Database, rows: Rows, keys: Sequence[str], allowed: int) -> list[int]:
    same = listed((sql("c.{k} IS NOT DISTINCT FROM g.{k}", k=name(k)) for k in keys), " AND ")
    beyond = sql(
        "SELECT {place} FROM (SELECT c.{place}, row_number() OVER (PARTITION BY {all} ORDER BY c.{place}) AS {n} "
        "FROM {rows} c JOIN ({crowded}) g ON {same}) WHERE {n} > $allowed ORDER BY {place} LIMIT $shown",
        all=listed(name("c", k) for k in keys),
        crowded=_crowds(rows, keys),
        same=same,
        n=N,
        rows=rows.query,
        place=PLACE,
    )
    return [place for (place,) in database.run(beyond, allowed=allowed, shown=SHOWN, **rows.values)]


def _fixed(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Records that differ from their pupil's first. Faulty values have a fault already; a missing number is a value."""
    for fixed in (v.name for v in staged.data_set.own if v.name in staged.data_set.fixed):
        found, first = 0, list[int]()
        for one in unit_slices(staged, UNITS_AT_ONCE):
            n, places = _differing(database, rows_of(staged, [staged.data_set.by_name[fixed]], one), fixed)
            found, first = found + n, sorted([*first, *places])[:SHOWN]
        if found:
            yield Problem(NOT_FIXED, staged.data_set.id, fixed, found, staged.places(first))


def _differing(database: Database, rows: Rows, fixed: str) -> tuple[int, list[int]]:
    value, unit = name(fixed), name(UNIT)
    sound = sql(
        "SELECT {unit}, {value}, {place} FROM {rows} WHERE {unit} IS NOT NULL AND {fault} IN {sound}",
        unit=unit,
        value=value,
        place=PLACE,
        rows=rows.query,
        fault=fault_column(fixed),
        sound=SOUND,
    )
    several = sql(
        "SELECT {unit} FROM ({sound}) GROUP BY {unit} "
        "HAVING min({value}) IS DISTINCT FROM max({value}) OR count({value}) NOT IN (0, count(*))",
        unit=unit,
        value=value,
        sound=sound,
    )
    if not database.one(sql("SELECT count(*) FROM ({several})", several=several), **rows.values):
        return 0, []
    differing = sql(
        "SELECT count(*), min({place}, $shown) FROM (SELECT {place}, {value} IS DISTINCT FROM "
        "first_value({value}) OVER (PARTITION BY {unit} ORDER BY {place}) AS differs "
        "FROM ({sound}) WHERE {unit} IN ({several})) WHERE differs",
        place=PLACE,
        value=value,
        unit=unit,
        sound=sound,
        several=several,
    )
    n, places = database.run(differing, shown=SHOWN, **rows.values)[0]
    return n, list(places)


def _orphans(database: Database, staged: Staged, every: Mapping[str, Staged]) -> Iterator[Problem]:
    """Missing values refer to nothing. Data sets with unreadable files are left out: all would look like orphans."""
    for reference in staged.data_set.references:
        target = every[reference.to]
        if target.problems or not target.parts:
            continue
        yield from _orphans_of(database, staged, target, reference)


def _orphans_of(database: Database, staged: Staged, target: Staged, reference: Reference) -> Iterator[Problem]:
    """Code tables hold what occurs, and nothing else."""
    own = staged.data_set.by_name[reference.variable]
    where = sql(
        "{k}.{own} IS NOT NULL AND {k}.{own}::VARCHAR IS DISTINCT FROM $missing AND {k}.{own}::VARCHAR NOT IN "
        "(SELECT {theirs}::VARCHAR FROM {codes} WHERE {theirs} IS NOT NULL)",
        k=name(f"codes:{own.name}"),
        own=name(own.name),
        theirs=name(reference.to_variable),
        codes=code_table(target.data_set, target.data_set.by_name[reference.to_variable]),
    )
    alias = "SELECT count(*) FROM {codes} {k} WHERE {where}"
    some = sql(alias, codes=code_table(staged.data_set, own), k=name(f"codes:{own.name}"), where=where)
    if database.one(some, missing=own.missing):
        rows = Rows(coded(staged, [own], where=where), {"missing": own.missing})
        yield from _counted(database, staged, ORPHAN, reference.variable, rows)


def _impossible(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Records in cells that nobody can be in. Faulty values have a fault already."""
    data_set = staged.data_set
    for one in data_set.impossible:
        values: dict[str, object] = {}
        parts = []
        for i, (variable, atoms) in enumerate(one.atoms):
            values[f"codes{i}"] = [data_set.by_name[variable].atoms[atom].code for atom in atoms]
            column = name(f"codes:{variable}", variable)
            parts.append(sql("list_contains({codes}, {c}::VARCHAR)", codes=Sql(f"$codes{i}"), c=column))
        variables = [data_set.by_name[variable] for variable, _ in one.atoms]
        rows = Rows(coded(staged, variables, where=listed(parts, " AND ")), values)
        yield from _counted(database, staged, IMPOSSIBLE, ", ".join(v.name for v in variables), rows)


def _rows(_: Database, staged: Staged, __: Mapping[str, Staged]) -> Iterator[Problem]:
    if staged.rows > staged.data_set.max_rows:
        yield Problem(TOO_MANY_ROWS, staged.data_set.id, None, staged.rows)


CHECKS: tuple[Check, ...] = (_rows, _faults, _keys, _fixed, _impossible, _orphans)
