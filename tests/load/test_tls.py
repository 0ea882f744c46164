"""A live server that speaks HTTPS itself: trusted by its certificate only, and never in the clear."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
from privacy_api.bootstrap import open_stores
from privacy_api.cli.cuts import bind, preset
from privacy_api.ports import Project
from privacy_api.settings import load_settings
from tests.lib import school
from tests.lib.structural import generate
from tests.load.conftest import free_port

pytestmark = pytest.mark.slow
PATH = "/v1/data-sets/school.census/query"
QUESTION = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def self_signed(folder: Path, name: str) -> Pair:
    """For 127.0.0.1, by the openssl command."""
    if shutil.which("openssl") is None:
        pytest.fail("this test makes its certificates with the command `openssl`: install it")
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    command += ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return made


@dataclass(frozen=True)
class Secure:
    """A live server, the address it listens at without the scheme, and a key for it."""

    address: str
    key: str
    pair: Pair

    @property
    def url(self) -> str:
        return f"https://{self.address}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    home = folder / "home"
    home.mkdir()
    key, pair, port = furnish(home), self_signed(folder, "server"), free_port()
    command = [sys.executable, "-m", "privacy_api", "serve", "--home", str(home), "--port", str(port)]
    command += ["--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key)]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PRIVACY_API_")}
    process = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        made = Secure(f"127.0.0.1:{port}", key, pair)
        wait_until_up(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def furnish(home: Path) -> str:
    """A home in live mode, and a key."""
    text = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
    catalogue, settings = load_catalogue(text), load_settings({}, home=home, mode="live")
    files = {name: [path] for name, path in generate(catalogue, 500, 1, home.parent).items()}
    ingest(catalogue, text, files, settings.cuts)
    bind(settings.policies, "school", preset("dp-default"))
    stores = open_stores(settings)
    stores.projects.create_project(Project("tests", "Tests", 500_000_000, school.GRANTS))
    key = stores.projects.create_key("tests", "", settings.environment)[1]
    stores.close()
    return key


def wait_until_up(server: Secure, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server did not start"
        try:
            httpx2.get(f"{server.url}/health", verify=server.pair.trusted)
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the server did not come up")


def test_it_answers_whoever_trusts_its_certificate(server: Secure) -> None:
    assert server.key.startswith("npd_live_")
    asked = httpx2.post(server.url + PATH, json=QUESTION, headers=server.headers, verify=server.pair.trusted)
    assert asked.status_code == 200
    assert [row["la"] for row in asked.json()["results"]] == ["A1", "A2", "A3", "A4", "A5"]
    assert httpx2.get(f"{server.url}/health", verify=server.pair.trusted).json()["environment"] == "live"


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/docs", 200), (PATH, 401), ("/nothing", 404)])
def test_every_response_says_https_only(server: Secure, path: str, status: int) -> None:
    response = httpx2.get(server.url + path, verify=server.pair.trusted)
    assert response.status_code == status
    assert response.headers["strict-transport-security"] == "max-age=31536000"


def test_a_certificate_that_is_not_trusted_is_not_talked_to(server: Secure, tmp_path: Path) -> None:
    """The positive control: the answers above rest on this certificate and no other."""
    other = self_signed(tmp_path, "other")
    for trusted in (ssl.create_default_context(), other.trusted):
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx2.get(f"{server.url}/health", verify=trusted)


def test_it_does_not_speak_in_the_clear(server: Secure) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.post(f"http://{server.address}{PATH}", json=QUESTION, headers=server.headers)
    assert httpx2.get(f"{server.url}/health", verify=server.pair.trusted).status_code == 200, "it is still there"
