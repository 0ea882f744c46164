"""One Spark for all tests: it takes tens of seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.environments import environment
from tests.spark.remote import Worker


@pytest.fixture(scope="session")
def spark_python(root: Path) -> Path:
    """Of .venv-spark. Where it cannot be built the tests fail, and are not skipped: nothing else runs this engine."""
    return environment(root, "spark")


@pytest.fixture(scope="session")
def worker(spark_python: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with (tmp_path_factory.mktemp("spark") / "said").open("wb") as said:
        running = Worker(spark_python, root, said)
        yield running
        assert running.end() == 0
