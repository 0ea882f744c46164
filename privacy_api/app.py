"""The HTTP application: routes, the error table, headers and the request log."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from privacy_api import __version__, logs
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import Gate
from privacy_api.openapi import describe
from privacy_api.ports import LedgerBroken
from privacy_api.routes import data_sets, docs, health, queries, releases
from privacy_api.service.services import Services

PROBLEM = "application/problem+json"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_BY_STATUS = {e.status: e for e in (ErrorCode.NOT_FOUND, ErrorCode.METHOD_NOT_ALLOWED, ErrorCode.INVALID_REQUEST)}


def create_app(services: Services, gate: Gate, latency_slot_ms: int = 0, secure: bool = False) -> FastAPI:
    app = FastAPI(
        title="Privacy Controlling API", version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.services, app.state.gate, app.state.latency_slot_ms = services, gate, latency_slot_ms
    for module in (data_sets, queries, releases, health, docs):
        app.include_router(module.router)
    _add_errors(app)
    _add_log(app, HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {}))
    describe(app)
    return app


def document_only() -> dict[str, Any]:
    """The OpenAPI document, without a service behind it."""
    app = FastAPI(title="Privacy Controlling API", version=__version__)
    for module in (data_sets, queries, releases, health):
        app.include_router(module.router)
    describe(app)
    return app.openapi()


def _problem(error: ApiError) -> JSONResponse:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.code is ErrorCode.NOT_AUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error.document(), error.code.status, media_type=PROBLEM, headers=headers)


def _add_errors(app: FastAPI) -> None:
    async def known(request: Request, error: Exception) -> Response:
        if not isinstance(error, ApiError):
            raise error
        return _problem(error)

    async def by_status(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        return _problem(ApiError(_BY_STATUS.get(status, ErrorCode.INVALID_REQUEST)))

    async def broken(request: Request, error: Exception) -> Response:
        return _problem(ApiError(ErrorCode.LEDGER_UNAVAILABLE))

    app.add_exception_handler(ApiError, known)
    app.add_exception_handler(HTTPException, by_status)
    app.add_exception_handler(RequestValidationError, by_status)
    app.add_exception_handler(LedgerBroken, broken)


def _add_log(app: FastAPI, headers: dict[str, str]) -> None:
    log = logs.logger()

    @app.middleware("http")
    async def watch(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started, request_id = time.monotonic(), secrets.token_hex(8)
        try:
            response = await call_next(request)
        except Exception as error:
            # The type alone: an exception's text may quote what it failed on.
            log.error("failed", request=request_id, kind=type(error).__name__)
            response = _problem(ApiError(ErrorCode.INTERNAL))
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Request-Id"] = request_id
        log.info(
            "request", request=request_id, ms=round(1000 * (time.monotonic() - started)), **_facts(request, response)
        )
        return response


def _facts(request: Request, response: Response) -> dict[str, Any]:
    """What the log may hold of a request: route, status, who, which release, which charge."""
    principal, answered = getattr(request.state, "principal", None), getattr(request.state, "answered", None)
    route = request.scope.get("route")
    return {
        "method": request.method,
        "route": getattr(route, "path", "unknown"),
        "status": response.status_code,
        "key": principal.key_id if principal else None,
        "project": principal.project.id if principal else None,
        "release": answered.release if answered else None,
        "nano_rho": answered.nano_rho if answered else None,
    }
