from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from privacy_api.stores.database import open_database
from privacy_api.stores.migrate import upgrade
from tests.lib.people import House, house


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated file: copying it is quicker than migrating one for each test."""
    path = tmp_path_factory.mktemp("template") / "service.db"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def people(tmp_path: Path, template: bytes) -> Iterator[House]:
    (tmp_path / "service.db").write_bytes(template)
    with house(tmp_path) as made:
        yield made
