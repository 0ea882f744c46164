"""The Spark engine: a published cut as Parquet files, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Timer
from typing import Any

import numpy as np

from datasets.dialects import SPARK
from datasets.engines.dense import exact_groups, exact_table
from datasets.engines.spark_session import MACHINE, SparkOptions
from datasets.plan import EngineFailed, EngineRefused, Plan
from datasets.sql import Statement, compile_plan
from disclosure.tables import ExactGroups, ExactTable, Integers

TYPES = {"int8": "TINYINT", "int16": "SMALLINT", "int32": "INT", "int64": "BIGINT"}
AGAIN = 0.5
"""Seconds after which what was cancelled is cancelled again: a statement that is a chain of jobs begins the next."""


class SparkEngine:
    """folder: a folder for each data set, as `ingest.parquet` writes it. seconds bounds each statement.

    It starts Spark where no other engine of the process has, which takes tens of seconds; the last one that closes ends
    it. Raises EngineRefused.
    """

    def __init__(self, folder: Path, seconds: float = 10.0, options: SparkOptions | None = None) -> None:
        self._seconds, self._open = seconds, True
        self._session = MACHINE.session(options or SparkOptions())
        found = False
        try:
            with suppress(Exception):
                for data_set in sorted(path for path in folder.iterdir() if path.is_dir()):
                    self._read(data_set).createTempView(f"`{data_set.name}`")
                    found = True
            if not found:
                raise EngineRefused(f"{folder.name}: cannot be opened; restore it or publish again")
        except BaseException:
            self.close()
            raise

    def aggregate(self, plan: Plan) -> ExactTable:
        return exact_table(plan, compile_plan(plan, SPARK), self._run)

    def listed(self, plan: Plan) -> ExactGroups:
        return exact_groups(plan, compile_plan(plan, SPARK), self._run)

    def close(self) -> None:
        if self._open:
            self._open = False
            MACHINE.release()

    def _read(self, folder: Path) -> Any:
        """The data set in a folder, whose schema is in each of its files: Spark need not look for it."""
        import pyarrow.parquet

        first = next(folder.rglob("*.parquet"))
        columns = {field.name: TYPES[str(field.type)] for field in pyarrow.parquet.read_schema(first)}
        columns |= {
            part.name.partition("=")[0]: "INT" for part in first.relative_to(folder).parents if "=" in part.name
        }
        schema = ", ".join(f"`{name}` {type_}" for name, type_ in columns.items())
        return self._session.read.schema(schema).parquet(str(folder))

    def _run(self, statement: Statement) -> list[Integers]:
        """Spark's error text may quote data and goes no further, whatever it is that fails."""
        found: Any = None
        with suppress(Exception), self._limited():
            found = self._session.sql(statement.sql, args=dict(statement.parameters)).toArrow()
        if found is None:  # raised out here, so that not even the context of the exception holds Spark's text
            raise EngineFailed
        return [_whole(column) for column in found.columns]

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Jobs of this thread are a group, which is cancelled when its time is up."""
        if not self._open:
            raise EngineFailed
        context, group = self._session.sparkContext, token_hex(16)
        context.setJobGroup(group, "", interruptOnCancel=True)
        running = _Limit(self._seconds, lambda: context.cancelJobGroup(group))
        try:
            yield
        finally:
            running.cancel()


class _Limit(Timer):
    """Does something after so many seconds, and again and again until it is cancelled."""

    def __init__(self, seconds: float, function: Any) -> None:
        super().__init__(seconds, function)
        self.daemon = True
        self.start()

    def run(self) -> None:
        while not self.finished.wait(self.interval):
            with suppress(Exception):
                self.function()
            self.interval = AGAIN


def _whole(column: Any) -> Integers:
    whole: Integers = column.fill_null(-1).to_numpy().astype(np.int64)
    return whole
