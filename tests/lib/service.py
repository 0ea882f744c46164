"""A whole service for tests: real ledger, validation and protection; engine and noise as the test likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from fastapi.testclient import TestClient

from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine, Row
from disclosure.listing import Lister, list_groups
from disclosure.noise import NoiseSource, add_noise
from disclosure.policy import Policy, load_policy
from privacy_api.bootstrap import Stores, open_shelf
from privacy_api.cli.cuts import preset
from privacy_api.gate import Gate
from privacy_api.ports import Engine, IdentityProvider, KeyRole, Project
from privacy_api.service.cuts import HostedCut
from privacy_api.service.hosting import Hosted
from privacy_api.service.services import Services, ignore_step
from privacy_api.stores.database import open_database
from privacy_api.stores.migrate import upgrade
from tests.lib import school
from tests.lib.template import application, migrated

DATA_SET = "school.census"
URL = f"/v1/data-sets/{DATA_SET}/query"
POLICY = preset("dp-default")
FREE_QUERIES = """
[ad_hoc]
acknowledged_risk = "Free queries can be differenced against each other."

[differencing]
most_populations = 100
plain = "Free queries of one data set may be about at most 100 different populations."
source = "docs/policy.md"
verified = false
owner = "disclosure officer of the cut"
"""
"""The optional rules that open an official policy, to stand after its others."""
OPEN_OFFICIAL = preset("dfe-draft") + FREE_QUERIES

LISTED_GROUPS = """
[listed_groups]
delta = 1e-12
delta_total = 1e-11
most_groups = 1000
plain = "Groups of which the noisy count is large enough may be listed."
source = "docs/theorems.md"
verified = false
owner = "disclosure officer of the cut"
"""
"""The optional rule, to stand after a policy's others."""
SYNTHETIC_MODEL = """
[synthetic_model]
most_rho = 0.015
plain = "A model of the pupils may be fitted, from which synthetic ones are drawn."
source = "docs/synthetic-model.md"
verified = false
owner = "disclosure officer of the cut"
"""


@dataclass(frozen=True)
class Service:
    services: Services
    client: TestClient
    key: str
    home: Path

    def ask(self, body: object, **parts: object) -> httpx2.Response:
        return self.client.post(URL, json=body, headers=self.auth, **parts)  # type: ignore[arg-type, return-value]

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def new_key(
        self,
        project: str,
        cap: int = 500_000_000,
        grants: frozenset[str] = school.GRANTS,
        role: KeyRole = KeyRole.RESEARCHER,
    ) -> dict[str, str]:
        if self.services.projects.project(project) is None:
            self.services.projects.create_project(Project(project, project, cap, grants))
        return {"Authorization": f"Bearer {self.services.projects.create_key(project, '', 'test', None, role)[1]}"}


@contextmanager
def running(
    home: Path,
    rows: Sequence[Row] = (),
    policy: str = POLICY,
    engine: Engine | None = None,
    noise: NoiseSource = add_noise,
    step: Callable[[str], None] = ignore_step,
    url: str = "",
    cap: int = 500_000_000,
    lister: Lister = list_groups,
    catalogue: str = school.CATALOGUE,
    provider: IdentityProvider | None = None,
    development: bool = False,
    secure: bool = False,
    now: Callable[[], str] = lambda: "2026-11-21T12:00:00+00:00",
) -> Iterator[Service]:
    if not url and not (home / "service.db").exists():
        (home / "service.db").write_bytes(migrated())
    database = open_database(url or f"sqlite:///{home / 'service.db'}")
    upgrade(database)
    stores = Stores.of(database, home / "anchor.json", home / "audit-anchor.json")
    projects = stores.projects
    if projects.project("tests") is None:
        projects.create_project(Project("tests", "Tests", cap, school.GRANTS))
    cut = HostedCut(load_catalogue(catalogue), "1", loaded(policy), engine or MemoryEngine({"census": list(rows)}))
    data_sets = Hosted((cut,), stores.terms)
    shelf = open_shelf(home / "synthetic")
    services = stores.services(data_sets, "test", now, noise, step, lister, provider, data_sets.refresh, shelf)
    with (
        application(services, Gate(2, 64), secure, development) as app,
        TestClient(app, f"http{'s' * secure}://testserver", raise_server_exceptions=False) as client,
    ):
        yield Service(services, client, projects.create_key("tests", "", "test")[1], home)
    services.tallies.close()
    database.dispose()


def loaded(policy: str) -> Policy:
    return load_policy(policy)


def pupils(count: int, la: int = 0, first: int = 0) -> list[Row]:
    """`count` pupils, one row each in the first year."""
    by_name = school.census().by_name
    return [
        Row(
            first + i,
            {"year": 0, "la": la, "sex": i % 2, "need": i % 11, "score": school.score_atom(i % 17, by_name["score"])},
            {"score": i % 17, "days": i % 200},
        )
        for i in range(count)
    ]
