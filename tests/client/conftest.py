"""The client against the real application: the demonstration's catalogue, an engine of round numbers, no noise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from privacy_api_client import Client

from datasets.catalogue_toml import load_catalogue
from datasets.plan import Plan
from disclosure.aggregates import Aggregate, bins_of
from disclosure.tables import ExactGroups, ExactTable, Integers
from privacy_api.app import create_app
from privacy_api.gate import Gate
from privacy_api.ports import Engine
from privacy_api.service.cuts import HostedCut, hosted
from tests.lib.service import POLICY, loaded, running
from tests.lib.structural import SMALL


class RoundNumbers:
    """Nobody in the first cell, a thousand everywhere else."""

    def aggregate(self, plan: Plan) -> ExactTable:
        return ExactTable({a: self._values(plan, a) for a in plan.aggregates}, plan.cells)

    def listed(self, plan: Plan) -> ExactGroups:
        return ExactGroups(np.arange(1, plan.cells), np.full(plan.cells - 1, 1000, np.int64))

    def _values(self, plan: Plan, aggregate: Aggregate) -> Integers:
        values = np.full((plan.cells, bins_of(aggregate)), 1000, np.int64)
        values[0] = 0
        return values

    def close(self) -> None:
        pass


def no_noise(values: Integers, l2_squared: int, nano_rho: int) -> Integers:
    return values.copy()


@dataclass(frozen=True)
class Demo:
    """A running service, a key of its project "demo", and all that was asked of it."""

    http: TestClient
    key: str
    asked: list[httpx2.Request]

    def client(self, key: str = "") -> Client:
        return Client("http://localhost", key or self.key, transport=httpx2.MockTransport(self.pass_on))

    def pass_on(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = self.http.send(request)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)


Demos = Callable[..., AbstractContextManager[Demo]]


@pytest.fixture
def demos(tmp_path: Path) -> Demos:
    @contextmanager
    def made(
        policy: str = POLICY, engine: Engine | None = None, cap: int = 500_000_000, catalogue: str = ""
    ) -> Iterator[Demo]:
        with running(tmp_path, noise=no_noise) as service:
            key = service.new_key("demo", cap)["Authorization"].removeprefix("Bearer ")
            read = load_catalogue(catalogue or SMALL.read_text(encoding="utf-8"))
            cut = HostedCut(read, "1", loaded(policy), engine or RoundNumbers())
            app = create_app(replace(service.services, data_sets=hosted((cut,))), Gate(2, 64))
            with TestClient(app, raise_server_exceptions=False) as http:
                yield Demo(http, key, [])

    return made


@pytest.fixture
def demo(demos: Demos) -> Iterator[Demo]:
    with demos() as made:
        yield made


@pytest.fixture
def client(demo: Demo) -> Iterator[Client]:
    with demo.client() as made:
        yield made


@pytest.fixture
def environment() -> Mapping[str, str]:
    """For child processes: nothing of Python's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
