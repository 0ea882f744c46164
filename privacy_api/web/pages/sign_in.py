"""/sign-in and /sign-out: to the identity provider and back."""

from __future__ import annotations

import hmac
import secrets

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.caller import ANONYMOUS
from privacy_api.ports import Asked, IdentityProvider, NotBelieved, ProviderUnreachable, SignedIn, Suspended
from privacy_api.routes.access import ServicesDep, caller_of
from privacy_api.routes.admission import origin_of
from privacy_api.service.identity import suspended
from privacy_api.service.services import Services
from privacy_api.service.sign_in import PEOPLE, refused, sign_in, sign_out
from privacy_api.web import cookies
from privacy_api.web.pages_base import Pages, render

router = Pages()
CALLBACK = "/sign-in/callback"


@router.page("/sign-in")
def page(request: Request, services: ServicesDep) -> Response:
    onward = cookies.own_path(request.query_params.get("next"))
    if caller_of(request).account is not None:
        return RedirectResponse(onward, 303)
    people = PEOPLE if request.app.state.development_sign_in else ()
    return render(request, "sign_in.html", onward=onward, provider=services.provider is not None, people=people)


@router.get("/sign-in/start")
def start(request: Request, services: ServicesDep) -> Response:
    """What is made up here is for this sign-in alone, and comes back in its cookie and its address."""
    provider = _provider(services)
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    try:
        there = provider.sign_in_address(asked, origin_of(request) + CALLBACK)
    except ProviderUnreachable:
        raise ApiError(ErrorCode.PROVIDER_UNREACHABLE, retry_after=30) from None
    response = RedirectResponse(there, 303)
    cookies.remember(request, response, asked, cookies.own_path(request.query_params.get("next")))
    return response


@router.get(CALLBACK)
def callback(request: Request, services: ServicesDep) -> Response:
    provider = _provider(services)
    try:
        onward, signed_in = _finished(request, provider)
        ends = caller_of(request).session
        _, cookie = sign_in(signed_in.identity, "oidc", services, signed_in.id_token, ends)
    except NotBelieved as found:
        return _not_believed(request, found.reason, services)
    except Suspended as found:
        refused("account-frozen", services)
        raise suspended(found) from None
    except ProviderUnreachable:
        raise ApiError(ErrorCode.PROVIDER_UNREACHABLE, retry_after=30) from None
    response = RedirectResponse(onward, 303)
    cookies.forget(request, response)
    cookies.start_session(request, response, cookie)
    return response


def _finished(request: Request, provider: IdentityProvider) -> tuple[str, SignedIn]:
    """Where to go on, and who signed in: of the sign-in that this very browser began."""
    found, given = cookies.remembered(request), request.query_params
    if found is None:
        raise NotBelieved("not-begun-here")
    asked, onward = found
    if not hmac.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise NotBelieved("state")
    if given.get("iss", provider.issuer) != provider.issuer:
        raise NotBelieved("issuer")
    if "error" in given or not given.get("code"):
        raise NotBelieved("refused-by-provider")
    return onward, provider.redeem(given["code"], asked, origin_of(request) + CALLBACK)


def _not_believed(request: Request, reason: str, services: Services) -> Response:
    refused(reason, services)
    response = render(request, "sign_in_failed.html", 403)
    cookies.forget(request, response)
    return response


@router.page("/sign-out")
def signed_out(request: Request) -> Response:
    return render(request, "signed_out.html", there=None, ended=False)


@router.post("/sign-out")
async def leave(request: Request, services: ServicesDep) -> Response:
    """The provider's own session ends too, where it offers that: the browser is sent on by the page's header, since a
    form may not lead to another site."""
    session, there = caller_of(request).session, None
    if session is not None:
        await run_in_threadpool(sign_out, session, services)
        if session.id_token is not None:
            there = await run_in_threadpool(_sign_out_address, session.id_token, request, services)
    request.state.caller = ANONYMOUS  # the page greets nobody
    onward = {"Refresh": f"0; url={there}"} if there else {}
    response = render(request, "signed_out.html", headers=onward, there=there, ended=True)
    cookies.end_session(request, response)
    return response


def _sign_out_address(id_token: str, request: Request, services: Services) -> str | None:
    try:
        back = f"{origin_of(request)}/sign-out"
        return None if services.provider is None else services.provider.sign_out_address(id_token, back)
    except ProviderUnreachable:
        return None


def _provider(services: Services) -> IdentityProvider:
    if services.provider is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return services.provider
