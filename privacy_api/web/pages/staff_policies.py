"""Versions of a cut's policy: written, compared, tried on synthetic data, published."""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import Field

from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import Proposal
from privacy_api.routes.access import CallerDep, ServicesDep, gate_of
from privacy_api.service import policy_versions
from privacy_api.service.names import names_of
from privacy_api.service.policy_effect import Effect, effect
from privacy_api.service.services import Services
from privacy_api.service.staff_changes import publish as publish_policy
from privacy_api.web.acting import Reason, ReasonIn, acted
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.pages_base import Pages, render
from privacy_api.wire.query_in import read_query
from privacy_api.wire.staff_in import MOST_POLICY

router = Pages()


class DraftIn(FormIn):
    policy: str = Field(title="the policy", max_length=MOST_POLICY)
    reason: Reason


@router.page("/admin/policies")
def policies(request: Request, services: ServicesDep) -> Response:
    cuts = {h.cut.catalogue.cut: h.cut for h in services.data_sets.values()}
    return render(request, "staff/policies.html", cuts=cuts)


@router.page("/admin/policies/{cut}")
def policy(cut: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _policy(cut, request, caller, services, Filled(), 200)


def _policy(
    cut: str, request: Request, caller: Caller, services: Services, form: Filled[DraftIn], status: int
) -> Response:
    terms = policy_versions.standing_terms(cut, services)
    versions = services.terms.versions(cut)
    return render(
        request,
        "staff/policy.html",
        status,
        cut=cut,
        terms=terms,
        versions=versions,
        in_force=policy_versions.find_version(cut, terms.version, services),
        rules=policy_versions.find_cut(cut, services).policy.rules,
        names=names_of({each.by for each in versions}, services),
        may_set=caller.may(Permission.SET_POLICIES),
        form=form,
    )


@router.post("/admin/policies/{cut}")
async def draft(cut: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: DraftIn) -> str:
        made = policy_versions.draft(cut, f"{form.policy}\n", form.reason, caller.actor, services)
        return f"/admin/policies/{cut}/{made.version.version}"

    return await acted(
        request, DraftIn, act, lambda form, status: _policy(cut, request, caller, services, form, status)
    )


@router.page("/admin/policies/{cut}/{version}")
async def version(cut: str, version: int, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    """With `?effect=yes` also what it would do to past questions, tried on synthetic data."""

    def work() -> Response:
        tried = effect(cut, version, read_query, services) if "effect" in request.query_params else None
        return _version(cut, version, request, caller, services, tried)

    return await gate_of(request).run(work)


def _version(
    cut: str,
    version: int,
    request: Request,
    caller: Caller,
    services: Services,
    tried: Effect | None = None,
    form: Filled[ReasonIn] | None = None,
    status: int = 200,
) -> Response:
    found = policy_versions.review(cut, version, services)
    return render(
        request,
        "staff/version.html",
        status,
        cut=cut,
        review=found,
        open=found.version.state in policy_versions.OPEN,
        names=names_of({found.version.by}, services),
        tried=tried,
        may_set=caller.may(Permission.SET_POLICIES),
        form=form or Filled(),
    )


@router.post("/admin/policies/{cut}/{version}/publication")
async def publish(cut: str, version: int, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: ReasonIn) -> str:
        done = publish_policy(cut, version, form.reason, caller, services)
        return f"/admin/proposals/{done.id}" if isinstance(done, Proposal) else f"/admin/policies/{cut}"

    def page(form: Filled[ReasonIn], status: int) -> Response:
        return _version(cut, version, request, caller, services, None, form, status)

    return await acted(request, ReasonIn, act, page)


@router.post("/admin/policies/{cut}/{version}/withdrawal")
async def withdraw(cut: str, version: int, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: ReasonIn) -> str:
        policy_versions.withdraw(cut, version, form.reason, caller.actor, services)
        return f"/admin/policies/{cut}"

    def page(form: Filled[ReasonIn], status: int) -> Response:
        return _version(cut, version, request, caller, services, None, form, status)

    return await acted(request, ReasonIn, act, page)
