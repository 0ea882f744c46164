"""API keys that belong to accounts: made, listed and revoked by them; frozen by officers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Account, KeyInfo
from privacy_api.service.identity import principal_in
from privacy_api.service.services import Services

LONGEST_DAYS = 365
MOST_KEYS = 20
"""Of one account that still open something."""
MOST_LABEL = 100


def create_key(account: Account, project: str, label: str, days: int, services: Services) -> tuple[KeyInfo, str]:
    """The record and, this once, the key. 404 for a project that the account is not a member of."""
    principal_in(account, project, services)
    now = services.now()
    if sum(_opens(key, now) for key in services.projects.keys_of(account.id)) >= MOST_KEYS:
        detail = f"You have {MOST_KEYS} keys; revoke one that you no longer use."
        raise ApiError(ErrorCode.TOO_MANY_REQUESTS, detail=detail)
    expires = (datetime.fromisoformat(now) + timedelta(days=days)).isoformat()
    with services.together():
        made = services.projects.create_key(
            project, label, services.environment, account.person, account=account.id, expires=expires
        )
        facts: dict[str, Any] = {"project": project, "role": made[0].role, "expires": expires}
        services.audit.record(
            "key-created", account.id, f"key:{made[0].id}", facts | ({"label": label} if label else {})
        )
    return made


def own_keys(account: Account, services: Services) -> list[KeyInfo]:
    return services.projects.keys_of(account.id)


def revoke_own_key(account: Account, key_id: str, services: Services) -> KeyInfo:
    """404 for somebody else's; revoking twice is as good as once."""
    found = next((key for key in services.projects.keys_of(account.id) if key.id == key_id), None)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    with services.together():
        if services.projects.revoke_key(key_id):
            services.audit.record("key-revoked", account.id, f"key:{key_id}", {"project": found.project})
    return services.projects.key(key_id) or found


def _opens(key: KeyInfo, now: str) -> bool:
    return key.revoked is None and (key.expires is None or key.expires > now)


def state_of(key: KeyInfo, now: str) -> str:
    if key.revoked is not None:
        return "revoked"
    if key.frozen is not None:
        return "frozen"
    return "active" if _opens(key, now) else "ended"
