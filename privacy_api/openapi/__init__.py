"""What the OpenAPI document says beyond the routes: bodies, credentials, parameters, and every status there can be."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from privacy_api.formats import FORMATS, Format
from privacy_api.governance.access_table import ACCESS, PUBLIC, acts
from privacy_api.governance.csrf import HEADER
from privacy_api.openapi.bodies import body_of, schemas
from privacy_api.openapi.parameters import parameters_of
from privacy_api.openapi.statuses import EXPORTED, PROPOSED, SHAPED, problems_of

PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {k: {"type": "string"} for k in ("code", "message", "path")},
            },
        },
    },
}
_SESSION = "__Host-session"
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_TOLD = {"application/json": {"schema": {"type": "object"}}}


def describe(app: FastAPI, cookie: str = _SESSION) -> None:
    """cookie: the name of the one that a session has."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_document(app, cookie))
        return made

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI, cookie: str) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=_DESCRIPTION)
    components = document.setdefault("components", {})
    components["schemas"] = {**schemas(), "Problem": PROBLEM_SCHEMA}
    components["securitySchemes"] = _security(cookie)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete((method.upper(), path), operation)
    return document


def _security(cookie: str) -> dict[str, dict[str, str]]:
    key = "An API key, or a token of the identity provider."
    csrf = "The session's own token, wanted with its cookie by whatever does something."
    return {
        "key": {"type": "http", "scheme": "bearer", "description": key},
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "A browser that signed in."},
        "csrf": {"type": "apiKey", "in": "header", "name": HEADER, "description": csrf},
    }


def _complete(route: tuple[str, str], operation: dict[str, Any]) -> None:
    body = body_of(route)
    if body is not None:
        operation["requestBody"] = body
    extra = parameters_of(route)
    if extra:
        operation["parameters"] = [*operation.get("parameters", ()), *extra]
    access = ACCESS.get(route)
    if access is not None and access is not PUBLIC:
        browser: dict[str, list[str]] = {"session": [], "csrf": []} if acts(*route) else {"session": []}
        operation["security"] = [{"key": []}, browser]
    operation["responses"] = _answers(route, operation["responses"]) | {
        str(status): {"description": f"{HTTPStatus(status).phrase} (RFC 9457)", "content": _PROBLEM}
        for status in sorted(problems_of(route, access, body is not None))
    }


def _answers(route: tuple[str, str], found: dict[str, Any]) -> dict[str, Any]:
    """What is answered where nothing is wrong."""
    answers = {status: answer for status, answer in found.items() if status.startswith("2")}
    if route in SHAPED:
        answers["200"]["content"] |= {_type(each): _written(_type(each)) for each in FORMATS.values()}
    if route in EXPORTED:
        answers["200"]["content"] = {name: _written(name) for name in EXPORTED[route]}
    if route in PROPOSED:
        answers["202"] = {"description": "Proposed: another person decides", "content": _TOLD}
    return answers


def _type(each: Format) -> str:
    return each.media_type.split(";")[0]


def _written(media_type: str) -> dict[str, Any]:
    return {"schema": {"type": "object" if media_type.endswith(("/json", "+json")) else "string"}}


_DESCRIPTION = """Aggregate queries on pupil data. Every answer has passed disclosure control; the same question gives
the same answer and is charged once. Start with `/v1/data-sets` and the meta of one of them, preview a query for its
price and precision, then ask it."""
