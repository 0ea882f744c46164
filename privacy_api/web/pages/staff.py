"""Staff's own pages: what waits for them, applications and what two people decide."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fastapi import Request, Response
from pydantic import Field

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.applications import HAPPENED, PLAIN, Side, seconds_with, stages
from privacy_api.governance.approvals import LONGEST_REASON
from privacy_api.governance.asked_for import sensitive
from privacy_api.governance.caller import Caller
from privacy_api.governance.red_flags import FLAGS, Case, raised
from privacy_api.governance.roles import Permission
from privacy_api.ports.applications import Application, ApplicationState
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service import applications as applying
from privacy_api.service import decisions
from privacy_api.service.names import names_of
from privacy_api.service.proposals import open_ones, waiting
from privacy_api.service.services import Services
from privacy_api.web.acting import Reason, acted
from privacy_api.web.applying.answers import sections
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.navigation import STAFF
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import part_of

router = Pages()
DAY = 86_400
SHOWN = frozenset(PLAIN) - {ApplicationState.DRAFT}


class CommentIn(FormIn):
    text: str = Field("", title="your comment", max_length=LONGEST_REASON, min_length=1)


class DecisionIn(FormIn):
    """rho, expires: of the project, where the application is approved; empty for what was asked."""

    decision: Literal["approve", "return", "refuse"] = Field(title="what you decide")
    reason: Reason
    rho: str = Field("", title="the budget", max_length=30)
    expires: str = Field("", title="the end", max_length=10)


@router.page("/admin")
def front(request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    """Each of the staff pages that the caller may see, with how much waits there."""
    links = [link for link in STAFF if link.permission is None or link.permission in caller.permissions]
    counts = {
        "/admin/applications": len(services.applications.applications(state=ApplicationState.SUBMITTED)),
        "/admin/proposals": len(open_ones(services)),
    }
    paths = request.app.state.paths
    return render(request, "staff/front.html", links=[link for link in links if link.href in paths], counts=counts)


@router.page("/admin/applications")
def applications(request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    state = request.query_params.get("state", ApplicationState.SUBMITTED.value)
    if state not in {*SHOWN, "all"}:
        raise ApiError(ErrorCode.NOT_FOUND)
    found = applying.queue(caller, services, None if state == "all" else ApplicationState(state))
    part = part_of(request, found)
    return render(
        request,
        "staff/applications.html",
        part=part,
        state=state,
        states=[(each.value, PLAIN[each]) for each in ApplicationState if each in SHOWN],
        days={each.id: _days(each, services) for each in part.rows},
        plain=PLAIN,
        names=names_of({each.applicant for each in part.rows}, services),
        flags={each.id: len(_raised(each, services)) for each in part.rows},
        waits={each.id: bool(waiting(applying.subject(each), services)) for each in part.rows},
    )


@router.page("/admin/applications/{application}")
def application(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _page(applying.seen(application, caller, services), request, caller, services)


def _page(
    found: Application,
    request: Request,
    caller: Caller,
    services: Services,
    form: Filled[DecisionIn] | Filled[CommentIn] | None = None,
    status: int = 200,
) -> Response:
    if not (caller.may(Permission.REVIEW_APPLICATIONS) and found.submission):
        raise ApiError(ErrorCode.NOT_FOUND)
    moves, comments = services.applications.moves(found.id), services.applications.comments(found.id)
    proposals = waiting(applying.subject(found), services)
    people = {found.applicant, *(m.actor for m in moves), *(c.author for c in comments), *(p.by for p in proposals)}
    data_sets = applying.data_sets_of(services)
    said = {(j.data_set, j.reference): j for j in found.content.sensitive.justifications}
    return render(
        request,
        "staff/application.html",
        status,
        application=found,
        plain=PLAIN[found.state],
        sections=sections(found.content, data_sets),
        sensitive=[(each, said.get((each.data_set, each.reference))) for each in sensitive(found.content, data_sets)],
        flags=_raised(found, services),
        looked_for=len(FLAGS),
        days=_days(found, services),
        moves=moves,
        happened=HAPPENED,
        comments=comments,
        proposals=proposals,
        wants_second=decisions.wants_second(found, services),
        names=names_of(people, services),
        may_decide=caller.may(Permission.DECIDE_APPLICATIONS) and found.state is ApplicationState.SUBMITTED,
        form=form or Filled(),
    )


@router.post("/admin/applications/{application}/comments")
async def comment(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: CommentIn) -> str:
        applying.comment(application, form.text, None, caller, services)
        return f"/admin/applications/{application}#comments"

    def page(form: Filled[CommentIn], status: int) -> Response:
        return _page(applying.seen(application, caller, services), request, caller, services, form, status)

    return await acted(request, CommentIn, act, page)


@router.post("/admin/applications/{application}/decision")
async def decide(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: DecisionIn) -> str:
        _decide(application, form, caller, services)
        return f"/admin/applications/{application}"

    def page(form: Filled[DecisionIn], status: int) -> Response:
        return _page(applying.seen(application, caller, services), request, caller, services, form, status)

    return await acted(request, DecisionIn, act, page)


def _decide(application: str, form: DecisionIn, caller: Caller, services: Services) -> None:
    if form.decision == "approve":
        decisions.approve_it(application, decisions.Terms(form.rho, form.expires), form.reason, caller, services)
    elif form.decision == "return":
        decisions.return_it(application, form.reason, caller, services)
    else:
        decisions.refuse_it(application, form.reason, caller, services)


def _days(found: Application, services: Services) -> dict[str, int]:
    """How many whole days it has been with each side."""
    clock = stages(services.applications.moves(found.id), services.now())
    return {side.value: seconds_with(side, clock) // DAY for side in Side}


def _raised(found: Application, services: Services) -> tuple[object, ...]:
    today = date.fromisoformat(services.now()[:10])
    return raised(Case(found.content, applying.data_sets_of(services), today))
