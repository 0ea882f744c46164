"""From the provider's claims to one of our identities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privacy_api.ports import Identity, NotBelieved, Role, refuse_conflicting

MOST_CHARACTERS = 200


def identity_of(claims: Mapping[str, Any], role_claim: str, roles: Mapping[str, Role]) -> Identity:
    """role_claim: path of the claim that lists what the provider calls their roles, as in realm_access.roles; empty
    where roles are kept here. roles: the provider's word → ours."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise NotBelieved("claim-sub")
    # An address that anybody can claim makes nobody a member: the provider must not say that it is not theirs.
    email = "" if claims.get("email_verified") in (False, "false") else _text(claims.get("email"))
    name = _text(claims.get("name")) or " ".join(
        filter(None, (_text(claims.get(each)) for each in ("given_name", "family_name")))
    )
    return Identity(claims["iss"], subject, name or email or "No name", email, _roles(claims, role_claim, roles))


def _roles(claims: Mapping[str, Any], path: str, roles: Mapping[str, Role]) -> frozenset[Role] | None:
    if not path:
        return None
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    words = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    held = frozenset(roles[word] for word in words if isinstance(word, str) and word in roles)
    try:
        refuse_conflicting(held)
    except ValueError:
        raise NotBelieved("roles") from None
    return held


def _text(found: Any) -> str:
    """A line for people to read, whatever was sent."""
    if not isinstance(found, str):
        return ""
    return "".join(letter for letter in found if letter.isprintable()).strip()[:MOST_CHARACTERS]
