"""The form of an API key: ``npd_<environment>_<id>_<secret>``. Only the secret's hash is ever stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field

ENVIRONMENTS = ("test", "live")

_ALPHABET = string.ascii_lowercase + string.digits
_FORM = re.compile(r"npd_(test|live)_([a-z0-9]{8})_([A-Za-z0-9_-]{43})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    environment: str
    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"npd_{self.environment}_{self.id}_{self.secret}"

    @property
    def secret_sha256(self) -> str:
        """A plain hash is enough: the secret has 256 random bits, which no dictionary holds."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def new_key(environment: str) -> Key:
    if environment not in ENVIRONMENTS:
        raise ValueError("the environment of a key is test or live")
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return Key(environment, key_id, secrets.token_urlsafe(32))


def parse_key(text: str) -> Key | None:
    found = _FORM.fullmatch(text)
    return Key(*found.groups()) if found else None


def opens(key: Key, stored_sha256: str | None) -> bool:
    """Takes as long for an id that is not stored as for a wrong secret, so that ids cannot be tried out."""
    same = hmac.compare_digest(key.secret_sha256, stored_sha256 or _NOBODYS)
    return same and stored_sha256 is not None


_NOBODYS = hashlib.sha256(secrets.token_bytes(32)).hexdigest()
