"""One service over HTTP: where it is, who asks, and when to ask again. Knows nothing of queries and answers."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import time
from pathlib import Path
from typing import Any

import httpx2

from privacy_api_client._version import __version__
from privacy_api_client.errors import ConnectionFailed, PrivacyApiError, ServerError, TooBusy
from privacy_api_client.problems import error_of

CONNECT_SECONDS = 10.0
LONGEST_WAIT = 60.0
"""Seconds. A service that asks for a longer pause than this is not waited for."""


class Connection:
    """retries: how often more a busy service is asked."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float | None,
        retries: int,
        insecure: bool,
        tls: ssl.SSLContext | None,
        transport: httpx2.BaseTransport | None,
    ) -> None:
        base = _checked_url(url, insecure)
        self.url = str(base).rstrip("/")
        self._retries = retries
        self._timeout = timeout
        self._http = httpx2.Client(
            base_url=self.url,
            headers={
                "Authorization": f"Bearer {_checked_key(key)}",
                "Accept": "application/json",
                "User-Agent": f"privacy-api-client/{__version__}",
            },
            timeout=httpx2.Timeout(timeout, connect=min(timeout or CONNECT_SECONDS, CONNECT_SECONDS)),
            verify=tls or True,
            # Nothing that is sent in the clear to this machine may leave it through a proxy.
            trust_env=base.scheme == "https" or not _is_loopback(base.host),
            follow_redirects=False,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        return self._document("GET", path, None, charged=False)

    def post(self, path: str, body: object, *, charged: bool) -> Any:
        """charged: whether an answer may cost budget, so that asking again is not harmless."""
        return self._document("POST", path, body, charged=charged)

    def save(self, path: str, out: Path, sha256: str | None) -> None:
        """Write what is there to a file, whole or not at all. sha256: of the bytes, None where it is not known.
        ServerError where it is another."""
        coming = out.with_name(f"{out.name}.part")
        try:
            with self._http.stream("GET", path, headers={"Accept": "*/*"}) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                found = _written(response, coming)
            if sha256 not in (None, found):
                raise ServerError("The file is not the one that was released; it has been removed.")
            coming.replace(out)
            return
        except httpx2.HTTPError as error:
            message = f"{self.url} cannot be reached: {str(error) or type(error).__name__}"
        finally:
            coming.unlink(missing_ok=True)
        raise ConnectionFailed(message)

    def _document(self, method: str, path: str, body: object, *, charged: bool) -> Any:
        response = self._answer(method, path, body, charged=charged)
        try:
            return response.json()
        except ValueError:
            raise ServerError(
                f"What answers at {self.url} does not speak JSON; is this the address of the service?",
                status=response.status_code,
            ) from None

    def _answer(self, method: str, path: str, body: object, *, charged: bool) -> httpx2.Response:
        asked = 0
        while True:
            response = self._send(method, path, body)
            if response.is_success:
                return response
            error = error_of(response)
            pause = wait_before_retry(error, asked, charged=charged)
            if pause is None or asked == self._retries:
                raise error
            asked += 1
            time.sleep(pause)

    def _send(self, method: str, path: str, body: object) -> httpx2.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx2.TimeoutException as error:
            message = f"{self.url} {_how_late(error)} (timeout: {self._timeout} s)."
        except httpx2.HTTPError as error:
            message = f"{self.url} cannot be reached: {str(error) or type(error).__name__}"
        # Outside the except clause, so that no traceback shows a request with its key.
        raise ConnectionFailed(message)


def _written(response: httpx2.Response, out: Path) -> str:
    digest = hashlib.sha256()
    with out.open("wb") as file:
        for part in response.iter_bytes():
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def wait_before_retry(error: PrivacyApiError, asked: int, *, charged: bool) -> float | None:
    """Seconds to wait before asking again, or None where that would be useless or could cost twice.

    Only two refusals say for certain that nothing has been charged: too many requests, and a question that somebody
    else is having answered. Any other 503 may come from after the charge.
    """
    if not isinstance(error, TooBusy):
        return None
    if charged and error.status != 429 and error.code != "in-progress":
        return None
    wait = float(2**asked) if error.retry_after is None else error.retry_after
    return wait if wait <= LONGEST_WAIT else None


def _how_late(error: httpx2.TimeoutException) -> str:
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return "cannot be reached in time"
    return "has not answered in time; asking exactly the same again is free once it has been answered"


def _checked_url(url: str, insecure: bool) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url.strip())
    except httpx2.InvalidURL as invalid:
        raise ValueError(f"not an address: {invalid}") from None
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise ValueError("write the address in full, as in https://host or http://127.0.0.1:8000")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise ValueError("the address takes no user, query or fragment: the key goes in its own argument")
    if parsed.scheme == "http" and not insecure and not _is_loopback(parsed.host):
        raise ValueError(
            f"plain http would show the key and the answers to everybody between here and {parsed.host}: "
            "use https, or say insecure=True if that network is trusted"
        )
    return parsed


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_key(key: str) -> str:
    """Without the line break that a file may have given it. Its text is in no message."""
    key = key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("that is not an API key: one begins with npd_ and is a single word")
    return key
