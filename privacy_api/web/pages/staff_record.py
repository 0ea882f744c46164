"""The record as auditors read it, and the feed of red flags. Questions and charges, never an exact value."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import Field

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import LONGEST_REASON
from privacy_api.governance.audit_kinds import KINDS, LEDGER_KINDS
from privacy_api.ports import LedgerBroken
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.service import audit as record
from privacy_api.service.names import names_of
from privacy_api.service.services import Services
from privacy_api.service.watching import acknowledge, feed
from privacy_api.web.acting import acted
from privacy_api.web.forms import Filled, FormIn
from privacy_api.web.pages_base import Pages, render

router = Pages()
ROWS = 50
FILTERS = ("kind", "actor", "subject", "since", "until")


class AcknowledgeIn(FormIn):
    reason: str = Field(title="what you found", max_length=LONGEST_REASON)


@router.page("/admin/audit")
def audit(request: Request, services: ServicesDep) -> Response:
    """Newest first, in front of `before`."""
    asked = {name: request.query_params.get(name, "").strip() or None for name in (*FILTERS, "before")}
    kinds = [asked["kind"]] if asked["kind"] else []
    wanted = record.read_filter(kinds, asked["actor"], asked["subject"], asked["since"], asked["until"])
    found = services.audit.newest(wanted, record.read_position(asked["before"]), ROWS)
    kept = {name: asked[name] for name in FILTERS if asked[name]}
    return render(
        request,
        "staff/audit.html",
        entries=[(each, record.plain_of(each.kind)) for each in found],
        onward=f"?{urlencode({**kept, 'before': str(found[-1].position)})}" if len(found) == ROWS else "",
        export=f"/v1/audit/export?{urlencode(kept)}",
        asked=asked,
        kinds=sorted([(name, record.plain_of(name)) for name in (*KINDS, *LEDGER_KINDS)], key=lambda kind: kind[1]),
        names=names_of({each.actor for each in found}, services),
    )


@router.page("/admin/audit/verification")
def verification(request: Request, services: ServicesDep) -> Response:
    """Checks both chains from the beginning, now."""
    try:
        entries = (services.ledger.verify(), services.audit.verify())
    except LedgerBroken as broken:
        return render(request, "staff/verification.html", 503, entries=None, told=str(broken))
    return render(request, "staff/verification.html", entries=entries, told="")


@router.page("/admin/red-flags")
def red_flags(request: Request, services: ServicesDep) -> Response:
    found = feed(services)
    open_ones = [each for each in found if each.acknowledged is None]
    looked = [each for each in found if each.acknowledged is not None]
    return render(request, "staff/red-flags.html", open=open_ones, looked=looked)


@router.page("/admin/red-flags/{flag}")
def red_flag(flag: str, request: Request, services: ServicesDep) -> Response:
    return _flag(flag, request, services, Filled(), 200)


def _flag(flag: str, request: Request, services: Services, form: Filled[AcknowledgeIn], status: int) -> Response:
    found = next((each for each in feed(services) if each.flag.id == flag), None)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return render(request, "staff/red-flag.html", status, standing=found, form=form)


@router.post("/admin/red-flags/{flag}/acknowledgement")
async def looked_at(flag: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    def act(form: AcknowledgeIn) -> str:
        acknowledge(flag, form.reason, caller.actor, services)
        return "/admin/red-flags"

    return await acted(request, AcknowledgeIn, act, lambda form, status: _flag(flag, request, services, form, status))
