"""Databases for tests of several servers on one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stores.conftest import fresh_postgres

BOTH = ("sqlite", "postgresql")


@contextmanager
def fresh_database(dialect: str, home: Path) -> Iterator[str]:
    if dialect == "sqlite":
        yield f"sqlite:///{home / 'service.db'}"
        return
    with fresh_postgres() as url:
        yield url
