"""Budgets of cuts, projects and people: what is left, what it means, and another cap."""

from __future__ import annotations

from decimal import Decimal

from fastapi import Request, Response
from pydantic import Field

from disclosure.accounting import nano_rho
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Proposal
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service import outlook
from privacy_api.service.caps import Scope, standing_cap
from privacy_api.service.services import Services
from privacy_api.service.staff_changes import set_cap as change_cap
from privacy_api.web.acting import Reason, acted
from privacy_api.web.charts.spending import spent_bar
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import part_of

router = Pages()


class CapIn(FormIn):
    """rho: the new cap."""

    rho: Decimal = Field(title="the new cap", ge=0, le=1_000_000_000, max_digits=18, decimal_places=9)
    reason: Reason


@router.page("/admin/budgets")
def budgets(request: Request, services: ServicesDep) -> Response:
    cuts, projects = outlook.cuts(services), outlook.projects(services)
    return render(
        request,
        "staff/budgets.html",
        cuts=cuts,
        titles={h.cut.catalogue.cut: h.cut.catalogue.title for h in services.data_sets.values()},
        bars={each.terms.cut: spent_bar(each.balance) for each in cuts},
        part=part_of(request, projects),
        people=services.projects.people(),
    )


@router.page("/admin/budgets/{scope}/{name}")
def budget(scope: str, name: str, request: Request, services: ServicesDep) -> Response:
    return _page(scope, name, request, services, Filled(), 200)


def _page(scope: str, name: str, request: Request, services: Services, form: Filled[CapIn], status: int) -> Response:
    if scope not in list(Scope):
        raise ApiError(ErrorCode.NOT_FOUND)
    cap = standing_cap(Scope(scope), name, services)
    return render(request, "staff/cap.html", status, scope=scope, name=name, cap=cap, form=form)


@router.post("/admin/budgets/{scope}/{name}")
async def set_cap(scope: str, name: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    """Lowered at once; raised once a second person agrees."""
    if scope not in list(Scope):
        raise ApiError(ErrorCode.NOT_FOUND)

    def act(form: CapIn) -> str:
        done = change_cap(Scope(scope), name, nano_rho(form.rho), form.reason, caller, services)
        return f"/admin/proposals/{done.id}" if isinstance(done, Proposal) else "/admin/budgets"

    return await acted(request, CapIn, act, lambda form, status: _page(scope, name, request, services, form, status))
