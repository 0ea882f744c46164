"""Which cuts are hosted, and freezing one at once."""

from __future__ import annotations

from fastapi import Request, Response

from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service import freezing
from privacy_api.service.policy_versions import find_cut, standing_terms
from privacy_api.service.services import Services
from privacy_api.web.acting import ReasonIn, acted
from privacy_api.web.forms import Filled
from privacy_api.web.pages_base import Pages, render

router = Pages()


@router.page("/admin/data-sets")
def cuts(request: Request, services: ServicesDep) -> Response:
    found = {h.cut.catalogue.cut: h.cut for h in services.data_sets.values()}
    terms = {name: standing_terms(name, services) for name in found}
    return render(request, "staff/cuts.html", cuts=found, terms=terms)


@router.page("/admin/data-sets/{cut}")
def cut(cut: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _page(cut, request, caller, services, Filled(), 200)


def _page(
    cut: str, request: Request, caller: Caller, services: Services, form: Filled[ReasonIn], status: int
) -> Response:
    hosted, terms = find_cut(cut, services), standing_terms(cut, services)
    wanted = Permission.UNFREEZE if terms.frozen else Permission.FREEZE
    return render(
        request, "staff/cut.html", status, cut=cut, hosted=hosted, terms=terms, may=caller.may(wanted), form=form,
        data_sets=[h for h in services.data_sets.values() if h.cut.catalogue.cut == cut],
        history=services.terms.history(cut),
    )  # fmt: skip


@router.post("/admin/data-sets/{cut}/freezing")
async def freeze(cut: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: ReasonIn) -> str:
        freezing.freeze_cut(cut, form.reason, caller.actor, services)
        return f"/admin/data-sets/{cut}"

    return await acted(request, ReasonIn, act, lambda form, status: _page(cut, request, caller, services, form, status))


@router.post("/admin/data-sets/{cut}/unfreezing")
async def unfreeze(cut: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: ReasonIn) -> str:
        freezing.unfreeze_cut(cut, form.reason, caller.actor, services)
        return f"/admin/data-sets/{cut}"

    return await acted(request, ReasonIn, act, lambda form, status: _page(cut, request, caller, services, form, status))
