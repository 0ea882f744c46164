"""What the tests of the stores ask for, and the service database that they ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, create_engine, event, func, insert, select, text

from datasets.official.released import ReleasedCells
from disclosure.accounting import Event
from disclosure.tables import Measurement
from privacy_api.ports import (
    Person,
    Principal,
    Project,
    RegisteredTable,
    ReleasedTable,
    Request,
    Reserved,
    StoredRelease,
    Wanted,
)
from privacy_api.stores.audit import SqlAudit
from privacy_api.stores.database import open_database, reading
from privacy_api.stores.ledger import SqlLedger
from privacy_api.stores.projects import SqlProjects
from privacy_api.stores.saved_queries import SqlSavedQueries
from privacy_api.stores.schema import ledger, metadata, people, projects
from privacy_api.stores.tables import SqlTables

CUT = "npd-2024"
CAP = 1_000
EXETER = Project("exeter", "Absence in Devon", 600, frozenset({"ethnicity"}))
LEEDS = Project("leeds", "Attainment in Leeds", 600, frozenset())
ANN = Person("ann", 100)
KS4 = RegisteredTable(
    "ks4-by-la", "KS4 by LA & 'type'", "ks4", '{"groupBy":["la"]}', "0" * 64, "2026-03-01T09:30:00+00:00"
)


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Desk:
    """A service database in use: what a process of the service has in its hands."""

    url: str
    anchor: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.engine = open_database(self.url)
        self.ledger = SqlLedger(self.engine, self.anchor, clock=self.clock)
        self.projects = SqlProjects(self.engine)
        self.tables = SqlTables(self.engine)
        self.audit_anchor = self.anchor.with_name("audit-anchor.json")
        self.audit = SqlAudit(self.engine, self.audit_anchor, clock=self.clock)
        self.saved_queries = SqlSavedQueries(self.engine)

    def reopened(self) -> Desk:
        self.engine.dispose()
        return Desk(self.url, self.anchor, self.clock)

    def rows(self) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(ledger).order_by(ledger.c.seq)))

    def kinds(self) -> list[str]:
        return [row.kind for row in self.rows()]

    def spent(self) -> int:
        with reading(self.engine) as connection:
            return int(connection.execute(select(func.coalesce(func.sum(ledger.c.nano_rho), 0))).scalar_one())

    def answered(self, request: Request) -> StoredRelease:
        return self.stored(self.ledger.reserve(request))

    def stored(self, reserved: Reserved) -> StoredRelease:
        """With a table of its own where the ledger wants one."""
        request = reserved.request
        table = released_table(request.release) if request.scope and reserved.missing else None
        return self.ledger.store(reserved, measured(reserved), body_of(request.release), table)


def wanted(question: str, price: int) -> Wanted:
    return Wanted(Event("discrete_gaussian", 1, price, question))


def asking(
    release: str, prices: Mapping[str, int], project: Project = EXETER, person: str | None = None, **changes: Any
) -> Request:
    needs = tuple(wanted(question, price) for question, price in prices.items())
    request = Request(Principal("k2345678", project, person), CUT, CAP, release, f'{{"ask":"{release}"}}', needs)
    return replace(request, **changes)


def measurement(first: int = 0) -> Measurement:
    values = np.arange(first, first + 6, dtype=np.int64).reshape(3, 2)
    return Measurement(values, 2.5, values % 2 == 0)


def measured(reserved: Reserved) -> dict[str, Measurement]:
    return {each.question: measurement(place) for place, each in enumerate(reserved.missing)}


def released_table(release: str) -> ReleasedTable:
    """Its population names the release."""
    cells = ReleasedCells(np.array([0, 7, 2**63, 2**64 - 1, 5], np.uint64), np.array([0, 1, 0, 1, 1], np.bool_))
    return ReleasedTable(f'{{"release":"{release}"}}', cells)


def body_of(release: str) -> bytes:
    return f'{{"release":"{release}"}}'.encode()


def busy_day(desk: Desk) -> None:
    """A ledger with every kind of entry: paid for, in part for nothing, for nothing, failed, still open."""
    desk.answered(asking("r1", {"a": 10, "b": 20}))
    desk.ledger.fail(desk.ledger.reserve(asking("r2", {"c": 30}, person="ann")))
    desk.answered(asking("r3", {"a": 5, "d": 40}, LEEDS, "ann"))
    desk.answered(asking("r4", {"a": 10, "d": 1}))
    desk.ledger.reserve(asking("r5", {"e": 50}, LEEDS))


Rows = dict[Table, list[dict[str, Any]]]


def everything(connection: Connection) -> Rows:
    return {table: _content(connection, table) for table in metadata.sorted_tables}


def _content(connection: Connection, table: Table) -> list[dict[str, Any]]:
    rows = select(table).order_by(*table.primary_key)
    return [dict(row) for row in connection.execute(rows).mappings()]


def put_back(connection: Connection, rows: Rows) -> None:
    """These rows and no others, in the tables that are named."""
    for table in reversed(rows):
        connection.execute(table.delete())
    for table, content in rows.items():
        if content:
            connection.execute(insert(table), content)


def start_afresh(url: str, *founded: Project | Person) -> None:
    rows: Rows = {table: [] for table in metadata.sorted_tables}
    rows[projects] = [
        asdict(each) | {"grants": json.dumps(sorted(each.grants)), "tightening": "{}", "created": ""}
        for each in founded
        if isinstance(each, Project)
    ]
    rows[people] = [{"id": each.id, "cap": each.cap, "created": ""} for each in founded if isinstance(each, Person)]
    with behind_its_back(url) as connection:
        put_back(connection, rows)


@contextmanager
def behind_its_back(url: str) -> Iterator[Connection]:
    """The database as somebody sees it who holds its files: no trigger, no constraint between tables holds them."""
    engine = create_engine(url)
    event.listen(engine, "connect", _unhindered_postgres if engine.dialect.name == "postgresql" else _hurried_sqlite)
    try:
        with engine.begin() as connection, _without_fence(connection):
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _without_fence(connection: Connection) -> Iterator[None]:
    """PostgreSQL's does not fire for who replays a log; SQLite's is taken down and put up again."""
    if connection.dialect.name == "postgresql":
        yield
        return
    standing = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
    for name, _ in standing:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, statement in standing:
        connection.execute(text(statement))


def _unhindered_postgres(connection: Any, record: Any) -> None:
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.commit()


def _hurried_sqlite(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")
