"""Bearer tokens of the identity provider: every way that one can be wrong is refused (ASVS 5.0, 9.1 and 9.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from privacy_api.oidc.provider import OidcProvider, ProviderOptions
from privacy_api.ports import Asked, NotBelieved, ProviderUnreachable
from tests.lib.oidc import AUDIENCE, CLIENT, Provider, providing, signing_key

NOW = int(time.time())
TOMORROW = NOW + 86_400


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def ours(provider: Provider) -> Iterator[OidcProvider]:
    made = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE))
    yield made
    made.close()


def why(ours: OidcProvider, token: str) -> str:
    with pytest.raises(NotBelieved) as refused:
        ours.bearer(token)
    return refused.value.reason


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_good_token_says_who_it_is(provider: Provider, ours: OidcProvider) -> None:
    found = ours.bearer(provider.token())
    assert (found.issuer, found.subject, found.roles) == (provider.issuer, "ada-1", None)
    assert ours.bearer(provider.token({"aud": ["other", AUDIENCE]})).subject == "ada-1"
    assert ours.bearer(provider.token(header={"typ": "application/at+jwt"}))
    assert ours.bearer(provider.token(header={"typ": "JWT"}))


@pytest.mark.parametrize(
    ("claims", "header", "reason"),
    [
        ({"exp": NOW - 60}, {}, "expired"),
        ({"exp": None}, {}, "claim-exp"),
        ({"exp": "soon"}, {}, "claim-exp"),
        ({"nbf": TOMORROW}, {}, "claim-nbf"),
        ({"iat": TOMORROW}, {}, "claim-iat"),
        ({"aud": CLIENT}, {}, "claim-aud"),
        ({"aud": None}, {}, "claim-aud"),
        ({"aud": []}, {}, "claim-aud"),
        ({"aud": {"npd-api": 1}}, {}, "claim-aud"),
        ({"iss": "https://elsewhere.example"}, {}, "claim-iss"),
        ({"iss": None}, {}, "claim-iss"),
        ({"sub": None}, {}, "claim-sub"),
        ({"sub": 7}, {}, "claim-sub"),
        ({"sub": "a\0b"}, {}, "claim-sub"),
        ({"typ": "ID"}, {}, "type"),
        ({"typ": "Refresh"}, {}, "type"),
        ({}, {"typ": None}, "type"),
        ({}, {"typ": "logout+jwt"}, "type"),
        ({}, {"kid": "k9"}, "unknown-key"),
        ({}, {"kid": "../../etc/passwd"}, "unknown-key"),
        ({}, {"kid": None}, "header"),
        ({}, {"jku": "https://evil.example/keys"}, "header"),
        ({}, {"x5u": "https://evil.example/cert"}, "header"),
        ({}, {"alg": "PS512"}, "algorithm"),
    ],
)
def test_each_bad_token(
    provider: Provider, ours: OidcProvider, claims: dict[str, Any], header: dict[str, Any], reason: str
) -> None:
    assert why(ours, provider.token(claims, header)) == reason


def test_no_algorithm_and_no_signature(provider: Provider, ours: OidcProvider) -> None:
    good = provider.token()
    claims = good.split(".")[1]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        assert why(ours, f"{part({'alg': algorithm, 'typ': 'at+jwt', 'kid': 'k1'})}.{claims}.") == "algorithm"
    assert why(ours, good.rpartition(".")[0] + ".") == "signature"
    assert why(ours, good[:-8] + "AAAAAAAA") == "signature"


def test_a_public_key_is_no_shared_secret(provider: Provider, ours: OidcProvider) -> None:
    """HS256 signed with the published RSA key, in each form that a library might take for a secret."""
    key = provider.signing
    head, claims = part({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}), provider.token().split(".")[1]
    for secret in (
        key.as_pem(private=False),
        key.as_der(private=False),
        json.dumps(key.as_dict(private=False)).encode(),
    ):
        mac = hmac.new(secret, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        forged = f"{head}.{claims}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert why(ours, forged) == "algorithm"


def test_a_key_that_a_token_brings_is_not_used(provider: Provider, ours: OidcProvider) -> None:
    own = signing_key("k1")
    assert why(ours, provider.token(key=own)) == "signature"
    assert why(ours, provider.token(header={"jwk": own.as_dict(private=False)}, key=own)) == "header"


def test_another_kind_of_key_under_the_same_id(provider: Provider, ours: OidcProvider) -> None:
    ec = signing_key("k1", "EC")
    assert why(ours, provider.token(header={"alg": "ES256"}, key=ec)) == "algorithm"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by that name; providers still use it
@pytest.mark.parametrize(
    ("kind", "algorithm"), [("EC", "ES256"), ("OKP", "EdDSA"), ("OKP", "Ed25519"), ("RSA", "PS256")]
)
def test_the_other_algorithms(kind: str, algorithm: str) -> None:
    with providing() as provider:
        provider.signing, provider.algorithm = signing_key("k2", kind), algorithm
        provider.published = [provider.signing]
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE))
        assert ours.bearer(provider.token()).subject == "ada-1"
        ours.close()


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "e30.e30.", "x" * 20_000, ".".join(["A" * 6000] * 3)])
def test_what_is_no_token(ours: OidcProvider, text: str) -> None:
    assert why(ours, text) in ("form", "header")


def test_a_shared_secret_that_is_published_is_passed_over() -> None:
    with providing() as provider:
        shared = {"kty": "oct", "kid": "k3", "k": part("secret of everybody"), "use": "sig"}
        provider.keys = lambda: {"keys": [shared]}  # type: ignore[method-assign]
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE))
        assert why(ours, provider.token(header={"kid": "k3"})) == "unknown-key"
        ours.close()


def test_no_audience_takes_no_tokens(provider: Provider) -> None:
    ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT))
    assert why(ours, provider.token({"aud": ""})) == "not-offered"
    ours.close()


def test_a_key_that_was_taken_back_is_refused_within_a_minute() -> None:
    with providing() as provider:
        clock = Clock()
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE), monotonic=clock)
        old_token = provider.token()
        assert ours.bearer(old_token)
        provider.rotate("k2")
        assert ours.bearer(provider.token()), "a new key is looked for at once"
        assert why(ours, old_token) == "unknown-key"
        old_token, fetches = provider.token(), provider.asked.count("/keys")
        provider.rotate("k3")
        clock.now += 40
        assert ours.bearer(old_token), "not yet fetched again"
        assert why(ours, provider.token()) == "unknown-key", "unknown keys are looked for once a minute"
        assert provider.asked.count("/keys") == fetches
        clock.now += 20
        assert why(ours, old_token) == "unknown-key"
        assert ours.bearer(provider.token())
        ours.close()


def test_made_up_keys_cost_the_provider_one_look_a_minute() -> None:
    with providing() as provider:
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE), monotonic=Clock())
        for i in range(20):
            why(ours, provider.token(header={"kid": f"made-up-{i}"}))
        assert provider.asked.count("/keys") == 2
        ours.close()


def test_where_the_keys_cannot_be_had_nobody_is_believed() -> None:
    with providing() as provider:
        clock = Clock()
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE), monotonic=clock)
        assert ours.bearer(provider.token())
        provider.down, token = True, provider.token()
        clock.now += 51
        for _ in range(2):
            with pytest.raises(ProviderUnreachable):
                ours.bearer(token)
        assert provider.asked.count("/keys") == 2, "a provider that is down is left alone for a moment"
        provider.down = False
        clock.now += 6
        assert ours.bearer(token)
        ours.close()


def test_sign_ins_that_anybody_may_begin_do_not_wait_for_a_provider_that_is_away() -> None:
    """Each would hold a thread of the server for as long as asking may take, one after the other."""
    with providing() as provider:
        clock = Clock()
        ours = OidcProvider(ProviderOptions(provider.issuer, CLIENT, audience=AUDIENCE), monotonic=clock)
        provider.down = True
        for _ in range(5):
            with pytest.raises(ProviderUnreachable):
                ours.sign_in_address(Asked("state", "nonce", "verifier"), "http://here/back")
        assert provider.asked == ["/.well-known/openid-configuration"]
        provider.down = False
        clock.now += 6
        assert ours.sign_in_address(Asked("state", "nonce", "verifier"), "http://here/back")
        ours.close()


def test_a_provider_that_says_it_is_another_is_not_used(provider: Provider) -> None:
    ours = OidcProvider(ProviderOptions(provider.issuer + "/", CLIENT, audience=AUDIENCE))
    with pytest.raises(ProviderUnreachable, match="another issuer"):
        ours.bearer(provider.token())
    ours.close()


def test_addresses_in_the_clear_are_not_used(provider: Provider) -> None:
    with providing() as bent:
        found = bent.metadata() | {"jwks_uri": "http://keys.example/keys"}
        bent.metadata = lambda: found  # type: ignore[method-assign]
        ours = OidcProvider(ProviderOptions(bent.issuer, CLIENT, audience=AUDIENCE))
        with pytest.raises(ProviderUnreachable, match="not https"):
            ours.bearer(bent.token())
        ours.close()
