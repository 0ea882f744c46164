"""An OpenID provider, found by its issuer (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from privacy_api.oidc.claims import identity_of
from privacy_api.oidc.fetch import SECONDS, ProviderRefuses, get_json, post_form, refuse_open_address
from privacy_api.oidc.keys import RETRY_SECONDS, Keys
from privacy_api.oidc.tokens import Expected, refuse_other_sign_in, verified
from privacy_api.ports import Asked, Identity, NotBelieved, ProviderUnreachable, Role, SignedIn

KEPT_SECONDS = 3600.0
ID_TOKEN = frozenset({"jwt", None})
ACCESS_TOKEN = frozenset({"at+jwt", "jwt"})


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """secret: empty for a public client. audience: what access tokens for this API are made out to; empty: none are
    taken. role_claim, roles: as in `claims.identity_of`."""

    issuer: str
    client: str
    secret: str = field(default="", repr=False)
    audience: str = ""
    scopes: str = "openid profile email"
    role_claim: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)


class OidcProvider:
    """The port `IdentityProvider`. Nothing is asked of the provider before somebody wants to sign in."""

    def __init__(
        self,
        options: ProviderOptions,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options, self._clock, self._monotonic = options, clock, monotonic
        self._client = httpx2.Client(timeout=SECONDS, follow_redirects=False)
        self._lock, self._found = threading.Lock(), dict[str, Any]()
        self._at = self._failed = float("-inf")
        self._keys = Keys(lambda: get_json(self._client, self._address("jwks_uri")), monotonic)

    @property
    def issuer(self) -> str:
        return self._options.issuer

    def close(self) -> None:
        self._client.close()

    def sign_in_address(self, asked: Asked, back: str) -> str:
        digest = hashlib.sha256(asked.verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._options.client,
            "redirect_uri": back,
            "scope": self._options.scopes,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return _with(self._address("authorization_endpoint"), fields)

    def redeem(self, code: str, asked: Asked, back: str) -> SignedIn:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": asked.verifier,
        }
        fields, auth = self._authenticated(fields)
        try:
            answer = post_form(self._client, self._address("token_endpoint"), fields, auth)
        except ProviderRefuses:
            raise NotBelieved("code") from None
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotBelieved("no-id-token")
        claims = verified(token, Expected(self.issuer, self._options.client, ID_TOKEN, "ID"), self._keys, self._clock)
        refuse_other_sign_in(claims, asked.nonce, self._options.client)
        return SignedIn(self._identity(claims), token)

    def sign_out_address(self, id_token: str, back: str) -> str | None:
        if "end_session_endpoint" not in self._metadata():
            return None
        fields = {
            "id_token_hint": id_token,
            "client_id": self._options.client,
            "post_logout_redirect_uri": back,
        }
        return _with(self._address("end_session_endpoint"), fields)

    def bearer(self, token: str) -> Identity:
        if not self._options.audience:
            raise NotBelieved("not-offered")
        expected = Expected(self.issuer, self._options.audience, ACCESS_TOKEN, "Bearer")
        return self._identity(verified(token, expected, self._keys, self._clock))

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        return identity_of(claims, self._options.role_claim, self._options.roles)

    def _authenticated(self, fields: dict[str, str]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """By HTTP Basic, unless the provider takes the secret in the form only (RFC 6749, 2.3.1)."""
        client, secret = self._options.client, self._options.secret
        ways = self._metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret and "client_secret_basic" in ways:
            return fields, (quote(client, safe=""), quote(secret, safe=""))
        return fields | {"client_id": client} | ({"client_secret": secret} if secret else {}), None

    def _address(self, name: str) -> str:
        found = self._metadata().get(name)
        if not isinstance(found, str):
            raise ProviderUnreachable(f"the provider names no {name}")
        return refuse_open_address(found)

    def _metadata(self) -> Mapping[str, Any]:
        """A provider that is away is left alone for a moment: who waits for it would wait one after the other."""
        with self._lock:
            if self._monotonic() - self._at > KEPT_SECONDS:
                if self._monotonic() - self._failed < RETRY_SECONDS:
                    raise ProviderUnreachable("the provider could not be asked a moment ago")
                try:
                    self._found, self._at = self._asked(), self._monotonic()
                except ProviderUnreachable:
                    self._failed = self._monotonic()
                    raise
            return self._found

    def _asked(self) -> dict[str, Any]:
        found = get_json(self._client, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if not hmac.compare_digest(str(found.get("issuer")).encode(), self.issuer.encode()):
            raise ProviderUnreachable("the provider says that it is another issuer")
        return found


def _with(address: str, fields: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}"
