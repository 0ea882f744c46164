"""/v1/data-sets/{id}/query: the question, and its free preview."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import pad
from privacy_api.ports import Principal
from privacy_api.routes.access import BodyDep, PrincipalDep, ServicesDep, Shape, ShapeDep, gate_of
from privacy_api.service.answer_query import Answered, answer_query
from privacy_api.service.preview import preview
from privacy_api.service.services import Services
from privacy_api.wire.get_form import GET_PARAMETERS, query_value
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.query_in import read_query

router = APIRouter(prefix="/v1/data-sets/{data_set}/query", tags=["Queries"])

PREVIEW_PARAMETERS = [{**each, "required": False} for each in GET_PARAMETERS]
"""A preview without a measure says that one is wanted."""


@router.post("", summary="Ask a question and be charged for it")
async def post_query(
    data_set: str, request: Request, body: BodyDep, principal: PrincipalDep, services: ServicesDep, shape: ShapeDep
) -> Response:
    return await _answer(lambda: parse_json(body), data_set, request, principal, services, shape)


@router.get("", summary="The same, in the address", openapi_extra={"parameters": GET_PARAMETERS})
async def get_query(
    data_set: str, request: Request, principal: PrincipalDep, services: ServicesDep, shape: ShapeDep
) -> Response:
    return await _answer(lambda: _parameters(request), data_set, request, principal, services, shape)


@router.post("/preview", summary="Price, expected margins and problems, for nothing")
async def post_preview(
    data_set: str, request: Request, body: BodyDep, principal: PrincipalDep, services: ServicesDep
) -> dict[str, Any]:
    return await _preview(lambda: parse_json(body), data_set, request, principal, services)


@router.get("/preview", summary="The same, in the address", openapi_extra={"parameters": PREVIEW_PARAMETERS})
async def get_preview(
    data_set: str, request: Request, principal: PrincipalDep, services: ServicesDep
) -> dict[str, Any]:
    return await _preview(lambda: _parameters(request), data_set, request, principal, services)


def _parameters(request: Request) -> Any:
    return query_value(p for p in request.query_params.multi_items() if p[0] not in ("format", "labels"))


async def _preview(
    value: Callable[[], Any], data_set: str, request: Request, principal: Principal, services: Services
) -> dict[str, Any]:
    """Whatever is wrong with a query is an answer here, not an error."""

    def work() -> dict[str, Any]:
        return preview(read_query(value(), data_set), principal, services)

    try:
        return await gate_of(request).run(work)
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        return {"valid": False, "problems": error.document()["errors"]}


async def _answer(
    value: Callable[[], Any],
    data_set: str,
    request: Request,
    principal: Principal,
    services: Services,
    shape: Shape,
) -> Response:
    started = time.monotonic()

    def work() -> tuple[Answered, bytes]:
        answered = answer_query(read_query(value(), data_set), principal, services)
        return answered, _with_charge(answered, shape)

    try:
        answered, body = await gate_of(request).run(work)
    except BaseException:
        await pad(started, request.app.state.latency_slot_ms)
        raise
    if not answered.repeat:  # what is stored is read without a look at the data, so that its time says nothing of it
        await pad(started, request.app.state.latency_slot_ms)
    request.state.answered = answered
    return Response(body, media_type=shape.format.media_type, headers=_headers(answered))


def _with_charge(answered: Answered, shape: Shape) -> bytes:
    """JSON answers begin with what this request was charged; the release itself is the same for everybody."""
    body = shape.write(answered.body)
    if shape.format.name != "json":
        return body
    charge = {"nanoRho": answered.nano_rho, "rho": answered.nano_rho / 1e9, "repeat": answered.repeat}
    return b'{"charge":' + json.dumps(charge).encode() + b"," + body[1:]


def _headers(answered: Answered) -> dict[str, str]:
    return {
        "Link": f'</v1/releases/{answered.release}>; rel="canonical"',
        "Release-Id": answered.release,
        "Charge-Nano-Rho": str(answered.nano_rho),
    }
