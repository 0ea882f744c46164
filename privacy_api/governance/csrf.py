"""Whether a request that a browser's cookie answers for was sent by one of our own pages.

Two proofs are wanted, each of which would do: a token that only a page of this session can hold, and the browser's own
word on where the request came from.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from privacy_api.ports import Session

FIELD = "csrf"
"""Of every form that posts."""
HEADER = "csrf-token"
"""Of a script's request."""


def token_of(session: Session) -> str:
    return hmac.new(session.csrf.encode(), b"form of this session", hashlib.sha256).hexdigest()


def is_token_of(session: Session, token: str) -> bool:
    return hmac.compare_digest(token_of(session).encode(), token.encode())


def is_own(headers: Mapping[str, str], origin: str) -> bool:
    """By Sec-Fetch-Site; browsers without it send Origin. Neither: an old browser, which the token must vouch for.

    Origin alone would not do: pages with a strict Referrer-Policy send "null" from themselves.
    """
    if (site := headers.get("sec-fetch-site")) is not None:
        return site == "same-origin"
    return headers.get("origin", origin) == origin
