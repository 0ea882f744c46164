"""Parameters that routes read from the request themselves."""

from __future__ import annotations

from typing import Any

from privacy_api.formats import FORMATS
from privacy_api.governance.access_table import ACCESS, wants_project
from privacy_api.openapi.statuses import SHAPED, Route
from privacy_api.ports import ProposalState
from privacy_api.ports.applications import ApplicationState


def _choice(name: str, meaning: str, accepted: list[str]) -> dict[str, Any]:
    schema = {"type": "string", "enum": accepted}
    return {"name": name, "in": "query", "required": False, "description": meaning, "schema": schema}


_SHAPE = [
    _choice("format", "How the answer is written; without it, as Accept asks.", list(FORMATS)),
    _choice("labels", "Codes alone, or labels beside them.", ["codes", "both"]),
]
_FILE = [_choice("format", "Parquet without it, or as Accept asks.", ["parquet", "csv"])]
_STATES = {
    ("GET", "/v1/applications"): [_choice("state", "Those in that state alone.", list(ApplicationState))],
    ("GET", "/v1/synthetic/releases/{release}/download/{table}"): _FILE,
    ("GET", "/v1/proposals"): [_choice("state", "Those in that state alone.", list(ProposalState))],
}
_PROJECT = {
    "name": "Project",
    "in": "header",
    "required": False,
    "description": "Which of your projects asks, where you are a member of several. A key has one of its own.",
    "schema": {"type": "string"},
}


def parameters_of(route: Route) -> list[dict[str, Any]]:
    access = ACCESS.get(route)
    project = [_PROJECT] if access is not None and wants_project(access) else []
    shape = _SHAPE if route in SHAPED and route != ("GET", "/v1/data-sets/{data_set}/query") else []
    return [*_STATES.get(route, ()), *shape, *project]
