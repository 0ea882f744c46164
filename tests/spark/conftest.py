"""One Spark for all tests: it takes tens of seconds to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets.ingest.parquet import write_parquet
from tests.lib import school
from tests.lib.environments import environment
from tests.spark.remote import Worker


@pytest.fixture(scope="session")
def spark_python(root: Path) -> Path:
    """Of .venv-spark. Where it cannot be built the tests fail, and are not skipped: nothing else runs this engine."""
    return environment(root, "spark")


@pytest.fixture(scope="session")
def worker(spark_python: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("spark")
    school.write_cut(folder / "cut.duckdb", school.census(), [])
    write_parquet(folder / "cut.duckdb", school.census(), folder, "500MB", 1)
    with (folder / "said").open("wb") as said:
        running = Worker(spark_python, root, said)
        first = running.open(folder / "parquet")  # Spark ends when its last engine closes: this one is the last
        yield running
        first.close()
        assert running.end() == 0
    assert (folder / "said").read_bytes() == b"", "neither Spark nor Java has printed anything"
