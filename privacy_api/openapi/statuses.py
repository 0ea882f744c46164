"""Which problems each route can answer with, as HTTP statuses: by what it reads, and by what it does."""

from __future__ import annotations

from privacy_api.errors import ErrorCode
from privacy_api.governance.access_table import KEY, PUBLIC, SAFE_METHODS, Access, acts, wants_project

Route = tuple[str, str]

_QUERY = "/v1/data-sets/{data_set}/query"
SHAPED: frozenset[Route] = frozenset(
    {("GET", _QUERY), ("POST", _QUERY), ("GET", "/v1/tables/{table}"), ("GET", "/v1/releases/{release}")}
)
"""Their answers come in several formats."""
_DOWNLOAD: Route = ("GET", "/v1/synthetic/releases/{release}/download/{table}")
EXPORTED: dict[Route, tuple[str, ...]] = {
    ("GET", "/v1/audit/export"): ("text/csv", "application/jsonl"),
    _DOWNLOAD: ("application/vnd.apache.parquet", "text/csv"),
    ("GET", "/v1/synthetic/releases/{release}/report"): ("text/html",),
}
GATED: frozenset[Route] = frozenset(
    {
        *((method, path) for method in ("GET", "POST") for path in (_QUERY, f"{_QUERY}/preview")),
        ("POST", "/v1/output-checks"),
        ("POST", "/v1/cuts/{cut}/policies"),
        ("GET", "/v1/cuts/{cut}/policies/{version}/effect"),
        ("POST", "/v1/sandbox/keys"),
        ("POST", "/v1/sandbox/reset"),
        ("POST", "/v1/keys"),
        _DOWNLOAD,
    }
)
"""Only so many of them at once, in an hour, or in all."""
PROPOSED: frozenset[Route] = frozenset(
    {
        ("POST", "/v1/applications/{application}/approve"),
        ("PUT", "/v1/projects/{project}/tightening"),
        ("PUT", "/v1/budgets/{scope}/{name}"),
        ("POST", "/v1/cuts/{cut}/policies/{version}/publication"),
    }
)
"""What loosens is not done but proposed: 202."""
FILTERED: frozenset[Route] = frozenset(
    {
        ("GET", "/v1/applications"),
        ("GET", "/v1/proposals"),
        ("GET", "/v1/audit"),
        ("GET", "/v1/audit/export"),
    }
)
"""They read query parameters of their own."""
NAMING: frozenset[Route] = frozenset(
    {("POST", "/v1/keys"), ("POST", "/v1/applications"), ("POST", "/v1/sandbox/keys"), ("POST", "/v1/output-checks")}
)
"""What they want, or their body names, may not be there."""
_ALWAYS = frozenset({ErrorCode.INTERNAL, ErrorCode.LEDGER_UNAVAILABLE})
_BODY = frozenset(
    {ErrorCode.INVALID_REQUEST, ErrorCode.TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE, ErrorCode.INVALID_TERMS}
)
_FORM = frozenset({ErrorCode.INVALID_REQUEST, ErrorCode.TOO_LARGE})
"""A browser's token may stand in a form, which is read before anything else."""


def problems_of(route: Route, access: Access | None, has_body: bool) -> frozenset[int]:
    return frozenset(code.status for code in _codes(route, access, has_body))


def _codes(route: Route, access: Access | None, has_body: bool) -> frozenset[ErrorCode]:
    method, path = route
    parts: list[tuple[bool, frozenset[ErrorCode]]] = [
        (True, _ALWAYS),
        (access is not PUBLIC, frozenset({ErrorCode.NOT_AUTHENTICATED, ErrorCode.FORBIDDEN})),
        (access is not PUBLIC and acts(*route), _FORM),
        (access is not None and wants_project(access), frozenset({ErrorCode.NO_PROJECT, ErrorCode.NOT_FOUND})),
        ("{" in path, frozenset({ErrorCode.NOT_FOUND})),
        (path.startswith("/v1/cuts/{cut}/policies/{version}"), frozenset({ErrorCode.INVALID_REQUEST})),
        (has_body, _BODY),
        (method not in SAFE_METHODS and access is not KEY, frozenset({ErrorCode.NOT_AS_THINGS_STAND})),
        (route in NAMING, frozenset({ErrorCode.NOT_FOUND})),
        (path.endswith("/submit"), frozenset({ErrorCode.INVALID_APPLICATION})),
        (route in FILTERED, frozenset({ErrorCode.INVALID_REQUEST})),
        (route in GATED, frozenset({ErrorCode.TOO_MANY_REQUESTS})),
        (route in GATED and _QUERY in path, frozenset({ErrorCode.INVALID_QUERY, ErrorCode.INVALID_REQUEST})),
        (route in SHAPED or route in EXPORTED, frozenset({ErrorCode.NOT_ACCEPTABLE})),
    ]
    return frozenset().union(*(codes for there, codes in parts if there))
