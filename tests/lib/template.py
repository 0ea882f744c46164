"""What takes long to build and is the same each time: a migrated database, and an application without services."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from fastapi import FastAPI

from privacy_api.app import attach, create_app
from privacy_api.gate import Gate
from privacy_api.service.services import Services
from privacy_api.stores.database import open_database
from privacy_api.stores.migrate import upgrade

_IDLE: dict[tuple[bool, bool], list[FastAPI]] = {}


@cache
def migrated() -> bytes:
    """The file of a SQLite database with the schema of this version and no rows."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "service.db"
        engine = open_database(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()


@contextmanager
def application(services: Services, gate: Gate, secure: bool, development: bool) -> Iterator[FastAPI]:
    """As `create_app` makes it. Its routes are those of an earlier one in this process that is no longer used."""
    idle = _IDLE.setdefault((secure, development), [])
    if idle:
        attach(app := idle.pop(), services, gate)
    else:
        app = create_app(services, gate, secure=secure, development_sign_in=development)
    yield app
    idle.append(app)
