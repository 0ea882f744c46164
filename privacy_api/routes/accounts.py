"""/v1/accounts: who can sign in, with which roles; freezing at once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from privacy_api.ports import Account
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep
from privacy_api.service.accounts import freeze_account, give_roles
from privacy_api.wire.accounts_in import read_reason, read_roles
from privacy_api.wire.json_in import parse_json

router = APIRouter(prefix="/v1/accounts", tags=["Accounts"])


@router.get("", summary="Everybody who has signed in")
def accounts(services: ServicesDep) -> dict[str, Any]:
    return {"results": [_told(account) for account in services.accounts.accounts()]}


@router.put("/{account}/roles", summary="Give an account its roles, all of them at once")
def roles(account: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    wanted = read_roles(parse_json(body))
    return _told(give_roles(account, wanted.roles, wanted.reason, caller.actor, services))


@router.post("/{account}/freeze", summary="Freeze an account at once")
def freeze(account: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return _told(freeze_account(account, True, read_reason(parse_json(body)), caller.actor, services))


@router.post("/{account}/unfreeze", summary="Let a frozen account in again")
def unfreeze(account: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return _told(freeze_account(account, False, read_reason(parse_json(body)), caller.actor, services))


def _told(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "roles": sorted(account.roles),
        "status": account.status,
        "created": account.created,
    }
