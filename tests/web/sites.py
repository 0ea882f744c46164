"""Services to look at: the demonstration with few pupils, twice, since on one of them things have happened; one of
official mode; and NPD's catalogue without any pupils, where people sign in with a provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import BrowserContext

from datasets.npd import FOLDER
from privacy_api.bootstrap import make_app
from privacy_api.cli.common import read_catalogue
from privacy_api.oidc.provider import OidcProvider, ProviderOptions
from privacy_api.ports import Account
from privacy_api.routes.credentials import PLAIN_COOKIE
from privacy_api.service.answer_query import answer_query
from privacy_api.service.identity import principal_in
from privacy_api.service.services import Services
from privacy_api.settings import load_settings
from privacy_api.wire.query_in import read_query
from tests.lib.demo_cut import DATA_SET, build
from tests.lib.oidc import AUDIENCE, CLIENT, SECRET, providing
from tests.lib.service import OPEN_OFFICIAL, Service, pupils, running
from tests.web.browser import listening
from tests.web.visitor import account_in, cookie_for

PUPILS = 2000


@dataclass(frozen=True)
class Site:
    url: str
    app: FastAPI
    key: str
    project: str = "demo"

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found

    @cached_property
    def account(self) -> Account:
        """A researcher, in the site's project."""
        return account_in(self.services, self.project)

    def sign_in(self, context: BrowserContext, account: Account | None = None) -> None:
        cookie = cookie_for(self.services, account or self.account)
        context.add_cookies([{"name": PLAIN_COOKIE, "value": cookie, "url": self.url}])

    def answer(self, query: dict[str, Any], data_set: str = DATA_SET) -> str:
        """The id of the release."""
        principal = principal_in(self.account, self.project, self.services)
        return answer_query(read_query(query, data_set), principal, self.services).release


@contextmanager
def demo_site(home: Path) -> Iterator[Site]:
    """A small cut of 2,000 pupils, served as `privacy-api demo` serves its own."""
    settings = load_settings({}, home=home, mode="demo", log_level="ERROR", development_sign_in=True)
    key, app = build(settings, PUPILS), make_app(settings)
    try:
        with listening(app) as url:
            yield Site(url, app, key)
    finally:
        app.state.services.close()


@contextmanager
def official_site(home: Path) -> Iterator[Site]:
    rows = [row for la in range(5) for row in pupils(1000 + 200 * la, la=la, first=10_000 * la)]
    with running(home, rows, OPEN_OFFICIAL) as service, served(service) as site:
        yield site


@contextmanager
def npd_site(home: Path) -> Iterator[Site]:
    with providing() as provider:
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, SECRET, AUDIENCE))
        with running(home, catalogue=read_catalogue(FOLDER), provider=ours) as service, served(service) as site:
            yield site


@contextmanager
def served(service: Service) -> Iterator[Site]:
    app: FastAPI = service.client.app  # type: ignore[assignment]
    with listening(app) as url:
        yield Site(url, app, service.key, "tests")


SITES = {"demo": demo_site, "later": demo_site, "official": official_site, "npd": npd_site}
