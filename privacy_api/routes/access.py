"""Who asks, in which format, with which body: what every route needs before its use case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.formats import Format, accepted, negotiate
from privacy_api.gate import Gate
from privacy_api.ports import KeyRole, Principal
from privacy_api.service.services import Services
from privacy_api.wire.json_in import MAX_BODY


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def gate_of(request: Request) -> Gate:
    found: Gate = request.app.state.gate
    return found


def principal_of(request: Request) -> Principal:
    """The holder of the bearer key. Cookies, query parameters and forwarded headers are never looked at."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    found = services_of(request).projects.principal(key.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise ApiError(ErrorCode.NOT_AUTHENTICATED, detail="Send your key as 'Authorization: Bearer npd_…'.")
    request.state.principal = found
    return found


def checker_of(request: Request) -> Principal:
    """The holder of a key that may have outputs checked."""
    found = principal_of(request)
    if found.role is not KeyRole.CHECKER:
        detail = "A check tells of exact numbers. Ask an officer for a key with the role checker."
        raise ApiError(ErrorCode.NOT_A_CHECKER, detail=detail)
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
CheckerDep = Annotated[Principal, Depends(checker_of)]
ShapeDep = Annotated[Shape, Depends(shape_of)]
BodyDep = Annotated[bytes, Depends(body_of)]
