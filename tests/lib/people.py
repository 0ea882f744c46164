"""The made-up people of the tests, each with a session, so that requests can be sent as any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from privacy_api.governance.caller import Caller
from privacy_api.governance.csrf import HEADER, token_of
from privacy_api.ports import Account, Role
from tests.lib.service import Service, pupils, running

CAST = {
    "ada": Role.RESEARCHER,
    "bea": Role.RESEARCHER,
    "dev": Role.DEVELOPER,
    "olive": Role.DISCLOSURE_OFFICER,
    "oscar": Role.DISCLOSURE_OFFICER,
    "cora": Role.DATA_CUSTODIAN,
    "audrey": Role.AUDITOR,
    "adam": Role.ADMIN,
}


@dataclass(frozen=True)
class House:
    """A service with people in it."""

    service: Service
    accounts: dict[str, Account]
    headers: dict[str, dict[str, str]]

    def send(self, who: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        headers = self.headers[who] if who else {}
        return self.service.client.request(method, path, json=body, headers=headers)  # type: ignore[return-value]

    def get(self, who: str, path: str) -> Any:
        found = self.send(who, "GET", path)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, who: str, path: str, body: Any = None, status: int = 200, method: str = "POST") -> Any:
        found = self.send(who, method, path, {} if body is None else body)
        assert found.status_code == status, f"{path}: {found.status_code} {found.text}"
        return found.json()

    def caller(self, who: str) -> Caller:
        return Caller(self.account(who))

    def account(self, who: str) -> Account:
        found = self.service.services.accounts.account(self.accounts[who].id)
        assert found is not None
        return found


def settled(service: Service, cast: Sequence[str] = tuple(CAST)) -> House:
    services, accounts, headers = service.services, {}, {}
    for name in cast:
        email = f"{name}@example.org"
        account = services.accounts.create("https://i.example", name, name.title(), email, frozenset({CAST[name]}))
        session, cookie = services.sessions.start(account.id)
        accounts[name] = account
        headers[name] = {"Cookie": f"session={cookie}", HEADER: token_of(session)}
    return House(service, accounts, headers)


@contextmanager
def house(home: Path, url: str = "", **parts: Any) -> Iterator[House]:
    with running(home, [*pupils(4000), *pupils(3, la=4, first=10_000)], url=url, **parts) as service:
        yield settled(service)
