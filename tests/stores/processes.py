"""What other processes do in these tests: they spend, they migrate, and they are killed half-way."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Thread
from typing import Any

from sqlalchemy import Engine, event

from privacy_api.ports import BudgetExhausted, InProgress, ReleasedTable, Reserved
from privacy_api.stores.database import open_database
from privacy_api.stores.ledger import SqlLedger
from privacy_api.stores.migrate import upgrade

from .cases import EXETER, LEEDS, asking, body_of, measured, released_table

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])

FAIL_POINTS = (
    "before reserve",
    "charge not committed",
    "charge not anchored",
    "anchor half written",
    "after reserve",
    "release not committed",
    "release not anchored",
    "after store",
)


def started(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = _context.Process(target=target, args=arguments)
    process.start()
    return process


def migrate(url: str) -> None:
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()


def spend(url: str, anchor: Path, name: str, price: int, threads: int, person: str | None = None) -> None:
    """Each thread asks one new question after the other until the budget is gone; of a person's, in both projects."""
    engine = open_database(url)
    ledger = SqlLedger(engine, anchor)
    finished: list[int] = []
    crew = [
        Thread(target=_until_exhausted, args=(ledger, f"{name}-{n}", price, person, finished)) for n in range(threads)
    ]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    engine.dispose()
    if len(finished) != threads:
        raise SystemExit("a thread did not end by an exhausted budget")


def _until_exhausted(ledger: SqlLedger, name: str, price: int, person: str | None, finished: list[int]) -> None:
    for turn in range(1_000):
        release = f"{name}-{turn}"
        try:
            project = LEEDS if person and (turn + int(name[-1])) % 2 else EXETER
            reserved = ledger.reserve(asking(release, {release: price}, project, person))
        except BudgetExhausted:
            finished.append(turn)
            return
        if turn % 2:
            ledger.fail(reserved)
        else:
            ledger.store(reserved, measured(reserved), body_of(release))


STORED, OVERTAKEN = 0, 3
"""How `release_together` ends."""


def barrier(parties: int) -> Barrier:
    return _context.Barrier(parties, timeout=60)


def release_together(url: str, anchor: Path, scope: str, name: str, reserved_all: Barrier) -> None:
    """Reserve, wait until everybody has, and store."""
    engine = open_database(url)
    ledger = SqlLedger(engine, anchor)
    reserved = ledger.reserve(asking(name, {name: 0}, scope=scope))
    reserved_all.wait()
    try:
        ledger.store(reserved, measured(reserved), body_of(name), knowing(reserved))
    except InProgress:
        raise SystemExit(OVERTAKEN) from None
    finally:
        engine.dispose()


def release_many(url: str, anchor: Path, scope: str, name: str, tables: int) -> None:
    """One table after the other, each asked again until it is stored."""
    engine = open_database(url)
    ledger = SqlLedger(engine, anchor)
    for table in range(tables):
        while not _released(ledger, scope, f"{name}-{table}"):
            pass
    engine.dispose()


def _released(ledger: SqlLedger, scope: str, release: str) -> bool:
    reserved = ledger.reserve(asking(release, {release: 0}, scope=scope))
    time.sleep(0.01)
    try:
        ledger.store(reserved, measured(reserved), body_of(release), knowing(reserved))
    except InProgress:
        return False
    return True


def knowing(reserved: Reserved) -> ReleasedTable:
    """A table that says which ones were known when it was made."""
    name = reserved.request.release
    population = {"release": name, "knows": [json.loads(each.population)["release"] for each in reserved.earlier]}
    return replace(released_table(name), population=json.dumps(population))


def answer_and_die(url: str, anchor: Path, fail_point: str, release: str) -> None:
    """Answer one question, and be killed at the fail-point."""
    engine = open_database(url)
    ledger = SqlLedger(engine, anchor)
    if fail_point == "before reserve":
        die()
    _arm(engine, ledger, fail_point, {"not committed": "charge not committed", "not anchored": "charge not anchored"})
    if fail_point == "anchor half written":
        os.fsync = die  # type: ignore[assignment]
    reserved = ledger.reserve(asking(release, {release: 10}))
    if fail_point == "after reserve":
        die()
    _arm(engine, ledger, fail_point, {"not committed": "release not committed", "not anchored": "release not anchored"})
    ledger.store(reserved, measured(reserved), body_of(release))
    die()


def _arm(engine: Engine, ledger: SqlLedger, fail_point: str, names: dict[str, str]) -> None:
    if fail_point == names["not committed"]:
        event.listen(engine, "commit", die)
    if fail_point == names["not anchored"]:
        ledger._anchor.move = die  # type: ignore[method-assign, assignment]


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
