"""What the OpenAPI document says beyond the routes: bodies of queries, the bearer key, examples, problems."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from privacy_api.governance.access_table import ACCESS, PUBLIC
from privacy_api.wire.accounts_in import NewKeyIn, ReasonIn, RolesIn
from privacy_api.wire.output_check_in import OutputCheckIn
from privacy_api.wire.query_in import QueryIn

EXAMPLES = {
    "count": {
        "summary": "Pupils by local authority and free-school-meal eligibility",
        "value": {"measures": [{"statistic": "count"}], "groupBy": ["LA", "fsm"]},
    },
    "criteria": {
        "summary": "A percentage, of some pupils, in one year",
        "value": {
            "measures": [{"statistic": "percentage", "variable": "absence.persistent", "codes": ["10 to 100"]}],
            "groupBy": ["REG"],
            "criteria": {
                "and": [
                    {"filters": {"fsm": {"eq": "Y"}}},
                    {"not": {"filters": {"year_group": {"in": ["12", "13"]}}}},
                    {"timePeriods": {"gte": {"period": "2022/2023", "code": "AY"}}},
                ]
            },
        },
    },
}
CHECKED = {
    "summary": "A table of two rows, and the query that made it",
    "value": {
        "dataSet": "demo.census",
        "query": {"measures": [{"statistic": "count"}], "groupBy": ["fsm"]},
        "table": "fsm,count\r\nN,24510\r\nY,c\r\n",
    },
}
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
_MODELS: tuple[type[BaseModel], ...] = (QueryIn, OutputCheckIn, NewKeyIn, ReasonIn, RolesIn)
_BODIES: dict[tuple[str, str], type[BaseModel]] = {
    ("post", "/v1/keys"): NewKeyIn,
    ("post", "/v1/keys/{key}/freeze"): ReasonIn,
    ("post", "/v1/keys/{key}/unfreeze"): ReasonIn,
    ("put", "/v1/accounts/{account}/roles"): RolesIn,
    ("post", "/v1/accounts/{account}/freeze"): ReasonIn,
    ("post", "/v1/accounts/{account}/unfreeze"): ReasonIn,
}
"""Of routes that read their body themselves."""


def describe(app: FastAPI) -> None:
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_document(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=_DESCRIPTION)
    _, schemas = models_json_schema(
        [(model, "validation") for model in _MODELS],
        ref_template="#/components/schemas/{model}",
    )
    components = document.setdefault("components", {})
    components["schemas"] = {**schemas["$defs"], "Problem": PROBLEM_SCHEMA}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete(path, method, operation)
    return document


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {"description": "A problem (RFC 9457)", **problem}
    if ACCESS.get((method.upper(), path)) is not PUBLIC:
        operation["security"] = [{"key": []}]
    if "/query" in path and method == "post":
        body = {"schema": {"$ref": "#/components/schemas/QueryIn"}, "examples": EXAMPLES}
        operation["requestBody"] = {"required": True, "content": {"application/json": body}}
    if (method, path) in _BODIES:
        reference = {"schema": {"$ref": f"#/components/schemas/{_BODIES[method, path].__name__}"}}
        operation["requestBody"] = {"required": True, "content": {"application/json": reference}}
    if path == "/v1/output-checks" and method == "post":
        checked = {"schema": {"$ref": "#/components/schemas/OutputCheckIn"}, "examples": {"table": CHECKED}}
        operation["requestBody"] = {"required": True, "content": {"application/json": checked}}


_DESCRIPTION = """Aggregate queries on pupil data. Every answer has passed disclosure control; the same question gives
the same answer and is charged once. Start with `/v1/data-sets` and the meta of one of them, preview a query for its
price and precision, then ask it."""
