from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from privacy_api.stores.database import open_database
from privacy_api.stores.migrate import upgrade
from tests.lib.template import migrated

from .cases import ANN, EXETER, LEEDS, Desk, start_afresh

POSTGRES = os.environ.get("PRIVACY_API_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
BOTH = ("sqlite", "postgresql")


@contextmanager
def fresh_postgres() -> Iterator[str]:
    """The URL of a database of our own, dropped afterwards."""
    name = f"privacy_api_test_{uuid.uuid4().hex[:12]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        unreachable("no PostgreSQL answers at PRIVACY_API_TEST_POSTGRES")
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def unreachable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with fresh_postgres() as url:
        engine = open_database(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    (tmp_path / "service.db").write_bytes(migrated())
    return f"sqlite:///{tmp_path / 'service.db'}"


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a single table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'service.db'}"
    else:
        with fresh_postgres() as url:
            yield url


@pytest.fixture
def desk(url: str, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(url, tmp_path / "anchor.json")
    start_afresh(desk.url, EXETER, LEEDS, ANN)
    yield desk
    desk.engine.dispose()
