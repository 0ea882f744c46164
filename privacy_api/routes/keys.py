"""/v1/keys: the keys of one's own account; and freezing anybody's. /v1/sandbox: a key for a day, for anybody."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Account, KeyInfo
from privacy_api.routes.access import BodyDep, CallerDep, PrincipalDep, ServicesDep
from privacy_api.service.accounts import freeze_key
from privacy_api.service.keys import create_key, own_keys, revoke_own_key, state_of
from privacy_api.service.sandbox import begin_again, open_sandbox
from privacy_api.wire.accounts_in import read_new_key, read_reason
from privacy_api.wire.json_in import parse_json

router = APIRouter(prefix="/v1", tags=["Keys"])


def account_of(caller: CallerDep) -> Account:
    if caller.account is None:
        raise ApiError(ErrorCode.NOT_AUTHENTICATED)
    return caller.account


@router.get("/keys", summary="Your API keys, never their secrets")
def keys(caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    now = services.now()
    return {"results": [told(key, now) for key in own_keys(account_of(caller), services)]}


@router.post("/keys", summary="Make an API key of yours for a project; it is shown this once", status_code=201)
def new_key(body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    wanted = read_new_key(parse_json(body))
    info, key = create_key(account_of(caller), wanted.project, wanted.label, wanted.days, services)
    return told(info, services.now()) | {"key": key}


@router.delete("/keys/{key}", summary="Revoke a key of yours; it stops working at once")
def revoke(key: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(revoke_own_key(account_of(caller), key, services), services.now())


@router.post("/keys/{key}/freeze", summary="Freeze anybody's key at once")
def freeze(key: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(freeze_key(key, True, read_reason(parse_json(body)), caller.actor, services), services.now())


@router.post("/keys/{key}/unfreeze", summary="Let a frozen key work again")
def unfreeze(key: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(freeze_key(key, False, read_reason(parse_json(body)), caller.actor, services), services.now())


@router.post("/sandbox/keys", summary="A key for a day, for synthetic data, with play budget", status_code=201)
def sandbox_key(request: Request, services: ServicesDep) -> dict[str, Any]:
    request.app.state.sandbox_throttle.admit(request)
    info, key = open_sandbox(services)
    return told(info, services.now()) | {"key": key}


@router.post("/sandbox/reset", summary="Begin your sandbox again: the whole budget, and nothing asked")
def reset(request: Request, principal: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    request.app.state.sandbox_throttle.admit(request)
    return {"project": begin_again(principal, services).id}


def told(key: KeyInfo, now: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "project": key.project,
        "label": key.label,
        "state": state_of(key, now),
        "created": key.created,
        "expires": key.expires,
    }
