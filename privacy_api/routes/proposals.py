"""/v1/proposals: what one person proposed and another decides."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import ProposalState
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep
from privacy_api.service import deciding, proposals
from privacy_api.wire import governance_out as out
from privacy_api.wire.governance_in import ReasonIn, read_body_as
from privacy_api.wire.json_in import parse_json

router = APIRouter(prefix="/v1/proposals", tags=["Proposals"])


@router.get("", summary="Proposals, oldest first")
def listed(request: Request, services: ServicesDep) -> dict[str, Any]:
    """With `?state=open` those that wait (lapsed ones among them)."""
    name = request.query_params.get("state")
    if name is not None and name not in list(ProposalState):
        detail = f"state: no such state. Accepted: {', '.join(ProposalState)}."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    found = services.proposals.proposals(None if name is None else ProposalState(name))
    return {"results": [out.proposal(each, services.now()) for each in found]}


@router.get("/{proposal}", summary="One proposal: all that would be done")
def one(proposal: str, services: ServicesDep) -> dict[str, Any]:
    return out.proposal(proposals.find(proposal, services), services.now())


@router.post("/{proposal}/approve", summary="Approve and do it: by another person than who proposed it")
def approve(proposal: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return out.proposal(deciding.approve(proposal, _reason(body), caller, services), services.now())


@router.post("/{proposal}/refuse", summary="Refuse it: by another person than who proposed it")
def refuse(proposal: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return out.proposal(deciding.refuse(proposal, _reason(body), caller, services), services.now())


@router.post("/{proposal}/withdraw", summary="Withdraw what you proposed")
def withdraw(proposal: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return out.proposal(proposals.withdraw(proposal, _reason(body), caller, services), services.now())


def _reason(body: bytes) -> str:
    return read_body_as(ReasonIn, parse_json(body)).reason
