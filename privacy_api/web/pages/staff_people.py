"""Who can sign in, with which roles; freezing an account at once."""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import Field

from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import AccountStatus, Role
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service.accounts import find_account, freeze_account, give_roles
from privacy_api.service.services import Services
from privacy_api.web.acting import Reason, acted
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import part_of

router = Pages()


class RolesIn(FormIn):
    roles: list[str] = Field(default_factory=list, title="roles")
    reason: Reason


class FreezeIn(FormIn):
    why: Reason


@router.page("/admin/people")
def people(request: Request, services: ServicesDep) -> Response:
    return render(request, "staff/people.html", part=part_of(request, services.accounts.accounts()))


@router.page("/admin/people/{account}")
def person(account: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _page(account, request, caller, services, Filled(), 200)


def _page(
    account: str,
    request: Request,
    caller: Caller,
    services: Services,
    form: Filled[RolesIn] | Filled[FreezeIn],
    status: int,
) -> Response:
    found = find_account(account, services)
    frozen = found.status is AccountStatus.FROZEN
    return render(
        request,
        "staff/person.html",
        status,
        person=found,
        roles=list(Role),
        frozen=frozen,
        projects=services.accounts.projects_of(found.id),
        own=caller.account is not None and caller.account.id == found.id,
        may_freeze=caller.may(Permission.UNFREEZE if frozen else Permission.FREEZE),
        form=form,
    )


@router.post("/admin/people/{account}/roles")
async def roles(account: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: RolesIn) -> str:
        give_roles(account, form.roles, form.reason, caller.actor, services)
        return f"/admin/people/{account}"

    def page(form: Filled[RolesIn], status: int) -> Response:
        return _page(account, request, caller, services, form, status)

    return await acted(request, RolesIn, act, page)


@router.post("/admin/people/{account}/freezing")
async def freeze(account: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return await _freeze(account, True, request, caller, services)


@router.post("/admin/people/{account}/unfreezing")
async def unfreeze(account: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return await _freeze(account, False, request, caller, services)


async def _freeze(account: str, frozen: bool, request: Request, caller: Caller, services: Services) -> Response:
    def act(form: FreezeIn) -> str:
        freeze_account(account, frozen, form.why, caller.actor, services)
        return f"/admin/people/{account}"

    def page(form: Filled[FreezeIn], status: int) -> Response:
        return _page(account, request, caller, services, form, status)

    return await acted(request, FreezeIn, act, page)
