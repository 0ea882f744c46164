"""Published cuts, as tests look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from datasets.ingest import Published


@contextmanager
def opened(published: Published) -> Iterator[duckdb.DuckDBPyConnection]:
    """All its data sets in one connection, each under its own name."""
    with duckdb.connect() as connection:
        for data_set, path in published.databases.items():
            connection.execute(f"ATTACH '{path}' AS \"cut:{data_set}\" (READ_ONLY)")
            connection.execute(f'CREATE VIEW "{data_set}" AS FROM "cut:{data_set}".main."{data_set}"')
        yield connection
