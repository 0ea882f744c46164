"""Record and replay: the same requests against two cuts that differ in one pupil, with the noise frozen.

Everything but the released numbers must be the same to the byte: status, body, headers, error, price, charge, ledger
rows, log lines, and the SQL that ran; and at every call of the noise the exact values may differ by no more than was
claimed. (The idea is that of Re:cord-play, arXiv 2602.17454.) Every statistic of the registry is asked by its case in
`tests/lib/audit.py`: alone, grouped, with totals, unbiased, of the pupil only, and once more for a higher price
(refinement). Refusals, exhausted budgets and a failing engine are in it too; and all of it again under Laplace noise.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import Row
from datasets.plan import EngineFailed, Plan
from datasets.sql import compile_plan
from datasets.statistics import STATISTICS
from disclosure.tables import ExactTable, Noise
from privacy_api.logs import configure
from tests.lib import school
from tests.lib.audit import CASES, Tape, pupil, question, with_totals
from tests.lib.service import POLICY, URL, Service, pupils, running

CENSUS = school.census()
ROWS = [(year, 4, 2, 10) for year in (0, 0, 1, 1, 2, 2)]
VICTIMS = {
    "extreme": pupil(999_999, [(*row, 20, 200) for row in ROWS]),
    "lowest": pupil(999_999, [(*row, -4, 0) for row in ROWS]),
    "empty-handed": pupil(999_999, [(*row, None, 0) for row in ROWS]),
    "spread": pupil(999_999, [(i // 2, i % 5, i % 3, i, 4 * i - 4, 30 * i) for i in range(6)]),
    "one row": pupil(999_999, [(2, 4, 2, 10, 20, 200)]),
}
ONLY_VICTIM = {"filters": {"sex": {"eq": "U"}, "need": {"eq": "k"}, "la": {"eq": "A5"}}}
SPLIT = [
    {"statistic": "gap", "variable": "sex", "codes": ["U", "F"], "of": [{"statistic": "pupils"}]},
    {
        "statistic": "gap",
        "variable": "la.region",
        "codes": ["N", "S"],
        "of": [{"statistic": "histogram", "variable": "sex"}],
    },
    {"statistic": "ratio", "of": [{"statistic": "pupils"}, {"statistic": "mean", "variable": "score"}]},
    {"statistic": "ols", "variable": "score", "terms": ["days", "sex", "days:sex", "la.region", "la.region:sex"]},
    {
        "statistic": "logistic",
        "variable": "need.some",
        "codes": ["last"],
        "terms": ["score", "la.region", "score:la.region"],
    },
]
"""More measures that are split by groupings of their own."""
ANSWERED = [
    *(
        body
        for statistic in STATISTICS
        for body in (
            question(statistic),
            question(statistic, ("la", "sex")),
            question(statistic, ("year",)),
            question(statistic, (), ONLY_VICTIM),
            with_totals(statistic),
        )
    ),
    *(with_totals(statistic, display="unbiased") for statistic in ("count", "pupils", "sum", "mean")),
    *({"measures": [measure], "groupBy": ["year"]} for measure in SPLIT),
    {"measures": [{"id": f"m{i}", **m} for i, m in enumerate(SPLIT)], "groupBy": ["year"], "totals": [[]]},
]
DEARER = [
    *(question(statistic, (), ONLY_VICTIM, rho=0.05) for statistic in STATISTICS),
    *(with_totals(statistic) | {"rho": 0.5} for statistic in ("count", "pupils", "histogram", "mean", "ols")),
]
REFUSED = [
    question("mean", ("nothing",)),
    {"measures": [{"statistic": "percentage", "variable": "sex", "codes": ["Z"]}]},
    question("count") | {"rho": 5},
    question("count", (), {"and": [ONLY_VICTIM, {"not": ONLY_VICTIM}]}),
    question("gap", ("score.wide",)),
    question("count", ("need.some",)) | {"totals": [[]]},
    {"measures": []},
]
TOO_DEAR = question("count", ("need",))
FAILING = question("count", ("la.region", "need"))
"""Both ask for what no other does: what is there already is free, and needs no engine."""
RICH = POLICY.replace("cut_rho = 0.5", "cut_rho = 50").replace("query_rho = 0.1", "query_rho = 1")
LAPLACE = RICH.replace('"gaussian"', '"laplace"')


class Recorder:
    """An engine that keeps the SQL it was asked to run, and fails when told to."""

    def __init__(self, inner: DuckDBEngine) -> None:
        self._inner, self.ran, self.failing = inner, list[str](), False

    def aggregate(self, plan: Plan) -> ExactTable:
        self.ran += [f"{s.sql} {s.parameters}" for s in compile_plan(plan)]
        if self.failing:
            raise EngineFailed
        return self._inner.aggregate(plan)

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True)
class World:
    """All that can be seen of a service from any side, but for time and random names."""

    responses: list[tuple[int, bytes, dict[str, str]]]
    ledger: list[tuple[object, ...]]
    sql: list[str]
    log: list[dict[str, Any]]


def observe(service: Service, engine: Recorder) -> list[tuple[int, bytes, dict[str, str]]]:
    poor = service.new_key("poor", cap=1)
    asked = [(body, service.auth) for body in (*ANSWERED, *DEARER, *ANSWERED[:3], *REFUSED)] + [(TOO_DEAR, poor)]
    seen = []
    for body, key in asked:
        seen += [service.client.post(url, json=body, headers=key) for url in (URL, f"{URL}/preview")]
    engine.failing = True
    seen.append(service.ask(FAILING))
    engine.failing = False
    seen.append(service.ask(FAILING))
    seen.append(service.client.get("/v1/projects/tests/budget", headers=service.auth))
    random = ("request-id", "date")
    return [(r.status_code, r.content, {k: v for k, v in r.headers.items() if k not in random}) for r in seen]


def ledger_rows(home: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "service.db")) as connection:
        return connection.execute(
            "select seq, kind, project, cut, release, query, nano_rho, events, cut_total, project_total "
            "from ledger order by seq"
        ).fetchall()


def log_lines(text: str) -> list[dict[str, Any]]:
    drawn = {"request", "key", "ms", "timestamp"}
    return [{k: v for k, v in json.loads(line).items() if k not in drawn} for line in text.splitlines()]


def world(home: Path, rows: list[Row], tape: Tape, capture: pytest.CaptureFixture[str], policy: str = RICH) -> World:
    home.mkdir()
    school.write_cut(home / "cut.duckdb", CENSUS, rows)
    engine = Recorder(DuckDBEngine({CENSUS.id: home / "cut.duckdb"}))
    configure("INFO")
    capture.readouterr()
    with running(home, policy=policy, engine=engine, noise=tape.noise, cap=50_000_000_000) as service:
        seen = observe(service, engine)
        service.services.ledger.verify()
    engine.close()
    return World(seen, ledger_rows(home), engine.ran, log_lines(capture.readouterr().err))


def test_every_statistic_is_asked() -> None:
    assert set(CASES) == set(STATISTICS) == {body["measures"][0]["statistic"] for body in ANSWERED}
    assert set(CASES) == {body["measures"][0]["statistic"] for body in ANSWERED if "totals" in body}


@pytest.mark.parametrize(
    ("victim", "crowd", "law"),
    [
        ("extreme", 40, Noise.GAUSSIAN),
        *(
            pytest.param(victim, crowd, law, marks=pytest.mark.slow)
            for victim, crowd, law in [
                ("empty-handed", 0, Noise.GAUSSIAN),
                ("extreme", 0, Noise.GAUSSIAN),
                ("lowest", 40, Noise.GAUSSIAN),
                ("empty-handed", 40, Noise.GAUSSIAN),
                ("spread", 40, Noise.GAUSSIAN),
                ("one row", 9, Noise.GAUSSIAN),
                ("one row", 0, Noise.GAUSSIAN),
                ("extreme", 40, Noise.LAPLACE),
                ("spread", 0, Noise.LAPLACE),
            ]
        ),
    ],
)
def test_one_pupil_changes_nothing_but_released_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], victim: str, crowd: int, law: Noise
) -> None:
    tape, others, policy = Tape(), pupils(crowd), {Noise.GAUSSIAN: RICH, Noise.LAPLACE: LAPLACE}[law]
    with_pupil = world(tmp_path / "with", [*others, *VICTIMS[victim]], tape, capsys, policy)
    tape.rewind()
    without = world(tmp_path / "without", others, tape, capsys, policy)
    tape.check_end()
    assert {call.law for call in tape.calls} == {law}
    for one, other in zip(with_pupil.responses, without.responses, strict=True):
        assert one == other
    assert with_pupil.ledger == without.ledger
    assert with_pupil.sql == without.sql
    assert with_pupil.log == without.log


def test_the_requests_are_what_they_are_meant_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape = Tape()
    seen = world(tmp_path / "one", pupils(40), tape, capsys)
    statuses = [status for status, *_ in seen.responses]
    answered = 2 * (len(ANSWERED) + len(DEARER) + 3)
    answers, rest = statuses[:answered], statuses[answered:]
    assert set(answers) == {200}
    assert rest[: 2 * len(REFUSED) : 2] == [422] * len(REFUSED)
    assert rest[2 * len(REFUSED) :] == [403, 200, 503, 200, 200]
    kinds = [row[1] for row in seen.ledger]
    assert kinds.count("failed") == 1
    assert len(seen.log) == len(statuses)
    assert len({call.nano_rho for call in tape.calls}) > 2, "refinement pays other prices than first answers"
    assert len(tape.calls) >= len(ANSWERED) / 2


def test_the_tape_would_catch_keys_taken_from_the_data() -> None:
    """Positive control: a table whose cells are those that occur has another shape without the pupil."""
    tape = Tape()
    tape.noise(np.zeros((5, 1), np.int64), 1, 5_000_000)
    tape.rewind()
    with pytest.raises(AssertionError):
        tape.noise(np.zeros((4, 1), np.int64), 1, 5_000_000)


def test_the_tape_would_catch_a_sensitivity_off_by_one() -> None:
    tape = Tape()
    tape.noise(np.full((1, 1), 6, np.int64), 25, 5_000_000)
    tape.rewind()
    with pytest.raises(AssertionError, match="further than was claimed"):
        tape.noise(np.zeros((1, 1), np.int64), 25, 5_000_000)


@pytest.mark.parametrize(("law", "moved"), [(Noise.GAUSSIAN, 2**2 + 3**2), (Noise.LAPLACE, 2 + 3)])
def test_the_tape_measures_by_the_law(law: Noise, moved: int) -> None:
    """Squared L2 or L1: what was claimed is allowed, and not one less."""
    with_pupil, without = np.array([[7], [1]], np.int64), np.array([[5], [4]], np.int64)
    for claimed, allowed in ((moved, nullcontext()), (moved - 1, pytest.raises(AssertionError, match="further"))):
        tape = Tape()
        tape.noise(with_pupil, claimed, 5_000_000, law=law)
        tape.rewind()
        with allowed:
            tape.noise(without, claimed, 5_000_000, law=law)
