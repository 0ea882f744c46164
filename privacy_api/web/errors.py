"""Errors as pages, for people; programs and `/v1` get problem documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.web.pages_base import render

PROGRAMS = ("application/json", "application/problem+json")
FOR_PROGRAMS = ("/v1/", "/health", "/openapi.json", "/static/")


@dataclass(frozen=True, slots=True)
class Said:
    heading: str
    next: str


SAID = {
    401: Said("Sign in to continue", "You need to sign in to see this page."),
    403: Said("You cannot do this", "Your account does not have the permission that this page needs."),
    404: Said(
        "Page not found", "If you typed the web address, check it is correct. If you pasted it, check it is whole."
    ),
    405: Said("This page cannot be used that way", "Go back, and use the links and buttons of the page."),
    413: Said("What you sent is too large", "Go back and send less."),
    429: Said("Too many requests", "The service is busy. Wait a few seconds, then try again."),
    500: Said("Sorry, there is a problem with the service", "Try again later. Nothing that you typed was kept."),
    503: Said("Sorry, the service is unavailable", "You will be able to use the service later."),
}
SAID_OF: Mapping[ErrorCode, Said] = {
    ErrorCode.FROZEN: Said("This is frozen", "Nothing new is answered here until it is unfrozen."),
    ErrorCode.EXPIRED: Said("This has ended", "What was answered stays. Nothing new can be asked."),
    ErrorCode.NOT_FROM_HERE: Said(
        "This did not come from a page of this service", "Open the page here, and try again."
    ),
}
"""Of codes that mean something else than others of their status."""
OTHERWISE = Said("There is a problem with what you sent", "Go back and check it.")


def wants_page(request: Request) -> bool:
    """Whether whoever asks is a person with a browser: it names text/html, and JSON not before that."""
    if request.url.path.startswith(FOR_PROGRAMS) or request.url.path == "/v1":
        return False
    accepted = dict(map(_kind, request.headers.get("accept", "").split(",")))
    page = accepted.get("text/html", 0.0)
    return page > 0 and all(page >= accepted.get(kind, 0.0) for kind in PROGRAMS)


def _kind(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return kind, float(weight)
    except ValueError:
        return kind, 0.0


def error_page(request: Request, error: ApiError) -> Response:
    status = error.code.status
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return render(
        request, "error.html", status, headers, said=SAID_OF.get(error.code) or SAID.get(status, OTHERWISE), error=error
    )
