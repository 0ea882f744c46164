"""What a request shows of who sends it: an API key, a bearer token of the identity provider, or a session's cookie.

Query parameters and forwarded headers are never looked at. Whoever sends an Authorization header is judged by it alone.
"""

from __future__ import annotations

from fastapi import Request

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.caller import Caller
from privacy_api.ports import (
    Account,
    AccountStatus,
    NotBelieved,
    Principal,
    ProviderUnreachable,
    Session,
    Suspended,
)
from privacy_api.service.identity import only_principal_of, principal_in, refuse_suspended_project, suspended
from privacy_api.service.services import Services
from privacy_api.service.sign_in import bearer

COOKIE, PLAIN_COOKIE = "__Host-session", "session"
"""The second is for demonstrations on plain HTTP, where browsers take no __Host- cookie."""
PROJECT_HEADER = "project"


def cookie_of(request: Request) -> str | None:
    return request.cookies.get(COOKIE if request.app.state.secure else PLAIN_COOKIE)


def carries_credentials(request: Request) -> bool:
    return "authorization" in request.headers or cookie_of(request) is not None


def caller_from(request: Request, wants_project: bool) -> Caller:
    """Reads the service database. wants_project: the account's project is looked up too."""
    services: Services = request.app.state.services
    authorization = request.headers.get("authorization")
    try:
        if authorization is not None:
            return _bearer(authorization, request, services, wants_project)
        return _signed_in(request, services, wants_project)
    except Suspended as found:
        raise suspended(found) from None


def _bearer(authorization: str, request: Request, services: Services, wants_project: bool) -> Caller:
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer":
        raise _nobody()
    if token.count(".") == 2:
        return _as_account(_account_of(token, services), None, request, services, wants_project)
    principal = services.projects.principal(token)
    if principal is None:
        raise _nobody()
    refuse_suspended_project(principal.project, services)
    return Caller(principal=principal)


def _account_of(token: str, services: Services) -> Account:
    try:
        return bearer(token, services)
    except NotBelieved:
        raise _nobody() from None
    except ProviderUnreachable:
        raise ApiError(ErrorCode.PROVIDER_UNREACHABLE, retry_after=30) from None


def _nobody() -> ApiError:
    return ApiError(ErrorCode.NOT_AUTHENTICATED, detail="Send your key as 'Authorization: Bearer npd_…'.")


def _signed_in(request: Request, services: Services, wants_project: bool) -> Caller:
    session = services.sessions.find(cookie_of(request) or "")
    account = services.accounts.account(session.account) if session else None
    if session is None or account is None:
        return Caller()
    return _as_account(account, session, request, services, wants_project)


def _as_account(
    account: Account, session: Session | None, request: Request, services: Services, wants_project: bool
) -> Caller:
    if account.status is AccountStatus.FROZEN:
        raise Suspended("account")
    caller = Caller(account, None, session)
    if not wants_project:
        return caller
    return Caller(account, _principal(account, request, services), session)


def _principal(account: Account, request: Request, services: Services) -> Principal | None:
    named = request.headers.get(PROJECT_HEADER)
    return only_principal_of(account, services) if named is None else principal_in(account, named, services)
