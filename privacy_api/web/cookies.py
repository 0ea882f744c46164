"""The two cookies there are: a session's and, while somebody is away at the provider, what they must come back with."""

from __future__ import annotations

import json
from urllib.parse import quote, unquote

from fastapi import Request, Response

from privacy_api.ports import Asked
from privacy_api.routes.credentials import COOKIE, PLAIN_COOKIE, cookie_of

AWAY, PLAIN_AWAY = "__Host-sign-in", "sign-in"
AWAY_SECONDS = 600
MOST_NEXT = 1000


def start_session(request: Request, response: Response, value: str) -> None:
    """No age: it goes when the browser closes, and the server ends it before that."""
    _set(request, response, COOKIE if request.app.state.secure else PLAIN_COOKIE, value, None)


def end_session(request: Request, response: Response) -> None:
    if cookie_of(request) is not None:
        _set(request, response, COOKIE if request.app.state.secure else PLAIN_COOKIE, "", 0)


def remember(request: Request, response: Response, asked: Asked, onward: str) -> None:
    """In the browser that asked, and nowhere else: who did not start a sign-in here cannot finish it here."""
    held = quote(json.dumps([asked.state, asked.nonce, asked.verifier, onward]), safe="")
    _set(request, response, _away(request), held, AWAY_SECONDS)


def remembered(request: Request) -> tuple[Asked, str] | None:
    try:
        state, nonce, verifier, onward = map(str, json.loads(unquote(request.cookies.get(_away(request), ""))))
    except (ValueError, TypeError, RecursionError):
        return None
    return (Asked(state, nonce, verifier), own_path(onward)) if (state + nonce + verifier).isascii() else None


def forget(request: Request, response: Response) -> None:
    _set(request, response, _away(request), "", 0)


def own_path(wanted: str | None) -> str:
    """A path of this service, or the start page: nobody is sent to another site from here."""
    fine = wanted is not None and wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    plain = fine and wanted is not None and len(wanted) <= MOST_NEXT and wanted.isascii() and wanted.isprintable()
    return wanted if plain and wanted is not None and "\\" not in wanted else "/"


def _away(request: Request) -> str:
    return AWAY if request.app.state.secure else PLAIN_AWAY


def _set(request: Request, response: Response, name: str, value: str, age: int | None) -> None:
    secure: bool = request.app.state.secure
    response.set_cookie(name, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")
