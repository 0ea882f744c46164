"""Record and replay: the same requests against two cuts that differ in one pupil, with the noise frozen.

Everything but the released numbers must be the same to the byte: status, error, price, charge, ledger rows, log
shape; and at every call of the noise the exact values may differ by no more than was claimed. (The idea is that of
Re:cord-play, arXiv 2602.17454.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import Row
from disclosure.noise import discrete_gaussian
from disclosure.tables import Integers
from tests.lib import school
from tests.lib.service import URL, Service, pupils, running

CENSUS = school.census()
VICTIM = Row(999_999, {"year": 2, "la": 4, "sex": 2, "need": 10, "score": 5}, {"score": 20, "days": 200})
EMPTY_HANDED = replace(VICTIM, ticks={"score": None, "days": 0}, atoms=VICTIM.atoms | {"score": 6})


def _question(statistic: str, group_by: tuple[str, ...] = (), criteria: Any = None, **parts: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"measures": [{"statistic": statistic, **parts}], "groupBy": list(group_by)}
    return body | ({"criteria": criteria} if criteria else {})


ONLY_VICTIM = {"filters": {"sex": {"eq": "U"}, "need": {"eq": "k"}, "la": {"eq": "A5"}}}
REQUESTS = [
    _question("count"),
    _question("count", ("la", "sex")),
    _question("count", (), ONLY_VICTIM),
    _question("pupils", ("year",)),
    _question("sum", ("la",), variable="days"),
    _question("mean", ("sex",), variable="score"),
    _question("mean", (), ONLY_VICTIM, variable="score"),
    _question("variance", ("la",), variable="days"),
    _question("sd", (), ONLY_VICTIM, variable="score"),
    _question("percentage", ("sex",), variable="need", codes=["k"]),
    _question("histogram", ("sex",), variable="score"),
    _question("quantile", ("sex",), variable="score", probabilities=[0.25, 0.5]),
    _question("median", (), ONLY_VICTIM, variable="score"),
    _question("mean", ("nothing",), variable="score"),
    _question("percentage", (), variable="sex", codes=["Z"]),
    _question("count") | {"rho": 5},
    {"measures": []},
]
VALID = 13
"""The first so many are answered, the others refused."""


@dataclass
class Tape:
    """Noise calls in order; in replay they answer what they answered, and check the distance."""

    calls: list[tuple[Integers, int, int, Integers]] = field(default_factory=list)
    replaying: Iterator[tuple[Integers, int, int, Integers]] | None = None

    def noise(self, values: Integers, l2_squared: int, nano_rho: int) -> Integers:
        if self.replaying is None:
            noisy = discrete_gaussian(values, l2_squared, nano_rho)
            self.calls.append((values.copy(), l2_squared, nano_rho, noisy))
            return noisy
        before, distance, price, noisy = next(self.replaying)
        assert (before.shape, distance, price) == (values.shape, l2_squared, nano_rho)
        moved = int(((before.astype(object) - values.astype(object)) ** 2).sum())
        assert moved <= l2_squared, "the table moved further than was claimed"
        return noisy


def observe(service: Service) -> list[tuple[int, bytes, dict[str, str]]]:
    seen = []
    for request in REQUESTS:
        response = service.ask(request)
        kept = {k: v for k, v in response.headers.items() if k not in ("request-id", "date")}
        seen.append((response.status_code, response.content, kept))
        preview = service.client.post(f"{URL}/preview", json=request, headers=service.auth)
        seen.append((preview.status_code, preview.content, {}))
    budget = service.client.get("/v1/projects/tests/budget", headers=service.auth)
    return [*seen, (budget.status_code, budget.content, {})]


def ledger_rows(home: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "service.db")) as connection:
        return connection.execute(
            "select seq, kind, project, cut, release, query, nano_rho, events, cut_total, project_total "
            "from ledger order by seq"
        ).fetchall()


def world(
    home: Path, rows: list[Row], tape: Tape
) -> tuple[list[tuple[int, bytes, dict[str, str]]], list[tuple[object, ...]]]:
    home.mkdir()
    school.write_cut(home / "cut.duckdb", CENSUS, rows)
    engine = DuckDBEngine(home / "cut.duckdb")
    with running(home, engine=engine, noise=tape.noise) as service:
        seen = observe(service)
        service.services.ledger.verify()
    engine.close()
    return seen, ledger_rows(home)


@pytest.mark.parametrize("victim", [VICTIM, EMPTY_HANDED], ids=["extreme", "empty-handed"])
@pytest.mark.parametrize("others", [[], pupils(40)], ids=["alone", "among others"])
def test_one_pupil_changes_nothing_but_released_numbers(tmp_path: Path, victim: Row, others: list[Row]) -> None:
    tape = Tape()
    seen, ledger = world(tmp_path / "with", [*others, victim], tape)
    tape.replaying = iter(tape.calls)
    seen_without, ledger_without = world(tmp_path / "without", others, tape)
    assert next(tape.replaying, None) is None, "fewer noise calls without the pupil"
    for with_pupil, without in zip(seen, seen_without, strict=True):
        assert with_pupil == without
    assert ledger == ledger_without
    answered = [status for status, *_ in seen][: 2 * VALID]
    refused = [status for status, *_ in seen][2 * VALID : -1 : 2]
    assert set(answered) == {200}
    assert set(refused) == {422}


def test_the_tape_would_catch_keys_taken_from_the_data() -> None:
    """Positive control: a table whose cells are those that occur has another shape without the pupil."""
    tape = Tape()
    tape.noise(np.zeros((5, 1), np.int64), 1, 5_000_000)
    tape.replaying = iter(tape.calls)
    with pytest.raises(AssertionError):
        tape.noise(np.zeros((4, 1), np.int64), 1, 5_000_000)


def test_the_tape_would_catch_a_sensitivity_off_by_one() -> None:
    tape = Tape()
    tape.noise(np.full((1, 1), 6, np.int64), 25, 5_000_000)
    tape.replaying = iter(tape.calls)
    with pytest.raises(AssertionError, match="further than was claimed"):
        tape.noise(np.zeros((1, 1), np.int64), 25, 5_000_000)
