"""Generated files as views of DuckDB: one for each data set, and a few that rules share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from datasets.catalogue import Catalogue, DataSet

MEMORY, SHAPE = "1500MB", "shape"
SHARED = {
    "school_of": """SELECT school AS urn, la, phase AS listed_phase, intake, sixth_form, CASE
        WHEN type IN ('7','8','12','33','36','44') THEN 'special' WHEN type IN ('14','38','42','43') THEN 'alternative'
        WHEN phase IN ('2','3') THEN 'primary' WHEN phase IN ('4','5','7') THEN 'secondary' ELSE 'other' END AS kind
        FROM schools""",
    "roll": """SELECT pupil, year, term, school, sex, ethnicity, month_of_birth, language_group, fsm_eligible,
        ending(year) AS y, grade(year_group) AS g, CASE WHEN sen_provision = 'N' THEN 'none'
          WHEN sen_provision IN ('E', 'S') THEN 'plan' ELSE 'support' END AS sen FROM census""",
    "junior_roll": "SELECT * FROM roll WHERE g <= 11 AND term = 'SPR'",
}


@contextmanager
def opened(folder: Path, catalogue: Catalogue, regions: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """regions: the region of each authority. Files of a data set that is not there are none."""
    with tempfile.TemporaryDirectory() as scratch:
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": 2,
            "memory_limit": MEMORY,
            "temp_directory": scratch,
            "preserve_insertion_order": False,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("SET enable_progress_bar = false")  # callers have their own
            connection.execute("CREATE MACRO ending(year) AS left(year, 4)::INT + 1")
            connection.execute(
                "CREATE MACRO grade(g) AS CASE g WHEN 'R' THEN 0 WHEN '14' THEN NULL ELSE try_cast(g AS INT) END"
            )
            connection.execute("CREATE TABLE region_of (la VARCHAR, region VARCHAR)")
            if regions:
                connection.executemany("INSERT INTO region_of VALUES (?, ?)", [list(r) for r in regions.items()])
            connection.execute("SET parquet_metadata_cache = true")
            connection.execute(f"CREATE SCHEMA {SHAPE}")
            for data_set in catalogue.data_sets:
                if paths := sorted((folder / data_set.id).glob("*.parquet")):
                    _view(connection, data_set, paths)
            for name, query in SHARED.items():
                if answerable(connection, query):
                    connection.execute(f"CREATE VIEW {name} AS {query}")
                    connection.execute(f"CREATE TABLE {SHAPE}.{name} AS FROM {name} LIMIT 0")
            yield connection


def _view(connection: duckdb.DuckDBPyConnection, data_set: DataSet, paths: list[Path]) -> None:
    """Columns under the names of the variables, and the pupil as `pupil`."""
    listed = ", ".join("'" + str(p).replace("'", "''") + "'" for p in paths)
    there = {str(r[0]) for r in connection.execute(f"DESCRIBE SELECT * FROM read_parquet([{listed}])").fetchall()}  # noqa: S608
    shown = [f'"{v.column}" AS "{v.name}"' for v in data_set.own if v.column in there]
    if data_set.key.unit in there:
        shown.append(f'"{data_set.key.unit}" AS pupil')
    connection.execute(
        f"CREATE VIEW {data_set.id} AS SELECT {', '.join(shown)} FROM read_parquet([{listed}])"  # noqa: S608
    )
    connection.execute(f"CREATE TABLE {SHAPE}.{data_set.id} AS FROM {data_set.id} LIMIT 0")


def answerable(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether what the query needs is there: a cut may have fewer data sets and variables. Asked of empty tables, since
    planning a query opens every file."""
    connection.execute(f"SET search_path = '{SHAPE},main'")
    try:
        connection.execute(f"EXPLAIN {query}")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    finally:
        connection.execute("SET search_path = 'main'")
    return True
