"""Opening the service database, and the only two ways to use it: a snapshot to read, a serialised write."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from privacy_api.ports import LedgerBroken

WAIT_SECONDS = 30
WRITER_LOCK = 0x6E70645F
"""Any constant: the key of the advisory lock that PostgreSQL writers take turns by."""

UNUSABLE = (
    "The service database cannot be read or written, so nothing can be answered. "
    "Check that it is reachable, has room on its disk and is not held by another program, then ask again."
)


class DatabaseRefused(ValueError):
    """This URL cannot be the service database; the message says why."""


def open_database(url: str) -> Engine:
    """``sqlite:///path`` or ``postgresql+psycopg://…``; raises DatabaseRefused."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseRefused("The database URL cannot be read; write sqlite:///path/to/file.db") from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _open_sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _open_postgres(parsed.set(drivername="postgresql+psycopg"))
    raise DatabaseRefused(
        f"The service database cannot be {parsed.drivername}; use sqlite:///… or postgresql+psycopg://…"
    )


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One unchanging snapshot; inside of `together`, what that has written too. LedgerBroken if the database fails."""
    if (joined := _joined(engine)) is not None:
        yield joined
        return
    postgres = engine.dialect.name == "postgresql"
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ") if postgres else engine
    with _failing_closed(), snapshot.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees everything committed and that no other writer overlaps; LedgerBroken if it fails.

    Inside of `together` it is part of that one.
    """
    if (joined := _joined(engine)) is not None:
        yield joined
        return
    with _failing_closed(), taking_turns(engine) as connection:
        yield connection


@contextmanager
def writing_alone(engine: Engine) -> Iterator[Connection]:
    """As `writing`, for what acts outside the database once it is committed. RuntimeError inside of `together`."""
    if _joined(engine) is not None:
        raise RuntimeError("this write cannot be part of a larger one: it is anchored when it is committed")
    with writing(engine) as connection:
        yield connection


@contextmanager
def together(engine: Engine) -> Iterator[None]:
    """All that the stores of this database read and write inside is one transaction, which an error undoes."""
    if _joined(engine) is not None:
        yield
        return
    afterwards: dict[str, Callable[[], None]] = {}
    with writing(engine) as connection:
        token = _open.set(_Open(engine, connection, afterwards))
        try:
            yield
        finally:
            _open.reset(token)
    for act in afterwards.values():
        act()


def when_committed(engine: Engine, name: str, act: Callable[[], None]) -> None:
    """Do it now; inside of `together`, when that is committed, and once: the latest of each name."""
    found = _open.get()
    if found is not None and found.engine is engine:
        found.afterwards[name] = act
    else:
        act()


@dataclass(frozen=True, slots=True)
class _Open:
    """A transaction that stores share. afterwards: what acts outside the database once it is committed."""

    engine: Engine
    connection: Connection
    afterwards: dict[str, Callable[[], None]]


def _joined(engine: Engine) -> Connection | None:
    found = _open.get()
    return found.connection if found and found.engine is engine else None


_open: ContextVar[_Open | None] = ContextVar("open", default=None)


@contextmanager
def taking_turns(engine: Engine, restructures: bool = False) -> Iterator[Connection]:
    """As `writing`, but with the database's own errors, for people at a console.

    restructures: SQLite rebuilds a table to change it; with foreign keys on that would count as deleting its rows.
    """
    with engine.execution_options(writes=True, restructures=restructures).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(WRITER_LOCK)))
        yield connection


@contextmanager
def _failing_closed() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError:
        # The database's own text may hold SQL and values: it goes nowhere.
        raise LedgerBroken(UNUSABLE) from None


def _open_sqlite(url: URL) -> Engine:
    path = _sqlite_file(url)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseRefused(f"The database file {path} cannot be written: {error.strerror}") from None
    engine = create_engine(url, connect_args=_sqlite_arguments(), hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _sqlite_file(url: URL) -> Path:
    name = url.database
    if not name or name == ":memory:" or name.startswith("file:") or url.query:
        raise DatabaseRefused("The service database must be a plain file that outlives the program: sqlite:///path")
    path = Path(name)
    if not path.parent.is_dir():
        raise DatabaseRefused(f"The directory {path.parent} of the service database does not exist; create it first")
    return path


def _sqlite_arguments() -> dict[str, Any]:
    arguments: dict[str, Any] = {"timeout": WAIT_SECONDS}
    if sys.version_info >= (3, 12):
        # From Python 3.16 the driver would open transactions of its own unless told not to.
        arguments["autocommit"] = sqlite3.LEGACY_TRANSACTION_CONTROL
    return arguments


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing; _begin_sqlite does
    connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
    if _write_ahead(connection) != "wal":
        raise DatabaseRefused("SQLite cannot keep a write-ahead log here; use a local disk, not a network one")
    for pragma in ("synchronous = FULL", "fullfsync = ON", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> str:
    """The journal mode. SQLite does not wait for a lock here, whatever the timeout, so that we must."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # A write lock taken later than at BEGIN could be refused half-way, on a snapshot that is out of date.
    options = connection.get_execution_options()
    watched = "OFF" if options.get("restructures", False) else "ON"
    if connection.info.get("foreign_keys") != watched:
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {watched}")
        connection.info["foreign_keys"] = watched
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")


def _open_postgres(url: URL) -> Engine:
    try:
        engine = create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError:
        raise DatabaseRefused('PostgreSQL needs a driver: pip install "privacy-controlling-api[postgres]"') from None
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, record: Any) -> None:
    connection.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'")
    # Stronger settings (remote_apply) are the administrator's; only "not durable" is overruled.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
