"""The OpenAPI document is a promise: whatever is sent, each route answers as it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from privacy_api.governance.csrf import HEADER, token_of
from privacy_api.ports import Role
from tests.lib.applying import begun, sent
from tests.lib.contract import Verdict, covered, held_against
from tests.lib.people import House, settled
from tests.lib.released import put_out_made_up
from tests.lib.service import Service, pupils, running

KNOWN = {
    "data_set": ("school.census",),
    "project": ("tests",),
    "cut": ("school",),
    "version": ("1",),
    "scope": ("cut", "project", "person"),
    "name": ("school", "tests"),
    "step": ("purpose", "people", "3", "sensitive", "5", "fiveSafes"),
}
FEW = frozenset(
    {
        "GET /health",
        "GET /v1/data-sets/{data_set}/meta",
        "POST /v1/data-sets/{data_set}/query",
        "GET /v1/data-sets/{data_set}/query/preview",
        "GET /v1/audit",
        "GET /v1/synthetic/releases",
        "GET /v1/synthetic/releases/{release}",
        "GET /v1/synthetic/releases/{release}/report",
        "GET /v1/synthetic/releases/{release}/download/{table}",
        "PUT /v1/budgets/{scope}/{name}",
        "POST /v1/keys",
        "PUT /v1/applications/{application}/steps/{step}",
    }
)
CALLERS = {"anonymous": 4, "key": 8, "officer": 18, "admin": 4}
"""Examples of each operation."""
ALL = 2_000
OFFICES = {
    "officer": frozenset({Role.RESEARCHER, Role.DISCLOSURE_OFFICER, Role.DATA_CUSTODIAN}),
    "admin": frozenset({Role.ADMIN}),
}


@contextmanager
def asked(home: Path, who: str) -> Iterator[tuple[Service, dict[str, str], dict[str, tuple[str, ...]]]]:
    """A service in which there is something of everything, and the headers of whoever asks."""
    with running(home, pupils(400)) as service:
        people = settled(service)
        yield service, _headers(service, who), KNOWN | _made(people)


def _headers(service: Service, who: str) -> dict[str, str]:
    if who == "anonymous":
        return {}
    if who == "key":
        return service.auth
    account = service.services.accounts.create("https://i.example", "otto", "Otto", "otto@example.org", OFFICES[who])
    session, cookie = service.services.sessions.start(account.id)
    return {"Cookie": f"session={cookie}", HEADER: token_of(session)}


def _made(people: House) -> dict[str, tuple[str, ...]]:
    draft, waiting = begun(people), sent(people, who="bea")
    raised = people.post("olive", "/v1/budgets/project/tests", {"rho": 0.9, "reason": "More work."}, 202, "PUT")
    release = people.service.ask({"measures": [{"statistic": "count"}], "groupBy": ["sex"]})
    return {
        "application": tuple(path.rsplit("/", 1)[1] for path in (draft, waiting)),
        "proposal": (raised["id"],),
        "release": (release.headers["release-id"], put_out_made_up(people.service.services)),
        "table": ("census",),
        "account": (people.accounts["ada"].id,),
    }


def run(home: Path, who: str, each: int, only: frozenset[str] | None = None) -> Verdict:
    with asked(home, who) as (service, headers, known):
        return held_against(service.client.app, headers, known, each, only)


def edges(home: Path) -> Verdict:
    with asked(home, "officer") as (service, headers, _):
        return covered(service.client.app, headers)


def check(verdict: Verdict) -> None:
    assert not verdict.failures, "\n\n".join(f"{where}\n{what}" for where, what in verdict.failures.items())
    assert not [status for status in verdict.statuses if status >= 500], verdict.statuses


def test_a_few_routes_answer_as_the_document_says(tmp_path: Path) -> None:
    verdict = run(tmp_path, "officer", 6, FEW)
    check(verdict)
    assert verdict.sent >= 30


def test_a_status_that_the_document_does_not_name_is_noticed(tmp_path: Path) -> None:
    """The control: the same check of an application that answers once as nobody promised."""
    with running(tmp_path) as service:
        found = held_against(Planted(service.client.app), {}, {}, 1, frozenset({"GET /health", "GET /v1/data-sets"}))
    assert list(found.failures) == ["GET /health: UndefinedStatusCode"]


class Planted:
    """Says of the health of the service that it conflicts with something."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def other(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["path"] == "/health":
                message = {**message, "status": 409}
            await send(message)

        await self._app(scope, receive, other)


@pytest.mark.slow
def test_every_route_answers_as_the_document_says_at_its_edges(tmp_path: Path) -> None:
    check(edges(tmp_path))


@pytest.mark.slow
def test_every_route_answers_as_the_document_says_to_everybody(tmp_path: Path) -> None:
    sent_in_all = 0
    for who, each in CALLERS.items():
        home = tmp_path / who
        home.mkdir()
        verdict = run(home, who, each)
        check(verdict)
        sent_in_all += verdict.sent
    assert sent_in_all >= ALL
