"""Keys for anybody, for a day, to try the service with: synthetic cuts, and a budget that behaves like a real one.

Each sandbox is a project of its own and has its own copy of every synthetic cut (`reach.py`): the prices, refusals and
answers are those of a project, and nothing that anybody does in one can be noticed in another or uses up the cut's own
budget. To begin again is to go to a new project with the same key: what was charged stays on the record.
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta

from datasets.catalogue import Catalogue
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import KeyInfo, Principal, Project, ProjectKind
from privacy_api.service.services import Services

HOURS = 24
CAP = 500_000_000
"""nano-ρ: what a small project gets."""
MOST_A_DAY = 500
"""Sandboxes in all, over all processes: they stay on the record."""
_ALPHABET = string.ascii_lowercase + string.digits


def open_sandbox(services: Services) -> tuple[KeyInfo, str]:
    with services.together():
        _refuse_too_many(services)
        expires = _later(services.now(), timedelta(hours=HOURS))
        project = _new_project(expires, services)
        info, key = services.projects.create_key(project.id, "sandbox", services.environment, expires=expires)
        services.audit.record(
            "key-created", "nobody", f"key:{info.id}", {"project": project.id, "expires": expires, "way": "sandbox"}
        )
    return info, key


def begin_again(principal: Principal, services: Services) -> Project:
    """The same key with a whole budget and nothing asked; 404 for a key of a project that is not a sandbox."""
    old = principal.project
    if old.kind is not ProjectKind.SANDBOX or old.expires is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    with services.together():
        _refuse_too_many(services)
        project = _new_project(old.expires, services)
        services.projects.move_key(principal.key_id, project.id)
    return project


def _new_project(expires: str, services: Services) -> Project:
    name = "sandbox-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
    made = Project(name, "Sandbox", CAP, _all_grants(services), ProjectKind.SANDBOX, expires)
    return services.projects.create_project(made)


def is_open(services: Services) -> bool:
    """Whether there is anything to play with."""
    return any(h.cut.catalogue.synthetic for h in services.data_sets.values())


def _all_grants(services: Services) -> frozenset[str]:
    """Every variable of a synthetic cut: there is nobody in it to be sensitive about."""
    synthetic = {h.cut.id: h.cut.catalogue for h in services.data_sets.values() if h.cut.catalogue.synthetic}
    return frozenset(name for catalogue in synthetic.values() for name in grants_of(catalogue))


def grants_of(catalogue: Catalogue) -> frozenset[str]:
    """All that can be granted of it."""
    variables = (v for d in catalogue.data_sets for v in d.variables if v.sensitivity.needs_grant)
    return frozenset(v.granted_as or v.name for v in variables)


def _refuse_too_many(services: Services) -> None:
    since = _later(services.now(), timedelta(days=-1))
    if not is_open(services):
        raise ApiError(ErrorCode.NOT_FOUND, detail="There is no synthetic data here to play with.")
    if services.projects.founded(ProjectKind.SANDBOX, since) >= MOST_A_DAY:
        detail = "As many sandboxes as a day allows have been opened. Try again tomorrow."
        raise ApiError(ErrorCode.TOO_MANY_REQUESTS, detail=detail, retry_after=3600)


def _later(instant: str, by: timedelta) -> str:
    return (datetime.fromisoformat(instant) + by).isoformat()
