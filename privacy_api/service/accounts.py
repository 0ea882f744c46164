"""Freezing at once what somebody uses, giving roles, whose cap counts. Whoever may freeze may not always unfreeze."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import LONGEST_REASON
from privacy_api.ports import Account, Accounts, AccountStatus, Audit, KeyInfo, Projects, Role, Sessions


class Desk(Protocol):
    """What these use cases need of the services, so that a console can be one."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def projects(self) -> Projects: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def together(self) -> Callable[[], AbstractContextManager[None]]: ...


def freeze_key(key_id: str, frozen: bool, reason: str, actor: str, services: Desk) -> KeyInfo:
    """It is refused, or works again, at its next request."""
    _refuse_reason(reason)
    with services.together():
        found = services.projects.key(key_id)
        if found is None:
            raise ApiError(ErrorCode.NOT_FOUND)
        if not frozen and any(_is_own(each, actor, services) for each in services.accounts.members(found.project)):
            raise ApiError(ErrorCode.FORBIDDEN, detail="Nobody unfreezes a key of a project of their own.")
        if services.projects.freeze_key(key_id, frozen):
            facts = {"reason": reason, "project": found.project}
            services.audit.record("key-frozen" if frozen else "key-unfrozen", actor, f"key:{key_id}", facts)
        return services.projects.key(key_id) or found


def freeze_account(account_id: str, frozen: bool, reason: str, actor: str, services: Desk) -> Account:
    """Its sessions end; its keys and tokens are refused from the next request on."""
    _refuse_reason(reason)
    with services.together():
        found = find_account(account_id, services)
        if _is_own(found, actor, services):
            raise ApiError(ErrorCode.FORBIDDEN, detail="Nobody freezes or unfreezes their own account.")
        changed = replace(found, status=AccountStatus.FROZEN if frozen else AccountStatus.ACTIVE)
        if changed != found:
            services.accounts.update(changed)
            services.sessions.end_all(found.id)
            kind = "account-frozen" if frozen else "account-unfrozen"
            services.audit.record(kind, actor, f"account:{found.id}", {"reason": reason})
    return changed


def give_roles(account_id: str, roles: Collection[str], reason: str, actor: str, services: Desk) -> Account:
    """All of the roles that the account is to have. Nobody changes their own."""
    _refuse_reason(reason)
    wanted = _read_roles(roles)
    with services.together():
        found = find_account(account_id, services)
        if _is_own(found, actor, services):
            raise ApiError(ErrorCode.FORBIDDEN, detail="Nobody changes their own roles.")
        try:
            changed = replace(found, roles=wanted)
        except ValueError as refused:
            raise _refused("roles", str(refused)) from None
        if changed != found:
            services.accounts.update(changed)
            services.sessions.end_all(found.id)
            facts = {"roles": sorted(wanted), "roles_before": sorted(found.roles), "reason": reason}
            services.audit.record("roles-changed", actor, f"account:{found.id}", facts)
    return changed


def hold_to_person(account_id: str, person: str, reason: str, actor: str, services: Desk) -> Account:
    """What the account and its keys ask counts against the person's cap from now on. Nobody is let off theirs again."""
    _refuse_reason(reason)
    with services.together():
        found = find_account(account_id, services)
        if services.projects.person(person) is None:
            raise _refused("person", f"There is no person {person}. Create them with: privacy-api person create")
        if found.person not in (None, person):
            raise _refused("person", f"The account counts against {found.person} already, and goes on doing so.")
        changed = replace(found, person=person)
        if changed != found:
            services.accounts.update(changed)
            services.audit.record("account-held", actor, f"account:{found.id}", {"person": person, "reason": reason})
    return changed


def find_account(account_id: str, services: Desk) -> Account:
    found = services.accounts.account(account_id)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def _is_own(found: Account, actor: str, services: Desk) -> bool:
    """Or a second one of the same person, by its address."""
    by = services.accounts.account(actor)
    return found.id == actor or (by is not None and found.email != "" and found.email.casefold() == by.email.casefold())


def _read_roles(roles: Collection[str]) -> frozenset[Role]:
    try:
        return frozenset(Role(role) for role in roles)
    except ValueError:
        raise _refused("roles", f"Accepted: {', '.join(Role)}") from None


def _refuse_reason(reason: str) -> None:
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise _refused("reason", f"Say why, in 1 to {LONGEST_REASON} characters.")


def _refused(path: str, message: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_REQUEST, [Problem("InvalidValue", message, path)])
