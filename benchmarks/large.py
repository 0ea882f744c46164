"""Where the time of a large answer goes: 20,520 cells, and noise on 100,000 numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from disclosure.noise import CHUNK, discrete_gaussian, noised, sigma
from privacy_api.ports import Principal
from privacy_api.service.answer_query import answer_query
from privacy_api.service.services import Services
from privacy_api.wire.query_in import read_query

QUESTIONS: dict[str, dict[str, object]] = {
    "count": {"measures": [{"statistic": "count"}]},
    "mean": {"measures": [{"statistic": "mean", "variable": "sessions"}]},
    "count, with totals by year, by LA, by both and in all": {
        "measures": [{"statistic": "count"}],
        "totals": [[], ["year"], ["la"], ["year", "la"]],
    },
}
PARTS = {
    "reserved": "validate, price, charge",
    "aggregated": "scan",
    "measured": "noise",
    "stored": "intervals, document, store",
}


def question(name: str) -> dict[str, object]:
    """Nine years × 152 areas × 15 year groups."""
    nine = {"timePeriods": {"gte": {"period": "2011", "code": "CY"}}}
    return {"groupBy": ["year", "la", "year_group"], "criteria": nine, "rho": "0.001", **QUESTIONS[name]}


def answers(services: Services, principal: Principal) -> dict[str, dict[str, float]]:
    """CPU milliseconds of each part, by question."""
    found = {}
    for name in QUESTIONS:
        marks = {"asked": time.process_time()}

        def step(at: str, marks: dict[str, float] = marks) -> None:
            marks[at] = time.process_time()

        answer_query(read_query(question(name), "bench.census"), principal, replace(services, step=step))
        stages = ["asked", *PARTS]
        found[name] = {PARTS[after]: 1000 * (marks[after] - marks[before]) for before, after in pairwise(stages)}
    return found


def noise_on_100_000() -> dict[str, float]:
    """Wall milliseconds: in one piece, and as a running service draws it."""
    import opendp.prelude as dp

    cells, price = np.zeros((100_000, 1), np.int64), 1_000_000
    domain, metric = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    whole = dp.m.make_gaussian(domain, metric, scale=sigma(1, price))
    noised(whole, cells[:CHUNK])
    return {
        "one thread": _wall(lambda: whole(cells.ravel())),
        "ours": _wall(lambda: discrete_gaussian(cells, 1, price)),
    }


def _wall(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return min(times)
