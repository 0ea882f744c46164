"""A small real OpenID provider on a loopback socket: discovery, keys, sign-in without a question, codes with PKCE."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwk, jws

CLIENT, SECRET, AUDIENCE = "npd-service", "not a secret", "npd-api"
ADA = {"sub": "ada-1", "name": "Ada Lovelace", "email": "ada@example.org"}


def signing_key(kid: str, kind: str = "RSA") -> jwk.Key:
    parameters: Any = {"kid": kid, "use": "sig"}
    made: jwk.Key
    if kind == "RSA":
        made = jwk.RSAKey.generate_key(2048, parameters)
    elif kind == "EC":
        made = jwk.ECKey.generate_key("P-256", parameters)
    else:
        made = jwk.OKPKey.generate_key("Ed25519", parameters)
    return made


@dataclass
class Provider:
    """What a test may bend: who signs in, what the ID token says, which keys are published and which one signs."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    claims: dict[str, Any] = field(default_factory=dict)
    signing: jwk.Key = field(default_factory=lambda: signing_key("k1"))
    algorithm: str = "RS256"
    published: list[jwk.Key] = field(default_factory=list)
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    down: bool = False
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.published = self.published or [self.signing]

    def rotate(self, kid: str) -> jwk.Key:
        """A new key signs; the old one is taken back. Returns the old one."""
        old, self.signing = self.signing, signing_key(kid)
        self.published = [self.signing]
        return old

    def token(
        self,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        key: jwk.Key | None = None,
    ) -> str:
        """An access token for Ada, bent as asked; a claim of None is left out."""
        signer = key or self.signing
        now = int(time.time())
        told = {"iss": self.issuer, "sub": self.person["sub"], "aud": AUDIENCE, "iat": now, "exp": now + 300}
        told = {k: v for k, v in {**told, **(claims or {})}.items() if v is not None}
        head = {"alg": self.algorithm, "typ": "at+jwt", "kid": signer.kid, **(header or {})}
        head = {k: v for k, v in head.items() if v is not None}
        return jws.serialize_compact(head, json.dumps(told), signer, algorithms=[head["alg"]])

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/end",
            "token_endpoint_auth_methods_supported": self.methods,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.published]}

    def authorize(self, asked: Mapping[str, str]) -> str:
        """Where the browser is sent back to."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self.codes[code] = dict(asked)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or not self._is_client(form, authorization):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        claims = {"aud": CLIENT, "nonce": asked["nonce"], **self.person, **self.claims}
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": self.token(claims, {"typ": "JWT"})}

    def _is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        if "client_secret_basic" in self.methods:
            name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            return (unquote(name), unquote(secret)) == (CLIENT, SECRET)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)


@contextmanager
def providing() -> Iterator[Provider]:
    provider = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.down:
                self._say(503, {})
            elif parts.path == "/.well-known/openid-configuration":
                self._say(200, provider.metadata())
            elif parts.path == "/keys":
                self._say(200, provider.keys())
            elif parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize({k: v[0] for k, v in parse_qs(parts.query).items()}))
                self.end_headers()
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {k: v[0] for k, v in parse_qs(body).items()}
            self._say(*provider.redeem(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
