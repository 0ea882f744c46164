"""Who asks, in which format, with which body: what every route needs before its use case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.formats import Format, accepted, negotiate
from privacy_api.gate import Gate
from privacy_api.governance.caller import Caller
from privacy_api.ports import Principal
from privacy_api.service.services import Services
from privacy_api.wire.json_in import MAX_BODY


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def gate_of(request: Request) -> Gate:
    found: Gate = request.app.state.gate
    return found


def caller_of(request: Request) -> Caller:
    """Who asks, as the admission found it (routes/admission.py), which has let them in."""
    found: Caller = request.state.caller
    return found


async def principal_of(request: Request) -> Principal:
    """Whom the caller asks as: the project of the API key, or of the account."""
    found = caller_of(request).principal
    if found is None:
        raise ApiError(ErrorCode.NO_PROJECT, detail="Name one of your projects in the header 'Project'.")
    return found


@dataclass(frozen=True, slots=True)
class Shape:
    """How an answer is to be written."""

    format: Format
    labels: bool

    def write(self, document: bytes) -> bytes:
        return self.format.write(document, self.labels)


def shape_of(request: Request) -> Shape:
    found = negotiate(request.query_params.get("format"), request.headers.get("accept", "*/*"))
    labels = request.query_params.get("labels", "codes")
    if found is None or labels not in ("codes", "both"):
        raise ApiError(ErrorCode.NOT_ACCEPTABLE, detail=accepted())
    return Shape(found, labels == "both")


async def body_of(request: Request) -> bytes:
    return await read_body(request, MAX_BODY)


async def read_body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is too long, whatever Content-Length says."""
    if request.headers.get("content-type", "application/json").split(";")[0].strip().lower() != "application/json":
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ApiError(ErrorCode.TOO_LARGE, detail=f"At most {most} bytes are accepted.")
    return bytes(body)


ServicesDep = Annotated[Services, Depends(services_of)]
PrincipalDep = Annotated[Principal, Depends(principal_of)]
CallerDep = Annotated[Caller, Depends(caller_of)]
ShapeDep = Annotated[Shape, Depends(shape_of)]
BodyDep = Annotated[bytes, Depends(body_of)]
