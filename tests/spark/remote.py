"""The Spark engine of another process, as an engine of this one."""

from __future__ import annotations

import os
import pickle
import subprocess
from pathlib import Path
from typing import IO, Any

from datasets.engines.spark_session import SparkOptions
from datasets.plan import EngineFailed, EngineRefused, Plan
from disclosure.tables import ExactGroups, ExactTable

RAISED = {"EngineFailed": EngineFailed, "EngineRefused": EngineRefused}
SMALL = SparkOptions(
    "local[2]",
    "1GB",
    (
        ("spark.sql.codegen.wholeStage", "false"),
        ("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"),
    ),
)
"""Of tests, whose tables are so small that most of the time goes into compiling queries, and Spark itself."""


class Worker:
    """A process of the Spark environment. said: what it and Spark have printed."""

    def __init__(self, python: Path, root: Path, said: IO[bytes], **environment: str) -> None:
        self._process = subprocess.Popen(
            [python, "-W", "error", "-m", "tests.spark.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, cwd=root, env={**os.environ, **environment},
        )  # fmt: skip
        self.raised = ""

    def ask(self, what: str, *arguments: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        pickle.dump((what, arguments), self._process.stdin)
        self._process.stdin.flush()
        kind, result, self.raised = pickle.load(self._process.stdout)  # noqa: S301 — from a process of ours
        if kind == "ok":
            return result
        raise RAISED[kind](*([result] if result else [])) if kind in RAISED else AssertionError(self.raised)

    def open(self, folder: Path, seconds: float = 60.0, options: SparkOptions = SMALL) -> RemoteEngine:
        return RemoteEngine(self, self.ask("open_engine", folder, seconds, options))

    def end(self) -> int:
        """The exit code of the process, whose Spark has ended with it."""
        with self._process as process:
            assert process.stdin
            process.stdin.close()
            return process.wait(60)


class RemoteEngine:
    def __init__(self, worker: Worker, number: int) -> None:
        self.worker, self._number = worker, number

    def aggregate(self, plan: Plan) -> ExactTable:
        aggregates, evidence = self.worker.ask("aggregate", self._number, plan)
        return ExactTable(
            dict(zip(plan.aggregates, aggregates, strict=True)),
            plan.cells,
            dict(zip(plan.evidence, evidence, strict=True)),
        )

    def listed(self, plan: Plan) -> ExactGroups:
        return ExactGroups(*self.worker.ask("listed", self._number, plan))

    def look(self, code: str) -> Any:
        return self.worker.ask("look", self._number, code)

    def close(self) -> None:
        self.worker.ask("close", self._number)
