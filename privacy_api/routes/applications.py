"""/v1/applications: applying for a project, and deciding on it. People only: an API key asks, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.roles import Permission
from privacy_api.ports import Proposal
from privacy_api.ports.applications import Application, ApplicationState
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep
from privacy_api.service import applications as applying
from privacy_api.service import decisions
from privacy_api.service.services import Services
from privacy_api.wire import governance_out as out
from privacy_api.wire.governance_in import (
    ApproveIn,
    CommentIn,
    ReasonIn,
    StartIn,
    WithdrawIn,
    read_body_as,
    step_named,
    step_numbered,
)
from privacy_api.wire.json_in import parse_json

router = APIRouter(prefix="/v1/applications", tags=["Applications"])


def told(found: Application, services: Services) -> dict[str, Any]:
    return out.application(
        found,
        services.applications.moves(found.id),
        services.applications.comments(found.id),
        services.proposals.proposals(subject=applying.subject(found)),
        applying.data_sets_of(services),
        services.now(),
    )


@router.get("", summary="Your applications; of those who review them, all that were sent")
def listed(request: Request, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    """With `?state=submitted` those in that state."""
    state = _state(request.query_params.get("state"))
    if caller.may(Permission.REVIEW_APPLICATIONS):
        found = applying.queue(caller, services, state)
    else:
        found = [each for each in applying.mine(caller, services) if state in (None, each.state)]
    return {"results": [out.application_line(each) for each in found]}


@router.post("", summary="Begin an application", status_code=201)
def start(body: BodyDep, caller: CallerDep, services: ServicesDep, response: Response) -> dict[str, Any]:
    made = applying.start(read_body_as(StartIn, parse_json(body)).changes, caller, services)
    response.headers["Location"] = f"/v1/applications/{made.id}"
    return told(made, services)


@router.get("/{application}", summary="An application, its steps, red flags, clock and comments")
def one(application: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(applying.seen(application, caller, services), services)


@router.get("/{application}/submissions", summary="What was sent, each time, as it was sent")
def submissions(application: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = applying.seen(application, caller, services)
    return {"results": [out.submission(each) for each in services.applications.submissions(found.id)]}


@router.put("/{application}/steps/{step}", summary="Write the answers of one step")
def write(application: str, step: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    applying.own(application, caller, services)
    return told(applying.write_step(application, step_named(step), parse_json(body), caller, services), services)


@router.post("/{application}/submit", summary="Send it, once it is complete")
def submit(application: str, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return told(applying.submit(application, caller, services), services)


@router.post("/{application}/withdraw", summary="Withdraw it")
def withdraw(application: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    reason = read_body_as(WithdrawIn, parse_json(body)).reason
    return told(applying.withdraw(application, reason, caller, services), services)


@router.post("/{application}/comments", summary="Comment on it", status_code=201)
def comment(application: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    sent = read_body_as(CommentIn, parse_json(body))
    return out.comment(applying.comment(application, sent.text, step_numbered(sent.step), caller, services))


@router.post("/{application}/return", summary="Return it to be mended")
def return_it(application: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return _decided(decisions.return_it, application, body, caller, services)


@router.post("/{application}/refuse", summary="Refuse it")
def refuse(application: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    return _decided(decisions.refuse_it, application, body, caller, services)


@router.post("/{application}/approve", summary="Approve it, or propose to approve it to a second person")
def approve(
    application: str, body: BodyDep, caller: CallerDep, services: ServicesDep, response: Response
) -> dict[str, Any]:
    """202 and the proposal, where class B or D variables or a change of a project want a second person."""
    sent = read_body_as(ApproveIn, parse_json(body))
    terms = decisions.Terms(sent.rho, sent.expires, sent.tightening)
    found = decisions.approve_it(application, terms, sent.reason, caller, services)
    if isinstance(found, Proposal):
        response.status_code = 202
        return out.proposal(found, services.now())
    return told(found, services)


def _decided(
    decide: Callable[..., Application], application: str, body: bytes, caller: CallerDep, services: Services
) -> dict[str, Any]:
    reason = read_body_as(ReasonIn, parse_json(body)).reason
    return told(decide(application, reason, caller, services), services)


def _state(name: str | None) -> ApplicationState | None:
    if name is None:
        return None
    if name not in list(ApplicationState):
        detail = f"state: no such state. Accepted: {', '.join(ApplicationState)}."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    return ApplicationState(name)
