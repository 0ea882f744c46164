"""Shared by all tests: the repository's root and the small school used wherever any data will do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

ROOT = Path(__file__).parent.parent
SLOW_ON_POSTGRESQL = frozenset(
    {
        "test_audit_tampering",
        "test_ledger_model",
        "test_ledger_tampering",
        "test_official_tables",
        "test_terms",
    }
)
"""Modules with a database for each test, which SQLite makes in no time: their PostgreSQL halves are slow tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "postgresql" in item.name and item.path.stem in SLOW_ON_POSTGRESQL:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(autouse=True)
def logs_go_nowhere_later() -> Iterator[None]:
    """A test that sets up logging leaves none of it: its captured streams are closed when the next one writes."""
    yield
    structlog.reset_defaults()
