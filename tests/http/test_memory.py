"""What an answer takes while it is made, and that it leaves nothing behind."""

from __future__ import annotations

import gc
import tracemalloc
from itertools import combinations
from pathlib import Path

from tests.lib.service import Service, running

MIB = 2**20


def ask(service: Service, needs: tuple[str, ...]) -> None:
    body = {"measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "days"}], "rho": "0.0001"}
    criteria = {"filters": {"need": {"in": list(needs)}}}
    answer = service.ask({**body, "groupBy": ["la", "sex"], "criteria": criteria})
    assert answer.status_code == 200, answer.text


def test_answers_leave_nothing_behind_and_take_little(tmp_path: Path) -> None:
    questions = list(combinations("abcdefghijk", 3))
    with running(tmp_path) as service:
        for needs in questions[:10]:
            ask(service, needs)
        tracemalloc.start()
        try:
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for needs in questions[10:50]:
                ask(service, needs)
            gc.collect()
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < MIB, "forty answers, none of which is kept"
    assert peak - before < 50 * MIB, "one at a time"
