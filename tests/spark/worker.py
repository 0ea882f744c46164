"""Runs in .venv-spark, which has what a server with Spark has and nothing of the tests: a Spark engine behind pipes.

Each request is a pickled (what, arguments); each reply is a pickled ("ok", result) or (name of what was raised, text,
traceback). All that Spark and Java print goes to the standard error, where a test looks for it.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from datasets.engines.spark import SparkEngine
from datasets.engines.spark_session import SparkOptions
from datasets.plan import Plan

ENGINES: dict[int, SparkEngine] = {}


def open_engine(folder: Path, seconds: float, options: SparkOptions) -> int:
    ENGINES[len(ENGINES)] = SparkEngine(folder, seconds, options)
    return len(ENGINES) - 1


def aggregate(engine: int, plan: Plan) -> tuple[list[Any], list[Any]]:
    found = ENGINES[engine].aggregate(plan)
    return [found[a] for a in plan.aggregates], [found.evidence(e) for e in plan.evidence]


def listed(engine: int, plan: Plan) -> tuple[Any, Any]:
    found = ENGINES[engine].listed(plan)
    return found.cells, found.counts


def close(engine: int) -> None:
    ENGINES[engine].close()


def look(engine: int, code: str) -> Any:
    """What an expression about an engine's session says."""
    return eval(code, {"session": ENGINES[engine]._session, "error_of": error_of})  # noqa: S307 — of the tests themselves


def error_of(session: Any) -> str:
    """What Spark says of a sum that leaves 64 bits."""
    try:
        session.sql("SELECT SUM(x) FROM VALUES (9223372036854775807), (1) AS t(x)").collect()
    except Exception as failed:
        return str(failed)
    return ""


REQUESTS = {f.__name__: f for f in (open_engine, aggregate, listed, close, look)}


def main() -> None:
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        serve(replies)


def serve(replies: IO[bytes]) -> None:
    while True:
        try:
            what, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 — from the tests themselves
        except EOFError:
            return
        try:
            reply = ("ok", REQUESTS[what](*arguments), "")
        except Exception as raised:
            reply = (type(raised).__name__, str(raised), "".join(traceback.format_exception(raised)))
        pickle.dump(reply, replies)
        replies.flush()


if __name__ == "__main__":
    main()
