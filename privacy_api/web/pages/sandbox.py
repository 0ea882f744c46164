"""/sandbox: a key for a day, for anybody, to be tried at once; what its play budget has left; and beginning again.

Nobody is signed in here: the key itself is what is shown for looking and beginning again. It comes in a form and never
in an address, and the page that answers shows it once.
"""

from __future__ import annotations

from typing import Literal

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.csrf import is_own
from privacy_api.ports import Principal, ProjectKind, Suspended
from privacy_api.routes.access import ServicesDep
from privacy_api.routes.admission import origin_of
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.sandbox import CAP, HOURS, begin_again, is_open, open_sandbox
from privacy_api.service.services import Services
from privacy_api.web.forms import Filled, FormIn, posted
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.snippets import first_question

router = Pages()
NO_SUCH = "This is not a key of a sandbox that is open. Get a new key"


class OpenIn(FormIn):
    """A press of a button, with nothing to fill in."""


class YoursIn(FormIn):
    key: str = Field(title="the key of your sandbox", max_length=100)
    act: Literal["look", "again"] = "look"


@router.page("/sandbox")
def page(request: Request, services: ServicesDep) -> Response:
    return _page(request, services, Filled())


@router.post("/sandbox")
async def make(request: Request, services: ServicesDep) -> Response:
    """No redirect: the key is in this answer and nowhere else."""
    _refuse_foreign(request)
    form = await posted(request, OpenIn)
    if form.value is None:
        raise ApiError(ErrorCode.INVALID_REQUEST)
    request.app.state.sandbox_throttle.admit(request)
    info, key = await run_in_threadpool(open_sandbox, services)
    question = first_question(_example(services), origin_of(request), key)
    return render(request, "sandbox_made.html", 201, key=key, expires=info.expires, question=question, cap=CAP)


@router.post("/sandbox/yours")
async def yours(request: Request, services: ServicesDep) -> Response:
    _refuse_foreign(request)
    form = await posted(request, YoursIn)
    return await run_in_threadpool(_yours, request, services, form)


def _yours(request: Request, services: Services, form: Filled[YoursIn]) -> Response:
    if form.value is None:
        return _page(request, services, form, 422)
    principal = _sandbox_of(form.value.key, services)
    if principal is None:
        return _page(request, services, form.with_problem("key", NO_SUCH), 422)
    project, again = principal.project, form.value.act == "again"
    if again:
        request.app.state.sandbox_throttle.admit(request)
        project = begin_again(principal, services)
    balance = services.ledger.project_balance(project)
    return render(request, "sandbox_yours.html", balance=balance, project=project, again=again, key=form.value.key)


def _sandbox_of(key: str, services: Services) -> Principal | None:
    try:
        found = services.projects.principal(key)
    except Suspended:
        return None
    return found if found is not None and found.project.kind is ProjectKind.SANDBOX else None


def _page(request: Request, services: Services, form: Filled[YoursIn], status: int = 200) -> Response:
    there = [h for h in services.data_sets.values() if h.cut.catalogue.synthetic]
    return render(request, "sandbox.html", status, form=form, open=is_open(services), data_sets=there, hours=HOURS)


def _example(services: Services) -> HostedDataSet:
    """A data set of pupils, which a policy lets everybody ask, if there is one."""
    there = [h for h in services.data_sets.values() if h.cut.catalogue.synthetic and not h.data_set.public]
    return next((h for h in there if h.cut.policy.answers_ad_hoc and h.data_set.id == "census"), there[0])


def _refuse_foreign(request: Request) -> None:
    """Another site must not make a visitor's browser use up what their address may open."""
    if not is_own(request.headers, origin_of(request)):
        raise ApiError(ErrorCode.NOT_FROM_HERE)
