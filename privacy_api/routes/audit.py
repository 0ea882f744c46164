"""/v1/audit: the whole record, for auditors; /v1/red-flags: what deserves a look; /v1/performance: figures for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep
from privacy_api.service import audit as record
from privacy_api.service.performance import everything
from privacy_api.service.watching import acknowledge, feed
from privacy_api.wire import staff_out
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.staff_in import ReasonIn, read_in

router = APIRouter(prefix="/v1", tags=["Audit"])
Kinds = Annotated[list[str], Query(description="Only these kinds; repeat for more.")]
Limit = Annotated[int, Query(ge=1, le=record.MOST_AT_ONCE)]


@router.get("/audit", summary="Charges, releases, decisions, refusals and sign-ins, in one order")
def entries(
    services: ServicesDep,
    kind: Kinds = [],  # noqa: B006 - FastAPI copies it
    actor: str | None = None,
    subject: str | None = None,
    since: str | None = None,
    until: str | None = None,
    after: str | None = None,
    before: str | None = None,
    limit: Limit = 100,
) -> dict[str, Any]:
    """Newest first, in front of `before`; with `after`, oldest first behind it (0.0 is the beginning)."""
    wanted = record.read_filter(kind, actor, subject, since, until)
    if after is not None and before is not None:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="Give after or before, not both.")
    read = services.audit.newest if after is None else services.audit.happenings
    found = read(wanted, record.read_position(before if after is None else after), limit)
    onward = str(found[-1].position) if len(found) == limit else None
    return {"results": [record.as_value(each) for each in found], "next": onward}


@router.get("/audit/export", summary="The whole record, oldest first, as CSV or JSON lines")
def export(
    caller: CallerDep,
    services: ServicesDep,
    kind: Kinds = [],  # noqa: B006 - FastAPI copies it
    actor: str | None = None,
    subject: str | None = None,
    since: str | None = None,
    until: str | None = None,
    format: str = "csv",
) -> StreamingResponse:
    """That it was exported is recorded."""
    writer = _WRITERS.get(format)
    if writer is None:
        raise ApiError(ErrorCode.NOT_ACCEPTABLE, detail=f"Accepted: {', '.join(f'format={f}' for f in _WRITERS)}.")
    wanted = record.read_filter(kind, actor, subject, since, until)
    services.audit.record("record-exported", caller.actor, "audit", {"way": format})
    lines, media_type = writer
    body: Iterator[str] = lines(everything(services.audit, wanted))
    named = {"Content-Disposition": f'attachment; filename="audit.{format}"'}
    return StreamingResponse(body, media_type=media_type, headers=named)


_WRITERS = {
    "csv": (record.csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (record.json_lines, "application/jsonl"),
}


@router.get("/audit/verification", summary="Check both chains from the beginning, now")
def verification(services: ServicesDep) -> dict[str, Any]:
    """503 where one of them is not what was written."""
    return {"whole": True, "ledgerEntries": services.ledger.verify(), "auditEntries": services.audit.verify()}


@router.get("/red-flags", summary="What in the record of the last 30 days deserves a look")
def red_flags(services: ServicesDep) -> dict[str, Any]:
    return {"results": [staff_out.flag_value(each) for each in feed(services)]}


@router.post("/red-flags/{flag}/acknowledgement", summary="Say that you have looked at it, and what you found")
def acknowledged(flag: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = read_in(ReasonIn, parse_json(body))
    return staff_out.flag_value(acknowledge(flag, found.reason, caller.actor, services))


@router.get("/performance", summary="Times to a decision, refusals and budget spent, from the record")
def figures(request: Request) -> dict[str, Any]:
    return staff_out.metrics_value(request.app.state.figures.now())
