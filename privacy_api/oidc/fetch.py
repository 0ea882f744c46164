"""Asking the provider, and nobody else: its addresses are HTTPS, and what it says is small JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from privacy_api.ports import ProviderUnreachable

SECONDS = 5.0
MOST_BYTES = 256 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ProviderRefuses(ProviderUnreachable):
    """It answers, with 400: it does not like what it was shown (a code that was used, or is another's)."""


def refuse_open_address(address: str) -> str:
    """HTTPS; plain HTTP on this machine alone, for demonstrations and tests."""
    parts = urlsplit(address)
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise ProviderUnreachable(f"an address of the provider is not https: {address!r}")
    return address


def get_json(client: httpx2.Client, address: str) -> dict[str, Any]:
    return _json(client, "GET", address, {})


def post_form(
    client: httpx2.Client, address: str, fields: Mapping[str, str], auth: tuple[str, str] | None
) -> dict[str, Any]:
    return _json(client, "POST", address, {"data": dict(fields)} | ({"auth": auth} if auth else {}))


def _json(client: httpx2.Client, method: str, address: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with client.stream(method, refuse_open_address(address), **parts) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ProviderUnreachable("the provider says too much")
            status = response.status_code
    except httpx2.HTTPError as error:
        raise ProviderUnreachable(f"the provider does not answer ({type(error).__name__})") from None
    if status == 400:
        raise ProviderRefuses("the provider refuses what it was shown")
    if status != 200:
        raise ProviderUnreachable(f"the provider answers with status {status}")
    return _read(bytes(body))


def _read(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ProviderUnreachable("the provider does not answer with a JSON object")
    return found
