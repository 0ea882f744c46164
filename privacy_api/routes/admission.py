"""The one place where a request is admitted: who asks, and whether the access table lets them.

Every route passes here before anything of its own (create_app refuses a route that would not). What a caller may see of
what is there is decided in the use cases.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Mount

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.access_table import KEY, PUBLIC, SIGNED_IN, Access, Table, acts, is_page, wants_project
from privacy_api.governance.caller import ANONYMOUS, Caller
from privacy_api.governance.csrf import FIELD, HEADER, is_own, is_token_of
from privacy_api.governance.roles import Permission
from privacy_api.ports import Session
from privacy_api.routes.credentials import caller_from, carries_credentials
from privacy_api.routes.forms import form_of, is_form


class AccessTableRefused(RuntimeError):
    """The service does not start: its routes and the access table do not agree."""


async def admit(request: Request) -> None:
    """Sets `request.state.caller`, or refuses."""
    path = request.scope["route"].path
    access: Access | None = request.app.state.access.get((request.method, path))
    if access is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    caller = await _caller(request, path, access)
    request.state.caller = caller
    if access is not PUBLIC:
        _refuse(caller, access, is_page(path))
    if caller.session is not None and acts(request.method, path):
        await _refuse_foreign(request, caller.session)


async def _caller(request: Request, path: str, access: Access) -> Caller:
    """What is public in the API is the same for everybody, so that nobody is looked up; a page greets who it can."""
    if not carries_credentials(request) or (access is PUBLIC and not is_page(path)):
        return ANONYMOUS
    try:
        return await run_in_threadpool(caller_from, request, wants_project(access))
    except ApiError:
        if access is not PUBLIC:
            raise
        return ANONYMOUS


def _refuse(caller: Caller, access: Access, page: bool) -> None:
    """Pages are for people: an API key opens none that is not public."""
    if not caller.known or (caller.account is None and (page or access is SIGNED_IN)):
        raise ApiError(ErrorCode.NOT_AUTHENTICATED, detail=_HOW[access is KEY])
    wanted = Permission.ASK if access is KEY else access
    if isinstance(wanted, Permission) and not caller.may(wanted):
        if wanted is Permission.CHECK_OUTPUTS:
            detail = "A check tells of exact numbers. Ask an officer for a key with the role checker."
            raise ApiError(ErrorCode.NOT_A_CHECKER, detail=detail)
        raise ApiError(ErrorCode.FORBIDDEN, detail="" if page else f"It wants the permission {wanted}.")


_HOW = {
    True: "Send your key as 'Authorization: Bearer npd_…'.",
    False: "Sign in, or send a bearer token of the service's identity provider.",
}


async def _refuse_foreign(request: Request, session: Session) -> None:
    """A browser sends its cookie whoever made it ask: our own page must have."""
    token = request.headers.get(HEADER)
    if token is None and is_form(request):
        token = (await form_of(request)).get(FIELD)
    if token is None or not is_token_of(session, token) or not is_own(request.headers, origin_of(request)):
        raise ApiError(ErrorCode.NOT_FROM_HERE)


def origin_of(request: Request) -> str:
    """Where people find this service: as it was set, or as the browser addressed it."""
    public: str = request.app.state.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def check_table(routes: Iterable[BaseRoute], table: Table) -> None:
    """Raises AccessTableRefused unless each route has its row, and each row its route."""
    there: set[tuple[str, str]] = set()
    for found in iter_route_contexts(list(routes)):
        rows = _rows(found.original_route, found.path or "", found.methods or ())
        there |= rows
        if not isinstance(found.original_route, APIRoute) and any(table.get(row) not in (None, PUBLIC) for row in rows):
            raise AccessTableRefused(f"{sorted(rows)}: only routes of FastAPI pass the admission, so it must be public")
    if missing := sorted(there - set(table)):
        raise AccessTableRefused(f"routes without a row in the access table: {missing}")
    if idle := sorted(set(table) - there):
        raise AccessTableRefused(f"rows of the access table without a route: {idle}")


def _rows(route: BaseRoute, path: str, methods: Iterable[str]) -> set[tuple[str, str]]:
    """A mounted folder is one row."""
    return {("GET", f"{path}/{{path:path}}")} if isinstance(route, Mount) else {(method, path) for method in methods}
