"""Two services to look at: the demonstration with few pupils, and NPD's catalogue without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from datasets.npd import FOLDER
from privacy_api.bootstrap import make_app
from privacy_api.cli.common import read_catalogue
from privacy_api.cli.demo import _build, _new_key
from privacy_api.service.services import Services
from privacy_api.settings import load_settings
from tests.lib.service import running
from tests.web.browser import listening

PUPILS = 2000


@dataclass(frozen=True, slots=True)
class Site:
    url: str
    app: FastAPI
    key: str

    @property
    def services(self) -> Services:
        found: Services = self.app.state.services
        return found


@contextmanager
def demo_site(home: Path) -> Iterator[Site]:
    """What `privacy-api demo` serves, with 2,000 pupils."""
    settings = load_settings({}, home=home, mode="demo", log_level="ERROR", development_sign_in=True)
    _build(settings, PUPILS)
    key, app = _new_key(settings), make_app(settings)
    try:
        with listening(app) as url:
            yield Site(url, app, key)
    finally:
        app.state.services.close()


@contextmanager
def npd_site(home: Path) -> Iterator[Site]:
    with running(home, catalogue=read_catalogue(FOLDER)) as service, listening(service.client.app) as url:  # type: ignore[arg-type]
        yield Site(url, service.client.app, service.key)  # type: ignore[arg-type]


SITES = {"demo": demo_site, "npd": npd_site}
