"""Where the key may be sent."""

from __future__ import annotations

import ssl

import httpx2
import pytest
from privacy_api_client import Client

KEY = "npd_test_a1b2c3d4_secret"


def seen(url: str, key: str = KEY, insecure: bool = False) -> httpx2.Request:
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return httpx2.Response(200, json={"results": []})

    with Client(url, key, insecure=insecure, transport=httpx2.MockTransport(answer)) as client:
        client.data_sets()
    return requests[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://pupils.example",
        "http://127.0.0.1:8000",
        "http://127.8.9.10",
        "http://localhost:8000/",
        "http://[::1]:80",
    ],
)
def test_addresses_that_are_taken(url: str) -> None:
    request = seen(url)
    assert request.url.path == "/v1/data-sets"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"].startswith("privacy-api-client/")


def test_a_service_under_a_path() -> None:
    assert seen("https://gateway.example/pupils/").url.path == "/pupils/v1/data-sets"


@pytest.mark.parametrize(
    "url", ["http://pupils.example", "http://10.0.0.5:8000", "http://localhost.example", "http://128.0.0.1"]
)
def test_plain_http_leaves_this_machine_only_when_told_to(url: str) -> None:
    with pytest.raises(ValueError, match="plain http would show the key"):
        Client(url, KEY)
    assert seen(url, insecure=True).url.scheme == "http"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pupils.example",
        "127.0.0.1:8000",
        "ftp://pupils.example",
        "https://",
        "https://u:p@pupils.example",
        "https://pupils.example/?key=1",
        "https://pupils.example/#a",
        "https://\x00",
    ],
)
def test_addresses_that_are_not(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(not an address|write the address in full|the address takes no user)"):
        Client(url, KEY, insecure=True)


def test_a_key_from_a_file_may_end_a_line() -> None:
    assert seen("https://pupils.example", f" {KEY}\n").headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["", " \n", "two words", "secret\nX-Other: 1", "sécret"])
def test_a_key_that_is_none_is_refused_unseen(key: str) -> None:
    with pytest.raises(ValueError, match="that is not an API key") as raised:
        Client("https://pupils.example", key)
    assert "secret" not in str(raised.value)


def test_a_proxy_of_the_environment_is_for_other_machines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent in the clear to this machine goes nowhere else; httpx2 has one mount per proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    for url, proxied in (("http://127.0.0.1:8000", False), ("https://pupils.example", True)):
        with Client(url, KEY) as client:
            assert bool(client._connection._http._mounts) is proxied


def test_certificates_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    original = httpx2.Client.__init__

    def noted(self: httpx2.Client, **options: object) -> None:
        made.append(options["verify"])
        original(self, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx2.Client, "__init__", noted)
    own = ssl.create_default_context()
    with Client("https://pupils.example", KEY), Client("https://pupils.example", KEY, tls=own):
        assert made == [True, own]
    assert own.verify_mode is ssl.CERT_REQUIRED
