"""The checks of staged and coded data. Each finds problems of one rule; all run before anything is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from datasets.ingest.coding import coded_table, fault_column, faulty
from datasets.ingest.columns import UNIT, unit_and_period
from datasets.ingest.database import Database
from datasets.ingest.read import PLACE, SHOWN, Staged
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
from datasets.ingest.sql import Sql, listed, name, sql

Check = Callable[[Database, Staged, Mapping[str, Staged]], Iterator[Problem]]
"""A check of one data set, given all of the cut that could be staged."""


def check(database: Database, staged: Mapping[str, Staged]) -> Iterator[Problem]:
    """Every problem of the data sets whose files could be read."""
    for one in staged.values():
        if one.tables:
            for run in CHECKS:
                yield from run(database, one, staged)


def _faults(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Faults of single values. Where a column has none, DuckDB knows it from block statistics and reads nothing."""
    data_set = staged.data_set
    for subject in faulty(data_set):
        count = sql(
            "SELECT {fault}, count(*), min({place}, $shown) FROM {coded} WHERE {fault} <> 0 GROUP BY ALL ORDER BY ALL",
            fault=fault_column(subject),
            place=PLACE,
            coded=coded_table(data_set),
        )
        for fault, n, places in database.run(count, shown=SHOWN):
            yield Problem(Fault(fault).rule, data_set.id, subject, n, staged.places(places))


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
        beyond = database.one(_beyond(staged, _crowds(staged, period)), allowed=key.rows_per_period)
        if beyond:
            yield Problem(BEYOND_BOUND, staged.data_set.id, None, beyond)
    elif key.also or key.rows_per_period > 1:
        yield from _crowded(database, staged, ROWS_PER_PERIOD, period, key.rows_per_period)


def _crowds(staged: Staged, keys: Sequence[str]) -> Sql:
    """Keys with more than $allowed records, and how many they have."""
    return sql(
        "SELECT {keys}, count(*) AS {n} FROM {coded} WHERE {first} IS NOT NULL GROUP BY {keys} HAVING {n} > $allowed",
        keys=listed(map(name, keys)),
        first=name(keys[0]),
        coded=coded_table(staged.data_set),
        n=name("?n"),
    )


def _beyond(staged: Staged, crowded: Sql) -> Sql:
    return sql("SELECT coalesce(sum({n} - $allowed), 0)::BIGINT FROM ({crowded})", n=name("?n"), crowded=crowded)


def _crowded(database: Database, staged: Staged, rule: Rule, keys: Sequence[str], allowed: int) -> Iterator[Problem]:
    """Records beyond the first `allowed` of the same key."""
    coded, n, crowded = coded_table(staged.data_set), name("?n"), _crowds(staged, keys)
    found = database.one(_beyond(staged, crowded), allowed=allowed)
    if found:
        same = listed((sql("c.{k} IS NOT DISTINCT FROM g.{k}", k=name(k)) for k in keys), " AND ")
        beyond = sql(
            "SELECT {place} FROM (SELECT c.{place}, row_number() OVER (PARTITION BY {all} ORDER BY c.{place}) AS {n} "
            "FROM {coded} c JOIN ({crowded}) g ON {same}) WHERE {n} > $allowed ORDER BY {place} LIMIT $shown",
            all=listed(name("c", k) for k in keys),
            crowded=crowded,
            same=same,
            n=n,
            coded=coded,
            place=PLACE,
        )
        places = [place for (place,) in database.run(beyond, allowed=allowed, shown=SHOWN)]
        yield Problem(rule, staged.data_set.id, ", ".join(keys), found, staged.places(places))


def _fixed(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Records that differ from their pupil's first. Faulty values have a fault already; a missing number is a value."""
    for fixed in (v.name for v in staged.data_set.own if v.name in staged.data_set.fixed):
        sound = sql(
            "SELECT {unit}, {value}, {place} FROM {coded} WHERE {unit} IS NOT NULL AND {fault} IN (0, {rounded})",
            unit=name(UNIT),
            value=name(fixed),
            place=PLACE,
            coded=coded_table(staged.data_set),
            fault=fault_column(fixed),
            rounded=Sql(str(int(Fault.ROUNDED))),
        )
        several = sql(
            "SELECT {unit} FROM ({sound}) GROUP BY {unit} "
            "HAVING min({value}) IS DISTINCT FROM max({value}) OR count({value}) NOT IN (0, count(*))",
            unit=name(UNIT),
            value=name(fixed),
            sound=sound,
        )
        differing = sql(
            "SELECT count(*), min({place}, $shown) FROM (SELECT {place}, {value} IS DISTINCT FROM "
            "first_value({value}) OVER (PARTITION BY {unit} ORDER BY {place}) AS differs "
            "FROM ({sound}) WHERE {unit} IN ({several})) WHERE differs",
            place=PLACE,
            value=name(fixed),
            unit=name(UNIT),
            sound=sound,
            several=several,
        )
        n, places = database.run(differing, shown=SHOWN)[0]
        if n:
            yield Problem(NOT_FIXED, staged.data_set.id, fixed, n, staged.places(places))


def _orphans(database: Database, staged: Staged, every: Mapping[str, Staged]) -> Iterator[Problem]:
    """Missing values refer to nothing. Data sets with unreadable files are left out: all would look like orphans."""
    data_set = staged.data_set
    for reference in data_set.references:
        target = every[reference.to]
        if target.problems or not target.tables:
            continue
        count = sql(
            "SELECT count(*), min({place}, $shown) FROM {coded} a ANTI JOIN {target} b "
            "ON a.{left}::VARCHAR = b.{right}::VARCHAR WHERE a.{left} IS NOT NULL "
            "AND a.{left}::VARCHAR IS DISTINCT FROM $missing",
            place=PLACE,
            coded=coded_table(data_set),
            target=coded_table(target.data_set),
            left=name(reference.variable),
            right=name(reference.to_variable),
        )
        missing = data_set.by_name[reference.variable].missing
        n, places = database.run(count, shown=SHOWN, missing=missing)[0]
        if n:
            yield Problem(ORPHAN, data_set.id, reference.variable, n, staged.places(places))


def _impossible(database: Database, staged: Staged, _: Mapping[str, Staged]) -> Iterator[Problem]:
    """Records in cells that nobody can be in. Faulty values have a fault already."""
    data_set = staged.data_set
    for one in data_set.impossible:
        values: dict[str, object] = {}
        parts = []
        for i, (variable, atoms) in enumerate(one.atoms):
            values[f"codes{i}"] = [data_set.by_name[variable].atoms[atom].code for atom in atoms]
            parts.append(sql("list_contains({codes}, {c}::VARCHAR)", codes=Sql(f"$codes{i}"), c=name(variable)))
        count = sql(
            "SELECT count(*), min({place}, $shown) FROM {coded} WHERE {inside}",
            place=PLACE,
            coded=coded_table(data_set),
            inside=listed(parts, " AND "),
        )
        n, places = database.run(count, shown=SHOWN, **values)[0]
        if n:
            names = ", ".join(variable for variable, _ in one.atoms)
            yield Problem(IMPOSSIBLE, data_set.id, names, n, staged.places(places))


def _rows(_: Database, staged: Staged, __: Mapping[str, Staged]) -> Iterator[Problem]:
    if staged.rows > staged.data_set.max_rows:
        yield Problem(TOO_MANY_ROWS, staged.data_set.id, None, staged.rows)


CHECKS: tuple[Check, ...] = (_rows, _faults, _keys, _fixed, _impossible, _orphans)
