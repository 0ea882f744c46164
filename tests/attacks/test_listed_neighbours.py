"""Listed groups, recorded and replayed: cuts that differ in one pupil, with what was listed frozen, look the same from
every side. The pupil stands in groups where nobody else is, so that even the number of groups is another.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import Row
from datasets.plan import Plan
from datasets.sql import compile_plan
from disclosure.listing import Listing, Terms, list_groups
from disclosure.sensitivity import Moves
from disclosure.tables import ExactGroups, ExactTable
from privacy_api.logs import configure
from tests.lib import school
from tests.lib.service import LISTED_GROUPS, POLICY, URL, pupils, running

CENSUS = school.census()
COUNT: dict[str, Any] = {"measures": [{"statistic": "count"}], "groups": "listed"}
ASKED = [
    COUNT | {"groupBy": ["la"]},
    COUNT | {"groupBy": ["la"]},
    COUNT | {"groupBy": ["sex", "year", "need"]},
    COUNT | {"groupBy": ["la"], "rho": 0.05, "display": "unbiased"},
    COUNT | {"groupBy": ["la"], "criteria": {"filters": {"la": {"eq": "A5"}}}},
    COUNT | {"groupBy": ["moon"]},
    COUNT | {"groupBy": ["need"]},
    COUNT | {"groupBy": ["year"]},
]
"""The last two pass the cap of δ."""
RULE = LISTED_GROUPS.replace("delta_total = 1e-11", "delta_total = 4e-12")
FORMS = ("json", "csv")


@dataclass
class ListTape:
    """Lists in order; in replay they are what they were, and the exact lists may differ by no more than was claimed."""

    calls: list[tuple[dict[int, int], Terms, Listing]] = field(default_factory=list)
    replaying: Iterator[tuple[dict[int, int], Terms, Listing]] | None = None
    differed: int = 0

    def lister(self, exact: ExactGroups, terms: Terms, /) -> Listing:
        counts = dict(zip(exact.cells.tolist(), exact.counts.tolist(), strict=True))
        if self.replaying is None:
            listing = list_groups(exact, terms)
            self.calls.append((counts, terms, listing))
            return listing
        before, same, listing = next(self.replaying)
        assert terms == same
        change = [d for cell in before.keys() | counts if (d := abs(before.get(cell, 0) - counts.get(cell, 0)))]
        found = (len(change), sum(d * d for d in change), max(change, default=0))
        claimed = (terms.moves.l0, terms.moves.l2_squared, terms.moves.linf)
        assert all(a <= b for a, b in zip(found, claimed, strict=True)), "the list moved further than was claimed"
        self.differed += len(before) != len(counts)
        return listing


class Recorder:
    def __init__(self, inner: DuckDBEngine) -> None:
        self._inner, self.ran = inner, list[str]()

    def aggregate(self, plan: Plan) -> ExactTable:
        raise AssertionError("nothing dense is asked")

    def listed(self, plan: Plan) -> ExactGroups:
        self.ran += [f"{s.sql} {s.parameters}" for s in compile_plan(plan)]
        return self._inner.listed(plan)

    def close(self) -> None:
        self._inner.close()


def world(home: Path, rows: list[Row], tape: ListTape, capture: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """All that can be seen from any side, but for time and random names."""
    home.mkdir()
    school.write_cut(home / "cut.duckdb", CENSUS, rows)
    engine = Recorder(DuckDBEngine({CENSUS.id: home / "cut.duckdb"}))
    configure("INFO")
    capture.readouterr()
    with running(home, policy=POLICY + RULE, engine=engine, lister=tape.lister) as service:
        seen = []
        for body in ASKED:
            seen += [service.ask(body, params={"format": form}) for form in FORMS]
            seen.append(service.client.post(f"{URL}/preview", json=body, headers=service.auth))
        for address in ("/v1/projects/tests/budget", "/v1/data-sets/school.census/meta"):
            seen.append(service.client.get(address, headers=service.auth))
        service.services.ledger.verify()
    engine.close()
    with closing(sqlite3.connect(home / "service.db")) as connection:
        entries = connection.execute(
            "select seq, kind, cut, release, query, nano_rho, events, cut_total, cut_delta from ledger order by seq"
        ).fetchall()
    lines = [json.loads(line) for line in capture.readouterr().err.splitlines()]
    random, drawn = {"request-id", "date"}, {"request", "key", "ms", "timestamp"}
    return {
        "responses": [
            (r.status_code, r.content, {k: v for k, v in r.headers.items() if k not in random}) for r in seen
        ],
        "ledger": entries,
        "sql": engine.ran,
        "log": [{k: v for k, v in line.items() if k not in drawn} for line in lines],
    }


def pupil(rows: list[tuple[int, int, int, int]]) -> list[Row]:
    score = CENSUS.by_name["score"]
    return [
        Row(
            999_999,
            {"year": y, "la": la, "sex": sex, "need": need, "score": school.score_atom(8, score)},
            {"score": 8, "days": 3},
        )
        for y, la, sex, need in rows
    ]


VICTIMS = {
    "alone in every group": pupil([(1 + i // 2 % 2, i % 4 + 1, 2, i) for i in range(4)]),
    "all rows in one": pupil([(i // 2, 4, 2, 10) for i in range(6)]),
    "among others": pupil([(0, 0, 0, 0)]),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_one_pupil_changes_nothing_but_what_is_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], victim: str
) -> None:
    tape, others = ListTape(), pupils(900)
    with_pupil = world(tmp_path / "with", [*others, *VICTIMS[victim]], tape, capsys)
    tape.replaying = iter(tape.calls)
    without = world(tmp_path / "without", others, tape, capsys)
    assert next(tape.replaying, None) is None, "fewer lists without the pupil"
    for part, seen in with_pupil.items():
        assert seen == without[part], part
    if victim != "among others":
        assert tape.differed >= 3, "even the number of groups is another"
    statuses = [status for status, *_ in with_pupil["responses"]]
    assert statuses == [*[200] * 15, 422, 422, 200, 403, 403, 200, 403, 403, 200, 200, 200]


def test_a_list_that_moved_too_far_would_be_caught() -> None:
    """Positive control: a claim for one group, and a pupil in two."""
    import numpy as np

    terms = Terms(Moves(1, 4, 2), 5_000_000, 10**6, 200)
    both, none = np.array([3, 4]), np.zeros(0, np.int64)
    tape = ListTape()
    tape.lister(ExactGroups(both, np.array([1, 1])), terms)
    tape.replaying = iter(tape.calls)
    with pytest.raises(AssertionError, match="further than was claimed"):
        tape.lister(ExactGroups(none, none), terms)
