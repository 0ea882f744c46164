"""Real servers on real sockets, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import sqlalchemy

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
from privacy_api.bootstrap import Stores, open_stores
from privacy_api.cli.cuts import bind, preset
from privacy_api.ports import Project
from privacy_api.settings import Settings, load_settings
from tests.lib import school
from tests.lib.structural import generate

POSTGRES = os.environ.get("PRIVACY_API_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@dataclass(frozen=True)
class Home:
    settings: Settings
    key: str

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        opened = open_stores(self.settings)
        try:
            yield opened
        finally:
            opened.close()

    def spent(self) -> int:
        """nano-rho that a whole ledger says were spent."""
        with self.stores() as stores:
            stores.ledger.verify()
            return stores.ledger.cut_balance("school", 0).spent

    @property
    def environ(self) -> dict[str, str]:
        given = {"HOME": self.settings.home, "MODE": "demo", "DATABASE_URL": self.settings.database_url}
        given["QUERY_SECONDS"] = str(self.settings.query_seconds)
        mine = {k: v for k, v in os.environ.items() if not k.startswith("PRIVACY_API_")}
        return mine | {f"PRIVACY_API_{k}": str(v) for k, v in given.items() if v}


class Quiet:
    def step(self, name: str, done: int, total: int) -> None:
        """Nobody watches."""


@contextmanager
def postgres_database() -> Iterator[str]:
    """A database of its own on the test server; never skipped in CI."""
    server = sqlalchemy.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    name = f"privacy_api_{secrets.token_hex(6)}"
    try:
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"create database {name}"))
    except sqlalchemy.exc.OperationalError:
        if os.environ.get("CI"):
            raise
        pytest.skip("no PostgreSQL at PRIVACY_API_TEST_POSTGRES")
    try:
        yield sqlalchemy.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"drop database {name} with (force)"))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    if request.param == "sqlite":
        yield make_home(tmp_path, "")
    else:
        with postgres_database() as url:
            yield make_home(tmp_path, url)


def make_home(path: Path, url: str) -> Home:
    settings = load_settings({}, home=path, mode="demo", database_url=url, query_seconds=1.0)
    catalogue = load_catalogue(school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1"))
    text = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
    files = {name: [p] for name, p in generate(catalogue, 500, 1, path).items()}
    ingest(catalogue, text, files, settings.cuts, Quiet())
    bind(settings.policies, "school", preset("dp-default"))
    stores = open_stores(settings)
    stores.projects.create_project(Project("tests", "Tests", 500_000_000, school.GRANTS))
    key = stores.projects.create_key("tests", "", "test")[1]
    stores.close()
    return Home(settings, key)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve(home: Home) -> Iterator[Callable[..., tuple[str, subprocess.Popen[bytes]]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **environ: str) -> tuple[str, subprocess.Popen[bytes]]:
        port = free_port()
        arguments = [a.replace("{port}", str(port)) for a in command]
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=home.environ | environ, stderr=subprocess.DEVNULL
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, process)
        return url, process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise AssertionError("the server did not start")
        try:
            if httpx2.get(f"{url}/health").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
