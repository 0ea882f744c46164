from __future__ import annotations

import os
import stat
import traceback
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from privacy_api.ports import LedgerBroken, Person
from privacy_api.stores.database import (
    UNUSABLE,
    DatabaseRefused,
    open_database,
    reading,
    taking_turns,
    together,
    writing,
)
from privacy_api.stores.facts import fact, settle

from .cases import Desk, asking

CANARY = "small-yellow-bird"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/db", "mysql"),
        ("duckdb:///x.db", "duckdb"),
        ("postgresql+asyncpg://host/db", "asyncpg"),
        ("sqlite+aiosqlite:///x.db", "aiosqlite"),
        ("sqlite://", "plain file"),
        ("sqlite:///:memory:", "plain file"),
        ("sqlite:///file:x.db?mode=memory&uri=true", "plain file"),
        ("sqlite:///x.db?mode=memory", "plain file"),
        ("/var/lib/x.db", "cannot be read"),
        ("sqlite:////no/such/directory/x.db", "does not exist"),
    ],
)
def test_what_cannot_be_the_service_database(url: str, says: str) -> None:
    with pytest.raises(DatabaseRefused, match=says):
        open_database(url)


@pytest.mark.parametrize("url", ["mysql://reader:hunter2@host/db", "reader:hunter2@host/db"])
def test_a_refusal_keeps_the_password_to_itself(url: str) -> None:
    with pytest.raises(DatabaseRefused) as caught:
        open_database(url)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_directory_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="cannot be written"):
        open_database(f"sqlite:///{tmp_path}")


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    was = os.umask(0)
    try:
        engine = open_database(f"sqlite:///{tmp_path / 'service.db'}")
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (x INTEGER)"))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        engine.dispose()
    finally:
        os.umask(was)
    assert modes == {"service.db": 0o600, "service.db-wal": 0o600, "service.db-shm": 0o600}


def test_sqlite_is_set_up_to_lose_nothing(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_postgres_is_set_up_to_lose_nothing(postgres_url: str) -> None:
    engine = open_database(
        postgres_url.replace("postgresql+psycopg", "postgresql") + "?options=-csynchronous_commit%3Doff"
    )
    with engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "30s"
    engine.dispose()


def test_a_writer_waits_for_the_writer_before_it(desk: Desk) -> None:
    seen: list[str] = []

    def second() -> None:
        with writing(desk.engine):
            seen.append("second")

    with writing(desk.engine):
        waiting = Thread(target=second)
        waiting.start()
        waiting.join(0.2)
        seen.append("first")
    waiting.join()
    assert seen == ["first", "second"]


def test_a_reader_waits_for_nobody_and_sees_one_state(desk: Desk) -> None:
    count = text("SELECT count(*) FROM service")
    with reading(desk.engine) as reader:
        assert reader.execute(count).scalar() == 0
        settle(desk.engine, "mode", "sandbox")
        assert reader.execute(count).scalar() == 0
    assert fact(desk.engine, "mode") == "sandbox"


def test_a_fact_is_settled_once(desk: Desk) -> None:
    assert fact(desk.engine, "mode") is None
    assert settle(desk.engine, "mode", "sandbox") == "sandbox"
    assert settle(desk.engine, "mode", "live") == "sandbox"
    assert fact(desk.engine, "mode") == "sandbox"


def impatient(engine: Engine) -> None:
    word = "SET lock_timeout = '50ms'" if engine.dialect.name == "postgresql" else "PRAGMA busy_timeout = 50"

    def hurry(connection: Any, record: Any) -> None:
        connection.execute(word)
        connection.commit()

    event.listen(engine, "connect", hurry)


def says_nothing(error: LedgerBroken) -> None:
    shown = "".join(traceback.format_exception(error))
    assert str(error) == UNUSABLE
    assert not any(word in shown for word in ("INSERT", "SELECT", "sqlalchemy.exc", CANARY))


def test_a_locked_database_is_a_broken_ledger(desk: Desk) -> None:
    desk.ledger.verify()
    other = Desk(desk.url, desk.anchor)
    impatient(other.engine)
    with taking_turns(desk.engine), pytest.raises(LedgerBroken) as caught:
        other.ledger.reserve(asking(CANARY, {CANARY: 1}))
    other.engine.dispose()
    says_nothing(caught.value)
    assert desk.kinds() == []


def test_a_full_disk_is_a_broken_ledger(sqlite_url: str, tmp_path: Path) -> None:
    desk = Desk(sqlite_url, tmp_path / "anchor.json")
    event.listen(desk.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
    with pytest.raises(LedgerBroken) as caught:
        settle(desk.engine, CANARY, CANARY * 10_000)
    desk.engine.dispose()
    says_nothing(caught.value)


def test_a_damaged_file_is_a_broken_ledger(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "service.db").write_bytes(CANARY.encode() * 4_096)
    desk = Desk(sqlite_url, tmp_path / "anchor.json")
    for attempt in (desk.ledger.verify, lambda: desk.ledger.release("r1"), lambda: desk.projects.projects()):
        with pytest.raises(LedgerBroken) as caught:
            attempt()
        says_nothing(caught.value)
    desk.engine.dispose()


def test_a_database_without_tables_is_a_broken_ledger(empty_url: str, tmp_path: Path) -> None:
    desk = Desk(empty_url, tmp_path / "anchor.json")
    with pytest.raises(LedgerBroken) as caught:
        desk.ledger.reserve(asking(CANARY, {CANARY: 1}))
    desk.engine.dispose()
    says_nothing(caught.value)


def test_an_unreachable_server_is_a_broken_ledger(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    desk = Desk(f"postgresql+psycopg://{CANARY}@127.0.0.1:1/{CANARY}", tmp_path / "anchor.json")
    with pytest.raises(LedgerBroken) as caught:
        desk.ledger.verify()
    desk.engine.dispose()
    says_nothing(caught.value)


class Undone(Exception):
    """Something goes wrong half-way."""


def test_stores_write_together_or_not_at_all(desk: Desk) -> None:
    with pytest.raises(Undone), together(desk.engine):
        settle(desk.engine, "colour", "red")
        assert desk.projects.create_person(Person("bob", 5)) == Person("bob", 5)
        assert desk.projects.person("bob"), "what was written is seen inside"
        raise Undone
    assert fact(desk.engine, "colour") is None
    assert desk.projects.person("bob") is None
    with together(desk.engine), together(desk.engine):
        settle(desk.engine, "colour", "red")
    assert fact(desk.engine, "colour") == "red"


def test_the_ledger_is_never_part_of_a_larger_write(desk: Desk) -> None:
    """Its anchor moves when its own write is committed: not before."""
    with pytest.raises(RuntimeError, match="anchored"), together(desk.engine):
        desk.ledger.reserve(asking("r1", {"a": 10}))
    assert desk.rows() == []


def test_another_thread_is_not_joined(desk: Desk) -> None:
    """It waits for its turn, as any other writer does."""
    with together(desk.engine):
        settle(desk.engine, "colour", "red")
        other = Thread(target=settle, args=(desk.engine, "colour", "blue"))
        other.start()
    other.join()
    assert fact(desk.engine, "colour") == "red"
