"""Who asks on a page, for which project: the account that is signed in, as a member."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import pad
from privacy_api.ports import Account, Balance, Principal, Project, StoredRelease
from privacy_api.routes.access import caller_of, gate_of
from privacy_api.routes.provenance import mark
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.identity import principal_in
from privacy_api.service.reach import cuts_of, is_synthetic, may_read, twin
from privacy_api.service.services import Services


async def asking(request: Request, work: Callable[[], Response]) -> Response:
    """Where a question may be asked: in a place of the gate, and at a time that says as little as the API's answers."""
    started = time.monotonic()
    try:
        return await gate_of(request).run(work)
    finally:
        await pad(started, request.app.state.latency_slot_ms)


def account_of(request: Request) -> Account:
    """Pages are for people: an API key opens none."""
    account = caller_of(request).account
    if account is None:
        raise ApiError(ErrorCode.NOT_AUTHENTICATED)
    return account


def principal_of(request: Request, project: str, services: Services) -> Principal:
    return principal_in(account_of(request), project, services)


def projects_of(request: Request, services: Services) -> list[Project]:
    return list(services.accounts.projects_of(account_of(request).id))


def principals_of(request: Request, services: Services) -> list[Principal]:
    """The account as it may ask now: for each of its projects that is neither frozen nor ended."""
    account = account_of(request)
    going = [project for project in projects_of(request, services) if not suspended(project, services)]
    return [principal_in(account, project.id, services) for project in going]


def readable(release: str, request: Request, services: Services) -> StoredRelease:
    """404 unless it is there for one of the asker's projects."""
    stored = services.ledger.release(release)
    if (
        stored is None
        or stored.is_model
        or not any(may_read(stored.cut, mine, services) for mine in principals_of(request, services))
    ):
        raise ApiError(ErrorCode.NOT_FOUND)
    mark(request, is_synthetic(stored.cut, services))
    return stored


def suspended(project: Project, services: Services) -> bool:
    """Frozen or ended: nobody asks for it now, though what it had answered stays."""
    return project.frozen is not None or (project.expires is not None and project.expires <= services.now())


def balances_of(principal: Principal, hosted: HostedDataSet, services: Services) -> dict[str, Balance]:
    """Every budget that pays for a question: of the cut, the project and the person. The least of them decides."""
    ledger, cut = services.ledger, hosted.cut
    found = {
        "This data (all projects together)": ledger.cut_balance(cut.account, cut.cap),
        "Your project": ledger.project_balance(principal.project),
    }
    person = services.projects.person(principal.person) if principal.person else None
    return found | ({"You, over all projects": ledger.person_balance(person)} if person else {})


def twin_of(hosted: HostedDataSet, principal: Principal, services: Services) -> HostedDataSet | None:
    """The same data set of the twin, as far as it is there for the asker."""
    other = twin(hosted, services)
    there = other and (other.cut.catalogue.synthetic or not principal.synthetic_only)
    return other if there else None


def data_sets_of(principal: Principal, services: Services) -> list[HostedDataSet]:
    """Those that answer free questions."""
    there, scope = cuts_of(principal, services), principal.project.scope
    return [
        hosted
        for hosted in services.data_sets.values()
        if hosted.cut.catalogue.cut in there and (scope is None or hosted.id in scope)
        if not hosted.data_set.public and hosted.cut.policy.answers_ad_hoc
    ]
