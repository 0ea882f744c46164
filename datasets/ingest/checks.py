"""The checks of staged and coded data. Each finds problems of one rule; all run before anything is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from datasets.ingest.coding import coded_table, fault_column, faulty
from datasets.ingest.columns import UNIT
from datasets.ingest.database import Database
from datasets.ingest.read import PLACE, SHOWN, Staged
from datasets.ingest.report import Problem
from datasets.ingest.rules import ORPHAN, REPEATED_KEY, ROWS_PER_PERIOD, TOO_MANY_ROWS, Fault, Rule
from datasets.ingest.sql import listed, name, sql

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
    """Where nothing completes the key of a pupil and period, it is unique if one row is allowed, else just counted."""
    key = staged.data_set.key
    if key.unit is None:
        return
    period = [UNIT, *([key.time] if key.time else [])]
    if key.also or key.rows_per_period == 1:
        yield from _crowded(database, staged, REPEATED_KEY, [*period, *key.also], 1)
    if key.also or key.rows_per_period > 1:
        yield from _crowded(database, staged, ROWS_PER_PERIOD, period, key.rows_per_period)


def _crowded(database: Database, staged: Staged, rule: Rule, keys: Sequence[str], allowed: int) -> Iterator[Problem]:
    """Records beyond the first `allowed` of the same key."""
    coded, n = coded_table(staged.data_set), name("?n")
    crowded = sql(
        "SELECT {keys}, count(*) AS {n} FROM {coded} WHERE {unit} IS NOT NULL GROUP BY {keys} HAVING {n} > $allowed",
        keys=listed(map(name, keys)),
        unit=name(UNIT),
        coded=coded,
        n=n,
    )
    count = sql("SELECT coalesce(sum({n} - $allowed), 0)::BIGINT FROM ({crowded})", n=n, crowded=crowded)
    found = database.one(count, allowed=allowed)
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


def _rows(_: Database, staged: Staged, __: Mapping[str, Staged]) -> Iterator[Problem]:
    if staged.rows > staged.data_set.max_rows:
        yield Problem(TOO_MANY_ROWS, staged.data_set.id, None, staged.rows)


CHECKS: tuple[Check, ...] = (_rows, _faults, _keys, _orphans)
