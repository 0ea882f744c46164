"""The HTTP application: routes, the error table, headers and the request log."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privacy_api import __version__, logs
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.gate import Gate
from privacy_api.governance.access_table import ACCESS, DEVELOPMENT, is_page
from privacy_api.governance.caller import ANONYMOUS
from privacy_api.openapi import describe
from privacy_api.ports import LedgerBroken
from privacy_api.routes import (
    accounts,
    applications,
    audit,
    budgets,
    data_sets,
    docs,
    health,
    keys,
    output_checks,
    projects,
    proposals,
    provenance,
    queries,
    releases,
    synthetic_releases,
    tables,
)
from privacy_api.routes.admission import admit, check_table
from privacy_api.routes.credentials import COOKIE, PLAIN_COOKIE
from privacy_api.routes.throttle import Throttle
from privacy_api.service.performance import Figures
from privacy_api.service.services import Services
from privacy_api.service.tallies import Refused
from privacy_api.web import static
from privacy_api.web.assets import Assets, load_assets
from privacy_api.web.errors import error_page, wants_page
from privacy_api.web.pages import (
    answers,
    apply,
    ask,
    budget,
    catalogue,
    development,
    downloads,
    information,
    register,
    sandbox,
    sign_in,
    staff,
    staff_budgets,
    staff_cuts,
    staff_people,
    staff_policies,
    staff_proposals,
    staff_record,
    start,
    synthetic,
)
from privacy_api.web.pages import keys as keys_page

PROBLEM = "application/problem+json"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
API = (
    data_sets,
    queries,
    tables,
    releases,
    output_checks,
    applications,
    proposals,
    projects,
    audit,
    budgets,
    keys,
    accounts,
    synthetic_releases,
    health,
)
"""Modules whose routers are in the OpenAPI document."""
PAGES = (
    *(docs, static, start, catalogue, register, information, sandbox, synthetic, sign_in),
    *(keys_page, ask, answers, downloads, budget, apply),
    *(staff, staff_proposals, staff_policies, staff_budgets, staff_cuts, staff_people, staff_record),
)
CSV_AT_A_TIME, CSV_WAITING = 1, 16
"""Tables that are being written as CSV, in each process."""
SANDBOXES_AN_HOUR = 10
"""From one address, in each process."""
_BY_STATUS = {e.status: e for e in (ErrorCode.NOT_FOUND, ErrorCode.METHOD_NOT_ALLOWED, ErrorCode.INVALID_REQUEST)}


def create_app(
    services: Services,
    gate: Gate,
    latency_slot_ms: int = 0,
    secure: bool = False,
    assets: Assets | None = None,
    public_url: str = "",
    development_sign_in: bool = False,
) -> FastAPI:
    """secure: browsers reach it by HTTPS. public_url: scheme, host and port that they know it by, if it is set.
    development_sign_in: as made-up people, with no proof; demo mode alone has those routes.
    """
    app = _routed(secure, development_sign_in)
    attach(app, services, gate, latency_slot_ms, assets, public_url)
    return app


def attach(
    app: FastAPI,
    services: Services,
    gate: Gate,
    latency_slot_ms: int = 0,
    assets: Assets | None = None,
    public_url: str = "",
) -> None:
    """What answers behind the routes: all that an application keeps from one request to the next."""
    app.state.services, app.state.gate, app.state.latency_slot_ms = services, gate, latency_slot_ms
    app.state.public_url, app.state.assets = public_url, assets or load_assets()
    app.state.sandbox_throttle = Throttle(SANDBOXES_AN_HOUR, 3600)
    app.state.csv_gate = Gate(CSV_AT_A_TIME, CSV_WAITING)
    app.state.figures = Figures(services.audit)


def _routed(secure: bool, development_sign_in: bool) -> FastAPI:
    pages = (*PAGES, development) if development_sign_in else PAGES
    table = {**ACCESS, **DEVELOPMENT} if development_sign_in else ACCESS
    app = FastAPI(
        title="Privacy Controlling API",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(admit)],
    )
    app.state.secure, app.state.access, app.state.development_sign_in = secure, dict(table), development_sign_in
    app.state.paths = frozenset(route.path for module in pages for route in module.router.routes)
    for module in (*API, *pages):
        app.include_router(module.router)
    check_table(app.routes, table)
    _add_errors(app)
    headers = HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})
    app.add_middleware(_Watch, headers=headers)
    describe(app, COOKIE if secure else PLAIN_COOKIE)
    return app


def document_only() -> dict[str, Any]:
    """The OpenAPI document, without a service behind it."""
    app = FastAPI(title="Privacy Controlling API", version=__version__)
    for module in API:
        app.include_router(module.router)
    describe(app)
    return app.openapi()


def _problem(error: ApiError) -> JSONResponse:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.code is ErrorCode.NOT_AUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error.document(), error.code.status, media_type=PROBLEM, headers=headers)


def _refusal(request: Request, error: ApiError) -> Response:
    """A page for people with a browser, a problem document for everybody else."""
    return error_page(request, error) if wants_page(request) else _problem(error)


def _to_sign_in(request: Request) -> Response:
    """Back to where they were, afterwards, if it was a page to look at."""
    there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    onward = f"?next={quote(there, safe='/')}" if request.method == "GET" else ""
    return RedirectResponse(f"/sign-in{onward}", 303)


UNCOUNTED = frozenset({ErrorCode.IN_PROGRESS, ErrorCode.LEDGER_UNAVAILABLE})
NO_ACCESS = frozenset(
    {ErrorCode.NOT_AUTHENTICATED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FROM_HERE, ErrorCode.NOT_FOUND, ErrorCode.FROZEN}
)
"""What is somebody else's answers 404, so that trying ids is among them."""


