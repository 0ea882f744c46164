"""The body of each route that reads its own, from the very classes that read it."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from privacy_api.governance.checklist import MEMBERS
from privacy_api.governance.records import MOST_ITEMS, MOST_TEXT, camel
from privacy_api.openapi.examples import CHECKED, EXAMPLES
from privacy_api.openapi.statuses import Route
from privacy_api.ports.applications import Content
from privacy_api.wire import accounts_in, governance_in, staff_in
from privacy_api.wire.output_check_in import OutputCheckIn
from privacy_api.wire.query_in import QueryIn

_APPLICATION, _PROJECT = "/v1/applications/{application}", "/v1/projects/{project}"
_PROPOSAL, _POLICY = "/v1/proposals/{proposal}", "/v1/cuts/{cut}/policies"
_QUERY = "/v1/data-sets/{data_set}/query"
_STEP: Route = ("PUT", f"{_APPLICATION}/steps/{{step}}")
_PREVIEWED: Route = ("POST", f"{_QUERY}/preview")
_BODIES: Mapping[Route, type[Any]] = {
    ("POST", _QUERY): QueryIn,
    ("POST", "/v1/output-checks"): OutputCheckIn,
    ("POST", "/v1/keys"): accounts_in.NewKeyIn,
    **{("POST", f"/v1/keys/{{key}}/{act}"): accounts_in.ReasonIn for act in ("freeze", "unfreeze")},
    ("PUT", "/v1/accounts/{account}/roles"): accounts_in.RolesIn,
    **{("POST", f"/v1/accounts/{{account}}/{act}"): accounts_in.ReasonIn for act in ("freeze", "unfreeze")},
    ("POST", "/v1/applications"): governance_in.StartIn,
    ("POST", f"{_APPLICATION}/withdraw"): governance_in.WithdrawIn,
    ("POST", f"{_APPLICATION}/comments"): governance_in.CommentIn,
    **{("POST", f"{_APPLICATION}/{act}"): governance_in.ReasonIn for act in ("return", "refuse")},
    ("POST", f"{_APPLICATION}/approve"): governance_in.ApproveIn,
    **{("POST", f"{_PROPOSAL}/{act}"): governance_in.ReasonIn for act in ("approve", "refuse", "withdraw")},
    **{("POST", f"{_PROJECT}/{act}"): governance_in.ReasonIn for act in ("freeze", "unfreeze")},
    ("PUT", f"{_PROJECT}/tightening"): governance_in.TighteningIn,
    ("POST", f"{_PROJECT}/members"): governance_in.MemberIn,
    ("POST", "/v1/red-flags/{flag}/acknowledgement"): staff_in.ReasonIn,
    ("PUT", "/v1/budgets/{scope}/{name}"): staff_in.CapIn,
    **{("POST", f"/v1/cuts/{{cut}}/{act}"): staff_in.ReasonIn for act in ("freezing", "unfreezing")},
    ("POST", _POLICY): staff_in.DraftIn,
    **{("POST", f"{_POLICY}/{{version}}/{act}"): staff_in.ReasonIn for act in ("publication", "withdrawal")},
}
_EXAMPLES: Mapping[Route, Any] = {
    ("POST", _QUERY): EXAMPLES,
    _PREVIEWED: EXAMPLES,
    ("POST", "/v1/output-checks"): {"table": CHECKED},
}
_TEMPLATE = "#/components/schemas/{model}"
_SHARED = (QueryIn, OutputCheckIn)
"""Bodies with a name in the document; the others stand where they are taken."""


def schemas() -> dict[str, Any]:
    _, found = models_json_schema([(model, "validation") for model in _SHARED], ref_template=_TEMPLATE)
    named: dict[str, Any] = found["$defs"]
    return named


def body_of(route: Route) -> dict[str, Any] | None:
    schema = _schema_of(route)
    if schema is None:
        return None
    content: dict[str, Any] = {"schema": schema}
    if route in _EXAMPLES:
        content["examples"] = _EXAMPLES[route]
    return {"required": True, "content": {"application/json": content}}


def _schema_of(route: Route) -> dict[str, Any] | None:
    if route == _PREVIEWED:
        # A preview says what is wrong with a query, so that any JSON value is taken.
        return {"anyOf": [{"$ref": _TEMPLATE.format(model="QueryIn")}, {}]}
    if route == _STEP:
        steps = typing.get_type_hints(Content)
        return {"anyOf": [record_schema(steps[name]) for name in MEMBERS.values()]}
    kind = _BODIES.get(route)
    if kind is None:
        return None
    if kind in _SHARED:
        return {"$ref": _TEMPLATE.format(model=kind.__name__)}
    if issubclass(kind, BaseModel):
        return kind.model_json_schema(ref_template=_TEMPLATE)
    return record_schema(kind)


def record_schema(kind: Any) -> dict[str, Any]:
    """What `read_record` takes, of the dataclasses and types that it takes."""
    if is_dataclass(kind):
        return _fields_schema(kind)
    if isinstance(kind, types.UnionType):
        return {"anyOf": [record_schema(kind.__args__[0]), {"type": "null"}]}
    origin = typing.get_origin(kind)
    if origin is tuple:
        return {"type": "array", "maxItems": MOST_ITEMS, "items": record_schema(kind.__args__[0])}
    if origin is Mapping:
        return {"type": "object", "maxProperties": MOST_ITEMS, "additionalProperties": record_schema(kind.__args__[1])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [each.value for each in kind]}
    return dict(_PLAIN[kind])


_PLAIN: Mapping[Any, Mapping[str, Any]] = {
    str: {"type": "string", "maxLength": MOST_TEXT},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
}


def _fields_schema(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    wanted = [camel(f.name) for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {camel(f.name): record_schema(hints[f.name]) for f in fields(kind)},
        **({"required": wanted} if wanted else {}),
    }
