"""The keys that the provider signs with, as they are now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

from privacy_api.ports import NotBelieved, ProviderUnreachable

KEPT_SECONDS = 50.0
"""A key that the provider has taken back is refused within a minute."""
SEARCH_SECONDS = 60.0
"""An unknown key is looked for no oftener, so that made-up ones cost the provider nothing."""
RETRY_SECONDS = 5.0
_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
ALGORITHMS = tuple(_KINDS)
"""What is taken; EdDSA and Ed25519 are one algorithm, by its old name and its new."""
LEAST_RSA_BITS = 2048


class Keys:
    """Fetched again when they are old, and when a key is asked for that is not among them. Where that fails nobody is
    believed: the last keys are not kept for want of better ones."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock, self._lock = fetch, clock, threading.Lock()
        self._keys: dict[str, jwk.Key] = {}
        self._fetched = self._failed = self._searched = float("-inf")

    def key(self, kid: str, algorithm: str) -> jwk.Key:
        """The key of this id, if it is one that this algorithm signs with."""
        with self._lock:
            if self._clock() - self._fetched > KEPT_SECONDS:
                self._refresh()
            elif kid not in self._keys and self._clock() - self._searched > SEARCH_SECONDS:
                self._searched = self._clock()
                self._refresh()
            found = self._keys.get(kid)
        if found is None:
            raise NotBelieved("unknown-key")
        if found.key_type != _KINDS[algorithm] or found.alg not in _names(algorithm):
            raise NotBelieved("algorithm")
        return found

    def _refresh(self) -> None:
        if self._clock() - self._failed < RETRY_SECONDS:
            raise ProviderUnreachable("the provider's keys could not be fetched a moment ago")
        try:
            self._keys = _usable(self._fetch())
        except ProviderUnreachable:
            self._failed, self._keys, self._fetched = self._clock(), {}, float("-inf")
            raise
        self._fetched = self._clock()


def _names(algorithm: str) -> tuple[str | None, ...]:
    return (None, "EdDSA", "Ed25519") if _KINDS[algorithm] == "OKP" else (None, algorithm)


def _usable(found: Mapping[str, Any]) -> dict[str, jwk.Key]:
    """Public signing keys with an id; whatever else the provider publishes is passed over."""
    keys = found.get("keys")
    if not isinstance(keys, list):
        raise ProviderUnreachable("the provider publishes no keys")
    return {each["kid"]: key for each in keys if (key := _key(each)) is not None}


def _key(found: Any) -> jwk.Key | None:
    if not isinstance(found, dict) or not isinstance(found.get("kid"), str) or found.get("use", "sig") != "sig":
        return None
    if found.get("kty") not in _KINDS.values():
        return None  # "oct" above all: a shared secret would let whoever reads it sign
    try:
        key = jwk.import_key(found)
        return None if isinstance(key, jwk.RSAKey) and key.raw_value.key_size < LEAST_RSA_BITS else key
    except (JoseError, ValueError, TypeError):
        return None
