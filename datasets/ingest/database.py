"""The scratch database that a cut is built in. DuckDB's error text quotes values, so it ends here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from datasets.ingest.sql import Sql, name, sql

LOCKED_DOWN = {
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
STAGE = "stage"
NO_SPACE = re.compile("no space left|file too large|could not write|disk quota", re.IGNORECASE)
CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")

NOT_OF_DATA = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, duckdb.SyntaxException)


class IngestFailed(Exception):
    """Ingest could not be carried out, for a reason that lies outside the data. Nothing was published."""


class EngineFailed(IngestFailed):
    """A statement failed. line: the line of a CSV file that the engine stopped at, where it said so."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class OutOfRoom(IngestFailed):
    """Memory or disk ran out."""


class Database:
    """A connection that binds all values by name, and whose errors say nothing of them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, query: Sql, **values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query.text, values or None).fetchall()
        except duckdb.Error as error:
            failure = _translated(error)
        # Raised outside the handler: not even as __context__ may the engine's error travel along.
        raise failure

    def arrays(self, query: Sql, **values: object) -> list[npt.NDArray[Any]]:
        """Columns of numbers; IngestFailed where one is NULL."""
        try:
            found = self._connection.execute(query.text, values or None).fetchnumpy()
        except duckdb.Error as error:
            failure = _translated(error)
        else:
            if any(np.ma.is_masked(column) for column in found.values()):
                raise IngestFailed("a stored code is missing")
            return [np.asarray(column) for column in found.values()]
        raise failure

    def one(self, query: Sql, **values: object) -> Any:
        return self.run(query, **values)[0][0]


def _translated(error: duckdb.Error) -> IngestFailed:
    text, kind = str(error), type(error).__name__
    if isinstance(error, duckdb.OutOfMemoryException):
        return OutOfRoom("out of memory: wants a larger memory limit, or more room for spilling on the disk")
    if NO_SPACE.search(text):
        return OutOfRoom("the disk is full, or the files on it may not grow so large")
    if isinstance(error, NOT_OF_DATA):
        return IngestFailed(f"a statement of ingest itself is wrong ({kind})")
    line = CSV_LINE.search(text)
    return EngineFailed(f"the database engine failed ({kind})", int(line[1]) if line else None)


@contextmanager
def scratch(directory: Path, memory_limit: str, threads: int) -> Iterator[Database]:
    """A database in `directory`, named STAGE, to which files are attached as they are needed.

    What is staged is on disk, never in a file that is published: freed blocks of a database keep their content.
    """
    config = {
        **LOCKED_DOWN,
        "memory_limit": memory_limit,
        "threads": str(threads),
        "temp_directory": str(directory / "spill"),
        # Record numbers are row ids of tables that were filled in the order of the file.
        "preserve_insertion_order": "true",
    }
    with _connection(directory / f"{STAGE}.duckdb", config) as connection:
        yield Database(connection)


@contextmanager
def attached(database: Database, alias: str, path: Path, read_only: bool = False) -> Iterator[None]:
    """What was written is in the file itself, and nothing beside it, once it is detached."""
    mode = Sql(" (READ_ONLY)") if read_only else Sql("")
    database.run(sql("ATTACH $path AS {alias}{mode}", alias=name(alias), mode=mode), path=str(path))
    try:
        yield
        if not read_only:
            database.run(sql("CHECKPOINT {alias}", alias=name(alias)))
    finally:
        with suppress(IngestFailed):
            database.run(sql("DETACH {alias}", alias=name(alias)))


@contextmanager
def transaction(database: Database) -> Iterator[None]:
    database.run(Sql("BEGIN TRANSACTION"))
    try:
        yield
        database.run(Sql("COMMIT"))
    except BaseException:
        with suppress(IngestFailed):
            database.run(Sql("ROLLBACK"))
        raise


@contextmanager
def read_only(path: Path) -> Iterator[Database]:
    config = {**LOCKED_DOWN, "enable_external_access": "false", "temp_directory": ""}
    with _connection(path, config, read_only=True) as connection:
        yield Database(connection)


@contextmanager
def _connection(path: Path, config: dict[str, str], read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    failure: IngestFailed | None = None
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=config)  # type: ignore[arg-type]
    except duckdb.Error as error:
        failure = _translated(error)
    if failure:
        raise failure
    try:
        # Of this connection only, so not for `config`: DuckDB draws its bar on stdout, even into a pipe.
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()
