"""/v1/projects/{id}: what a project may do, who is in it; freezing it, and holding it more tightly."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from privacy_api.ports import Project, Proposal
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep
from privacy_api.service import project_terms
from privacy_api.service.services import Services
from privacy_api.wire import governance_out as out
from privacy_api.wire.governance_in import MemberIn, ReasonIn, TighteningIn, read_body_as
from privacy_api.wire.json_in import parse_json

router = APIRouter(prefix="/v1/projects", tags=["Projects"])


def told(found: Project, services: Services) -> dict[str, Any]:
    return out.project(found, services.accounts.members(found.id))


@router.get("/{project}", summary="Its scope, grants, tightening, end and members")
def one(project: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(project_terms.find_project(project, caller, services), services)


@router.post("/{project}/freeze", summary="Freeze it at once: nothing is answered for it")
def freeze(project: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    reason = read_body_as(ReasonIn, parse_json(body)).reason
    return told(project_terms.freeze(project, reason, caller, services), services)


@router.post("/{project}/unfreeze", summary="Unfreeze it")
def unfreeze(project: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    reason = read_body_as(ReasonIn, parse_json(body)).reason
    return told(project_terms.unfreeze(project, reason, caller, services), services)


@router.put("/{project}/tightening", summary="Hold it more tightly than its cuts, or propose to hold it less so")
def tighten(
    project: str, body: BodyDep, caller: CallerDep, services: ServicesDep, response: Response
) -> dict[str, Any]:
    """202 and the proposal, where anything becomes looser."""
    sent = read_body_as(TighteningIn, parse_json(body))
    found = project_terms.set_tightening(project, sent.tightening, sent.reason, caller, services)
    if isinstance(found, Proposal):
        response.status_code = 202
        return out.proposal(found, services.now())
    return told(found, services)


@router.post("/{project}/members", summary="Make somebody a member whom its application names")
def add_member(project: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    sent = read_body_as(MemberIn, parse_json(body))
    project_terms.add_member(project, sent.account, sent.reason, caller, services)
    return told(project_terms.find_project(project, caller, services), services)


@router.delete("/{project}/members/{account}", summary="End a membership")
def remove_member(project: str, account: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    project_terms.remove_member(project, account, "", caller, services)
    return told(project_terms.find_project(project, caller, services), services)
