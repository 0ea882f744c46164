"""Many clients, several workers, sudden death: the budget holds and nothing is released without its charge."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import httpx2
import pytest

from tests.load.conftest import Home

pytestmark = pytest.mark.slow
Serve = Callable[..., tuple[str, subprocess.Popen[bytes]]]
PATH = "/v1/data-sets/school.census/query"
CLIENTS = 64
STEPS = ["asked", "reserved", "aggregated", "measured", "stored"]


def questions() -> list[dict[str, object]]:
    """More different questions than the budget covers."""
    found: list[dict[str, object]] = []
    for size in (1, 2, 3):
        for needs in combinations("abcdefghijk", size):
            found.append({"measures": [{"statistic": "count"}], "criteria": {"filters": {"need": {"in": list(needs)}}}})
    return found[:160]


def test_64_clients_on_two_workers_never_overspend(home: Home, serve: Serve) -> None:
    url, _ = serve("privacy_api", "serve", "--port", "{port}", "--workers", "2")
    limits = httpx2.Limits(max_connections=CLIENTS)
    headers = {"Authorization": f"Bearer {home.key}"}

    with httpx2.Client(base_url=url, headers=headers, limits=limits, timeout=60) as client:

        def ask(question: dict[str, object]) -> tuple[int, int, str]:
            response = client.post(PATH, json=question)
            return response.status_code, int(response.headers.get("charge-nano-rho", 0)), response.text

        with ThreadPoolExecutor(CLIENTS) as pool:
            twice = [q for q in questions() for _ in range(2)]
            seen = list(pool.map(ask, twice))
            again = list(pool.map(ask, questions()))

    assert {status for status, *_ in seen + again} == {200, 403}
    charged = sum(charge for _, charge, _ in seen)
    assert charged == 500_000_000, "exactly as much as fits, to the last nano-rho"
    assert all(charge == 0 for _, charge, _ in again)
    values = {}
    for question, (status, _, text) in zip([*twice, *questions()], seen + again, strict=True):
        if status == 200:
            results = text[text.index('"results"') :]
            assert values.setdefault(str(question), results) == results, "one question, two answers"
    assert len(values) == 100
    assert home.spent() == 500_000_000


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_nothing_is_released_without_its_charge(home: Home, serve: Serve, step: str) -> None:
    question = {"measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "days"}], "groupBy": ["sex"]}
    headers = {"Authorization": f"Bearer {home.key}"}
    url, process = serve("tests.load.killable", "{port}", step)
    with pytest.raises(httpx2.TransportError):
        httpx2.post(url + PATH, json=question, headers=headers, timeout=30)
    assert process.wait(20) == -9

    spent = home.spent()
    assert spent == (0 if step == "asked" else 10_000_000)

    url, _ = serve("privacy_api", "serve", "--port", "{port}")
    answer = httpx2.post(url + PATH, json=question, headers=headers, timeout=60)
    assert answer.status_code == 200
    charged_again = answer.json()["charge"]["nanoRho"]
    assert charged_again == (0 if step == "stored" else 10_000_000)
    assert httpx2.post(url + PATH, json=question, headers=headers).json()["charge"]["nanoRho"] == 0
    assert home.spent() == spent + charged_again
