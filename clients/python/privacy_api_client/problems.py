"""A refusal over HTTP (RFC 9457 problem, or whatever a proxy in between says) → an error of ours."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import Any

import httpx2

from privacy_api_client.errors import (
    BudgetExhausted,
    InvalidQuery,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PrivacyApiError,
    Problem,
    QueryFailed,
    ServerError,
    TooBusy,
)

_BY_CODE: Mapping[str, type[PrivacyApiError]] = {
    "budget-exhausted": BudgetExhausted,
    "query-failed": QueryFailed,
}
_BY_STATUS: Mapping[int, type[PrivacyApiError]] = {
    400: InvalidQuery,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: NotAllowed,
    413: InvalidQuery,
    422: InvalidQuery,
    429: TooBusy,
    503: TooBusy,
}


def error_of(response: httpx2.Response) -> PrivacyApiError:
    problem = _document(response)
    code = _text(problem, "code")
    kind = _BY_CODE.get(code) or _BY_STATUS.get(response.status_code, ServerError)
    facts: dict[str, Any] = {
        "status": response.status_code,
        "code": code or None,
        "request_id": response.headers.get("Request-Id"),
    }
    if kind is InvalidQuery:
        facts["problems"] = problems_of(problem.get("errors"))
    if kind is TooBusy:
        facts["retry_after"] = seconds(response.headers.get("Retry-After"))
    return kind(_message(response, problem, kind), **facts)


def problems_of(found: object) -> tuple[Problem, ...]:
    listed = found if isinstance(found, list) else []
    return tuple(
        Problem(_text(p, "code"), _text(p, "message"), _text(p, "path")) for p in listed if isinstance(p, dict)
    )


def seconds(retry_after: str | None) -> float | None:
    """A Retry-After header, which is a number of seconds or a date."""
    if retry_after is None:
        return None
    try:
        wait = float(retry_after)
    except ValueError:
        wait = _until(retry_after)
    return max(0.0, wait) if math.isfinite(wait) else None


def _until(date: str) -> float:
    parsed = parsedate_tz(date)
    return math.nan if parsed is None else mktime_tz(parsed) - time.time()


def _document(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(response: httpx2.Response, problem: Mapping[str, Any], kind: type[PrivacyApiError]) -> str:
    """The service's own words; for what no service of ours would send, what came instead."""
    title, path = _text(problem, "title"), response.request.url.path
    if response.is_redirect:
        where = response.headers.get("Location", "elsewhere")
        return f"The address answers with a redirect to {where}; give the client the address that it leads to."
    if not title:
        return f"{response.status_code} {response.reason_phrase} at {path}: not an answer of the service's own"
    words = [title, _text(problem, "detail")]
    if kind is NotFound:
        words[0] += f" ({path})"
    if issubclass(kind, ServerError) and "Request-Id" in response.headers:
        words.append(f"(request {response.headers['Request-Id']})")
    return " ".join(f"{word}." if word[-1].isalnum() else word for word in words if word)


def _text(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    return found if isinstance(found, str) else ""
