"""The identity provider: who somebody is, by the word of another service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from privacy_api.ports.accounts import Role


@dataclass(frozen=True, slots=True)
class Identity:
    """issuer and subject name a person for good. roles: None where the provider does not say."""

    issuer: str
    subject: str
    name: str
    email: str
    roles: frozenset[Role] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What was made up for one sign-in, and must come back with it. verifier: of PKCE, which never leaves us until the
    code is redeemed."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    identity: Identity
    id_token: str = field(repr=False)


class NotBelieved(Exception):
    """What was shown proves nothing. reason: one word, for the record; whoever showed it is told nothing more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as it should: nobody new can be believed now."""


class IdentityProvider(Protocol):
    """Every method may raise ProviderUnreachable, and those that are shown something NotBelieved."""

    @property
    def issuer(self) -> str: ...

    def sign_in_address(self, asked: Asked, back: str) -> str:
        """Where the browser goes to sign in. back: where it is to come back to."""
        ...

    def redeem(self, code: str, asked: Asked, back: str) -> SignedIn: ...

    def sign_out_address(self, id_token: str, back: str) -> str | None:
        """None where the provider offers none."""
        ...

    def bearer(self, token: str) -> Identity:
        """Whose access token this is."""
        ...
