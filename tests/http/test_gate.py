"""The gate: how many queries run and wait, what the next one is told, and when answers leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import anyio
import httpx2
import pytest
from fastapi.testclient import TestClient

from datasets.engines.memory import MemoryEngine
from datasets.plan import EngineFailed, Plan
from disclosure.tables import ExactTable
from privacy_api.app import create_app
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import Gate, pad
from privacy_api.routes import queries
from tests.lib.service import URL, Service, pupils, running

SOON = 20
"""Seconds after which a test is taken to hang; nothing waits so long."""


class Slow:
    """The plain engine behind a barrier: a query that has come in stays in until it is let through, or made to fail."""

    def __init__(self) -> None:
        self._real = MemoryEngine({"census": pupils(40)})
        self.came_in, self.let_through = threading.Semaphore(0), threading.Semaphore(0)
        self.error: Exception | None = None

    def aggregate(self, plan: Plan) -> ExactTable:
        self.came_in.release()
        assert self.let_through.acquire(timeout=SOON)
        if self.error is not None:
            raise self.error
        return self._real.aggregate(plan)

    def close(self) -> None:
        """Nothing is open."""


class Desk:
    """A service with an engine that waits, and people who ask it different questions at once."""

    def __init__(self, service: Service, engine: Slow, client: TestClient, pool: ThreadPoolExecutor) -> None:
        self.engine, self._service, self._client, self._pool = engine, service, client, pool

    def ask(self, need: str) -> Future[httpx2.Response]:
        question = {"measures": [{"statistic": "count"}], "criteria": {"filters": {"need": {"eq": need}}}}
        return self._pool.submit(lambda: self._client.post(URL, json=question, headers=self._service.auth))

    def get(self, path: str) -> None:
        assert self._client.get(path).status_code == 200

    def until_inside(self) -> None:
        assert self.engine.came_in.acquire(timeout=SOON)

    def let_through(self, error: Exception | None = None) -> None:
        self.engine.error = error
        self.engine.let_through.release()

    @property
    def spent(self) -> int:
        path = "/v1/projects/tests/budget"
        return round(self._client.get(path, headers=self._service.auth).json()["budget"]["spentRho"] * 1000)


@contextmanager
def desk(home: Path, gate: Gate) -> Iterator[Desk]:
    engine = Slow()
    with ExitStack() as stack:
        service = stack.enter_context(running(home, engine=engine))
        app = create_app(service.services, gate)
        client = stack.enter_context(TestClient(app, raise_server_exceptions=False))
        pool = stack.enter_context(ThreadPoolExecutor(8))
        try:
            yield Desk(service, engine, client, pool)
        finally:
            for _ in range(8):
                engine.let_through.release()


def test_a_full_queue_is_refused_at_once_and_charged_nothing(tmp_path: Path) -> None:
    with desk(tmp_path, Gate(1, 0)) as at:
        first = at.ask("a")
        at.until_inside()
        refused = at.ask("b").result(SOON)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
        assert refused.headers["retry-after"] == "2"
        assert refused.headers["content-type"] == "application/problem+json"
        assert not first.done(), "it was refused while the first was still being computed"
        at.let_through()
        assert first.result(SOON).status_code == 200
        assert at.spent == 5, "the refused question cost nothing"
        at.let_through()
        assert at.ask("b").result(SOON).status_code == 200, "asked again, there is a place"


def test_a_query_that_waits_gets_its_turn(tmp_path: Path) -> None:
    with desk(tmp_path, Gate(1, 1)) as at:
        first = at.ask("a")
        at.until_inside()
        (refused,), (waiting,) = wait([at.ask("b"), at.ask("c")], SOON, FIRST_COMPLETED)
        assert refused.result().status_code == 429, "whoever came third"
        assert not at.engine.came_in.acquire(timeout=0.1), "one place: the second is not computed beside the first"
        at.let_through()
        at.until_inside()
        at.let_through()
        assert (first.result(SOON).status_code, waiting.result(SOON).status_code) == (200, 200)


@pytest.mark.parametrize("error", [EngineFailed(), RuntimeError("7919"), MemoryError()], ids=lambda e: type(e).__name__)
def test_a_place_is_given_back_after_an_error(tmp_path: Path, error: Exception) -> None:
    with desk(tmp_path, Gate(1, 0)) as at:
        for need in "abc":
            failing = at.ask(need)
            at.until_inside()
            at.let_through(error)
            assert failing.result(SOON).status_code >= 500
        at.let_through()
        assert at.ask("d").result(SOON).status_code == 200


def test_questions_that_are_refused_take_no_place(tmp_path: Path) -> None:
    with desk(tmp_path, Gate(1, 0)) as at:
        for _ in range(3):
            assert at.ask("nothing").result(SOON).status_code == 422
        at.let_through()
        assert at.ask("a").result(SOON).status_code == 200


@pytest.mark.parametrize(("running_at_once", "waiting"), [(1, 0), (2, 3), (3, 1)])
def test_exactly_as_many_as_are_allowed(running_at_once: int, waiting: int) -> None:
    """Many at one gate: never more inside than places, and everyone else is refused."""
    gate, allowed = Gate(running_at_once, waiting), running_at_once + waiting
    guard, leave = threading.Lock(), threading.Event()
    inside, most, outcomes = 0, 0, list[str]()

    def work() -> None:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        assert leave.wait(SOON)
        with guard:
            inside -= 1

    async def one() -> None:
        try:
            await gate.run(work)
            outcomes.append("served")
        except ApiError as error:
            assert (error.code, error.retry_after) == (ErrorCode.TOO_MANY_REQUESTS, 2)
            outcomes.append("refused")

    async def everybody() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(one)
            with anyio.fail_after(SOON):
                while inside < running_at_once or len(outcomes) < 20 - allowed:
                    await anyio.sleep(0.01)
            leave.set()

    anyio.run(everybody)
    assert (most, outcomes.count("served"), outcomes.count("refused")) == (running_at_once, allowed, 20 - allowed)


@pytest.mark.parametrize(("times", "patience", "answered"), [(3, SOON, True), (10_000, 0.2, False)])
def test_whoever_asks_what_another_asks_waits_outside_and_not_for_ever(
    times: int, patience: float, answered: bool
) -> None:
    gate, asked, served = Gate(1, 0, patience), 0, False

    def work() -> None:
        nonlocal asked
        asked += 1
        if asked <= times:
            raise ApiError(ErrorCode.IN_PROGRESS)

    async def one() -> None:
        nonlocal served
        try:
            await gate.run(work)
            served = True
        except ApiError as error:
            assert error.code is ErrorCode.IN_PROGRESS

    anyio.run(one)
    assert served is answered
    assert asked == times + 1 if answered else asked > 1


def test_queries_leave_the_rest_of_the_service_alone(tmp_path: Path) -> None:
    """Every place taken and a long queue: health and catalogue answer as if nothing were."""
    with desk(tmp_path, Gate(1, 60)) as at:
        for need in "abcdefg":
            at.ask(need)
        at.until_inside()
        for path in ("/health", "/v1/data-sets"):
            assert elapsed(lambda path=path: at.get(path)) < 2
        for _ in "abcdefg":
            at.let_through()


def elapsed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


@pytest.mark.parametrize(("since", "slot_ms", "wanted"), [(0.0, 200, 0.2), (0.12, 200, 0.2), (0.28, 200, 0.4)])
def test_padding_sleeps_to_the_next_slot(
    monkeypatch: pytest.MonkeyPatch, since: float, slot_ms: int, wanted: float
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("privacy_api.gate.time", SimpleNamespace(monotonic=lambda: 100.0 + since))
    monkeypatch.setattr("privacy_api.gate.anyio", SimpleNamespace(sleep=sleep))
    anyio.run(pad, 100.0, slot_ms)
    assert slept == [pytest.approx(wanted - since)]


def test_padding_takes_as_long_as_it_says() -> None:
    started = time.monotonic() - 0.12
    anyio.run(pad, started, 200)
    assert time.monotonic() - started >= 0.2


def test_padding_can_be_off() -> None:
    assert elapsed(lambda: anyio.run(pad, time.monotonic(), 0)) < 2


@pytest.mark.parametrize("error", [None, EngineFailed(), RuntimeError()], ids=lambda e: type(e).__name__)
def test_answers_and_errors_leave_at_a_slot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception | None
) -> None:
    engine = Slow()
    slots: list[int] = []

    async def noted(started: float, slot_ms: int) -> None:
        slots.append(slot_ms)
        await pad(started, slot_ms)

    monkeypatch.setattr(queries, "pad", noted)
    with running(tmp_path, engine=engine) as service:
        padded = create_app(service.services, Gate(1, 0), latency_slot_ms=400)
        with TestClient(padded, raise_server_exceptions=False) as client:
            engine.error = error
            engine.let_through.release()
            question = {"measures": [{"statistic": "count"}]}
            took = elapsed(lambda: client.post(URL, json=question, headers=service.auth))
            assert (took >= 0.4, slots) == (True, [400])


def test_what_is_stored_does_not_wait_for_a_slot(tmp_path: Path) -> None:
    """It is read without a look at the data."""
    with running(tmp_path) as service:
        assert service.ask({"measures": [{"statistic": "count"}]}).status_code == 200
        padded = create_app(service.services, Gate(1, 0), latency_slot_ms=10_000)
        with TestClient(padded) as client:
            took = elapsed(lambda: client.post(URL, json={"measures": [{"statistic": "count"}]}, headers=service.auth))
            assert took < 9
