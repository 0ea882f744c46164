"""Somebody who is signed in, as pages see them: a cookie, and forms sent as a browser without scripts sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2

from privacy_api.ports import Account, Role
from privacy_api.routes.credentials import PLAIN_COOKIE
from privacy_api.service.services import Services
from tests.lib.service import Service

PAGE = {"Accept": "text/html"}


def cookie_for(services: Services, account: Account) -> str:
    return services.sessions.start(account.id)[1]


def account_in(services: Services, *projects: str, name: str = "ada", role: Role = Role.RESEARCHER) -> Account:
    """The account of that name, which becomes a member of the projects."""
    known = services.accounts.by_subject("tests", name)
    found = known or services.accounts.create("tests", name, name.title(), f"{name}@example.org", frozenset({role}))
    for project in projects:
        services.accounts.join(found.id, project)
    return found


@dataclass
class Visitor:
    service: Service
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        return PAGE | {"Cookie": f"{PLAIN_COOKIE}={self.cookie}"}

    def get(self, address: str, status: int = 200) -> httpx2.Response:
        found = self.service.client.get(address, headers=self.headers, follow_redirects=False)
        assert found.status_code == status, f"{address}: {found.status_code}"
        return found

    def send(self, address: str, *fields: tuple[str, str], status: int = 303, to: str = "") -> httpx2.Response:
        """A form of the page at this address: with the token that is in it. to: where the form says it goes."""
        page = self.get(address).text
        token = re.search(r'name="csrf" value="([^"]+)"', page)
        assert token, "a page with a form"
        body = urlencode([("csrf", token[1]), *fields])
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert not to or f'action="{to}"' in page or f'formaction="{to}"' in page, "the form of the page"
        found = self.service.client.post(
            to or address, content=body, headers=self.headers | form, follow_redirects=False
        )
        assert found.status_code == status, f"{address}: {found.status_code} {found.text[:300]}"
        return found

    def walk(self, address: str, *steps: Sequence[tuple[str, str]]) -> str:
        """Sends one form after another, each of the page that the one before led to; where the last leads."""
        for fields in steps:
            address = self.send(address, *fields).headers["location"]
        return address


def visitor(service: Service, *projects: str, name: str = "ada", role: Role = Role.RESEARCHER) -> Visitor:
    account = account_in(service.services, *projects, name=name, role=role)
    return Visitor(service, cookie_for(service.services, account))


def main_text(page: httpx2.Response) -> str:
    """What can be read in the page, in one line."""
    body = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
