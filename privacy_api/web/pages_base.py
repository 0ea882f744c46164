"""How a page is made: `render`, the headers of every page, and a router whose pages answer GET and HEAD."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2.runtime import Context
from markupsafe import Markup

from privacy_api import __version__
from privacy_api.governance.csrf import token_of
from privacy_api.service.services import Services
from privacy_api.web import navigation
from privacy_api.web.assets import Assets
from privacy_api.web.words import FILTERS, IDENTIFIABILITIES, SENSITIVITIES, SYMBOLS

SERVICE = "Privacy Controlling API"
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # Under no-referrer a browser says "Origin: null" with every form that is sent, and nobody could check it.
    "Referrer-Policy": "same-origin",
}
"""No inline script or style, and no other host: there is no nonce because nothing needs one."""


class Pages(APIRouter):
    """Pages are no part of the API's document; each answers HEAD too, which checkers of links send."""

    def __init__(self) -> None:
        super().__init__(include_in_schema=False)

    def page(self, path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return self.api_route(path, methods=["GET", "HEAD"], response_class=HTMLResponse)


def render(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """A page from a template, which also has what `frame` gives. Everything that goes into it is escaped."""
    body = environment().get_template(template).render(frame(request) | context)
    return HTMLResponse(body, status, headers={**PAGE_HEADERS, **(headers or {})})


def frame(request: Request) -> dict[str, Any]:
    """What the layout needs of the request: who is there, where we are, what may be seen."""
    state, path, assets = request.app.state, request.url.path, _assets(request)
    caller = getattr(request.state, "caller", None)
    permissions = {str(p) for p in caller.permissions} if caller else set()
    return {
        "service": SERVICE,
        "version": __version__,
        "brand": str(assets.brand),
        "asset": assets.url,
        "path": path,
        "base": f"{request.url.scheme}://{request.url.netloc}",
        "head_links": navigation.shown(navigation.HEAD, path, state.paths, permissions),
        "foot_links": navigation.shown(navigation.FOOT, path, state.paths, permissions),
        "account": getattr(caller, "account", None),
        "can_sign_in": "/sign-in" in state.paths,
        "csrf": _csrf(caller),
        "synthetic": _all_synthetic(state.services),
    }


class Missing(jinja2.Undefined):
    """A name that no page gave is a mistake, and not an empty place; fields that a macro looks for may be absent."""

    def __str__(self) -> str:
        if self._undefined_obj is jinja2.utils.missing:
            self._fail_with_undefined_error()
        return ""


@cache
def environment() -> jinja2.Environment:
    made = jinja2.Environment(
        autoescape=True,
        undefined=Missing,
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("privacy_api.web", "templates"),
                jinja2.PrefixLoader({"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    made.globals.update(
        csrf_field=_csrf_field, symbols=SYMBOLS, sensitivities=SENSITIVITIES, identifiabilities=IDENTIFIABILITIES
    )
    return made


@jinja2.pass_context
def _csrf_field(context: Context) -> Markup:
    """The hidden field that every form which posts must have."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["csrf"])


def _csrf(caller: Any) -> str:
    session = getattr(caller, "session", None)
    return "" if session is None else token_of(session)


def _all_synthetic(services: Services) -> bool:
    return bool(services.data_sets) and all(h.cut.catalogue.synthetic for h in services.data_sets.values())


def _assets(request: Request) -> Assets:
    found: Assets = request.app.state.assets
    return found
