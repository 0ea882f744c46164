"""Whether a signed token is what it says (RFC 7519, RFC 8725, RFC 9068)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from privacy_api.oidc.keys import ALGORITHMS, Keys
from privacy_api.ports import NotBelieved

MOST_CHARACTERS = 16 * 1024
LEEWAY = 30
"""Seconds that the provider's clock and ours may differ by."""
BROUGHT = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64"})
"""Headers by which a token brings its own key, or its own rules. Only the provider's own addresses are asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """types: what the header's `typ` may be, in lower case; None: it may be absent. says: what the claim `typ`, which
    some providers add, must be where it is there."""

    issuer: str
    audience: str
    types: frozenset[str | None]
    says: str


def verified(token: str, expected: Expected, keys: Keys, clock: Callable[[], float] = time.time) -> Mapping[str, Any]:
    """The claims, or NotBelieved. The algorithm is chosen from our list, and the key from the provider's."""
    header = _header(token)
    if _type(header) not in expected.types:
        raise NotBelieved("type")
    key = keys.key(header["kid"], header["alg"])
    try:
        algorithm = [header["alg"]]
        found = jwt.decode(token, key, algorithms=algorithm, registry=jws.JWSRegistry(algorithms=algorithm)).claims
        _claims(expected, clock).validate(found)
    except ExpiredTokenError:
        raise NotBelieved("expired") from None
    except (JoseError, ValueError, TypeError) as error:
        raise NotBelieved(_why(error)) from None
    if found.get("typ", expected.says) != expected.says:
        raise NotBelieved("type")
    return found


def _type(header: Mapping[str, Any]) -> str | None:
    found = header.get("typ")
    return None if found is None else str(found).lower().removeprefix("application/")


def _header(token: str) -> dict[str, Any]:
    """Read before it is believed, only to choose a key of the provider's by."""
    if len(token) > MOST_CHARACTERS or token.count(".") != 2:
        raise NotBelieved("form")
    try:
        first = token.partition(".")[0]
        found = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise NotBelieved("form") from None
    if not isinstance(found, dict) or found.keys() & BROUGHT or not isinstance(found.get("kid"), str):
        raise NotBelieved("header")
    if found.get("alg") not in ALGORITHMS:
        raise NotBelieved("algorithm")
    return found


def _claims(expected: Expected, clock: Callable[[], float]) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=lambda: int(clock()),
        leeway=LEEWAY,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.audience},
        exp={"essential": True},
        sub={"essential": True},
    )


def _why(error: Exception) -> str:
    claim = getattr(error, "claim", None)
    return f"claim-{claim}" if claim in ("iss", "aud", "exp", "nbf", "iat", "sub") else "signature"


def refuse_other_sign_in(claims: Mapping[str, Any], nonce: str, client: str) -> None:
    """An ID token is believed once, for the sign-in that was asked for, by us."""
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
        raise NotBelieved("nonce")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if ("azp" in claims or several) and claims.get("azp") != client:
        raise NotBelieved("authorised-party")
