"""What one person proposed and another decides."""

from __future__ import annotations

import json
from typing import Literal

from fastapi import Request, Response
from pydantic import Field

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import has_lapsed
from privacy_api.governance.caller import Caller
from privacy_api.ports import Proposal, ProposalKind, ProposalState
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service import deciding, proposals
from privacy_api.service.names import names_of
from privacy_api.service.services import Services
from privacy_api.web.acting import Reason, acted
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import part_of
from privacy_api.web.words import subject_words

router = Pages()
KINDS = {
    ProposalKind.APPROVE_APPLICATION: "Approve an application",
    ProposalKind.LOOSEN_PROJECT: "Hold a project less tightly",
    ProposalKind.RAISE_PROJECT_CAP: "Raise the budget of a project",
    ProposalKind.RAISE_CUT_CAP: "Raise the budget of a cut",
    ProposalKind.RAISE_PERSON_CAP: "Raise the budget of a person",
    ProposalKind.LOOSEN_POLICY: "Loosen a policy",
}
STATES = {
    ProposalState.OPEN: "Waiting",
    ProposalState.EXECUTED: "Approved and done",
    ProposalState.REFUSED: "Refused",
    ProposalState.WITHDRAWN: "Withdrawn",
}


class WordIn(FormIn):
    decision: Literal["approve", "refuse", "withdraw"] = Field(title="what you decide")
    reason: Reason


DECIDE = {"approve": deciding.approve, "refuse": deciding.refuse, "withdraw": proposals.withdraw}


@router.page("/admin/proposals")
def listed(request: Request, services: ServicesDep) -> Response:
    """Those that wait, or with `state=all` all there were, the newest first."""
    state = request.query_params.get("state", "open")
    if state not in ("open", "all"):
        raise ApiError(ErrorCode.NOT_FOUND)
    found = services.proposals.proposals(ProposalState.OPEN if state == "open" else None)
    part = part_of(request, found[::-1])
    return render(
        request,
        "staff/proposals.html",
        part=part,
        state=state,
        kinds=KINDS,
        standing={each.id: _standing(each, services) for each in part.rows},
        about={each.id: _subject(each, services) for each in part.rows},
        names=names_of({each.by for each in part.rows}, services),
    )


@router.page("/admin/proposals/{proposal}")
def one(proposal: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _page(proposals.find(proposal, services), request, caller, services)


def _page(
    found: Proposal,
    request: Request,
    caller: Caller,
    services: Services,
    form: Filled[WordIn] | None = None,
    status: int = 200,
) -> Response:
    standing = _standing(found, services)
    mine = caller.account is not None and caller.account.id == found.by
    return render(
        request,
        "staff/proposal.html",
        status,
        proposal=found,
        kind=KINDS[found.kind],
        standing=standing,
        open=standing == STATES[ProposalState.OPEN],
        mine=mine,
        interested=caller.account is not None and caller.account.id in proposals.interested(found.subject, services),
        what=json.dumps(json.loads(found.what), indent=2, ensure_ascii=False),
        about=_about(found),
        subject=_subject(found, services),
        names=names_of({found.by, *filter(None, [found.closed_by])}, services),
        form=form or Filled(),
    )


@router.post("/admin/proposals/{proposal}/decision")
async def decide(proposal: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: WordIn) -> str:
        DECIDE[form.decision](proposal, form.reason, caller, services)
        return f"/admin/proposals/{proposal}"

    def page(form: Filled[WordIn], status: int) -> Response:
        return _page(proposals.find(proposal, services), request, caller, services, form, status)

    return await acted(request, WordIn, act, page)


def _standing(found: Proposal, services: Services) -> str:
    if found.state is ProposalState.OPEN and has_lapsed(found, services.now()):
        return "Lapsed"
    return STATES[found.state]


def _subject(found: Proposal, services: Services) -> str:
    """What it is about, in words: an application by its reference."""
    kind, _, name = found.subject.partition(":")
    application = services.applications.application(name) if kind == "application" else None
    return f"Application {application.reference}" if application else subject_words(found.subject)


def _about(found: Proposal) -> str:
    """The staff page of what it is about, where there is one."""
    kind, _, name = found.subject.partition(":")
    return f"/admin/applications/{name}" if kind == "application" else ""