def _count(request: Request, error: ApiError) -> None:
    """By whoever it was; those of nobody known are counted together. A question, or what they may not see or do."""
    asked = "/query" in getattr(request.scope.get("route"), "path", "")
    if error.code in UNCOUNTED or not (asked or error.code in NO_ACCESS):
        return
    caller = getattr(request.state, "caller", ANONYMOUS)
    who = caller.principal.key_id if caller.principal else caller.actor
    services: Services = request.app.state.services
    services.tallies.count(Refused("query-refused" if asked else "access-refused", who, "service"), error.code.slug)


def _methods(request: Request) -> str:
    """All that the address takes, over all of its routes (RFC 9110 wants them with a 405)."""
    path = getattr(request.scope.get("route"), "path", "")
    return ", ".join(sorted({method for method, taken in request.app.state.access if taken == path}))


def _add_errors(app: FastAPI) -> None:
    async def known(request: Request, error: Exception) -> Response:
        if not isinstance(error, ApiError):
            raise error
        _count(request, error)
        if error.code is ErrorCode.NOT_AUTHENTICATED and is_page(request.url.path):
            return _to_sign_in(request)
        return _refusal(request, error)

    async def by_status(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        answer = _refusal(request, ApiError(_BY_STATUS.get(status, ErrorCode.INVALID_REQUEST)))
        if status == ErrorCode.METHOD_NOT_ALLOWED.status:
            answer.headers["Allow"] = _methods(request)
        return answer

    async def broken(request: Request, error: Exception) -> Response:
        return _refusal(request, ApiError(ErrorCode.LEDGER_UNAVAILABLE))

    app.add_exception_handler(ApiError, known)
    app.add_exception_handler(HTTPException, by_status)
    app.add_exception_handler(RequestValidationError, by_status)
    app.add_exception_handler(LedgerBroken, broken)


class _Watch:
    """Outermost: gives every response its headers and its log line, and turns what nobody foresaw into a bare 500."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app, self._headers, self._log = app, headers, logs.logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, request_id, status = time.monotonic(), secrets.token_hex(8), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                marks = provenance.headers_of(Request(scope)) if status < 500 else {}
                for name, value in {**self._headers, **marks}.items():
                    headers.setdefault(name, value)
                headers["Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            # The type alone: an exception's text may quote what it failed on.
            self._log.error("failed", request=request_id, kind=type(error).__name__)
            if not status:
                await _last_word(Request(scope))(scope, receive, send_with_headers)
        ms = round(1000 * (time.monotonic() - started))
        self._log.info("request", request=request_id, ms=ms, status=status, **_facts(Request(scope)))


def _last_word(request: Request) -> Response:
    """For what nobody foresaw, which may be the pages themselves."""
    error = ApiError(ErrorCode.INTERNAL)
    try:
        return _refusal(request, error)
    except Exception:
        return _problem(error)


def _facts(request: Request) -> dict[str, Any]:
    """What the log may hold of a request: route, who, which release, which charge."""
    caller, answered = getattr(request.state, "caller", ANONYMOUS), getattr(request.state, "answered", None)
    principal, route = caller.principal, request.scope.get("route")
    return {
        "method": request.method,
        "route": getattr(route, "path", "unknown"),
        "key": principal.key_id if principal else None,
        "account": caller.account.id if caller.account else None,
        "project": principal.project.id if principal else None,
        "release": answered.release if answered else None,
        "nano_rho": answered.nano_rho if answered else None,
    }
