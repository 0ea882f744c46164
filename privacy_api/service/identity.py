"""Whom an account asks as, and what a suspended one is told."""

from __future__ import annotations

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.roles import Permission, permissions_of
from privacy_api.ports import Account, Principal, Project, ProjectKind, Suspended
from privacy_api.service.services import Services

ON_PAGES = "web-"
"""Before the account's id: what stands in the place of a key's for whoever asks on pages."""


def principal_in(account: Account, project: str, services: Services) -> Principal:
    """The account asking for a project: 404 unless it is a member, whether or not there is such a project."""
    for mine in services.accounts.projects_of(account.id):
        if mine.id == project:
            return _as_member(account, mine, services)
    raise ApiError(ErrorCode.NOT_FOUND)


def only_principal_of(account: Account, services: Services) -> Principal | None:
    """The account asking for its only project; None where it has none or has to say which."""
    mine = services.accounts.projects_of(account.id)
    return _as_member(account, mine[0], services) if len(mine) == 1 else None


def _as_member(account: Account, project: Project, services: Services) -> Principal:
    refuse_suspended_project(project, services)
    real = Permission.REAL_CUTS in permissions_of(account.roles) and project.kind is not ProjectKind.SANDBOX
    return Principal(f"{ON_PAGES}{account.id}", project, account.person, synthetic_only=not real)


def refuse_suspended_project(project: Project, services: Services) -> None:
    if project.frozen is not None:
        raise suspended(Suspended("project"))
    if project.expires is not None and project.expires <= services.now():
        raise suspended(Suspended("project", ended=True))


def suspended(found: Suspended) -> ApiError:
    """Told to nobody but who holds the right secret."""
    if found.ended:
        detail = f"The {found.what} has ended."
        return ApiError(ErrorCode.NOT_AUTHENTICATED if found.what == "key" else ErrorCode.EXPIRED, detail=detail)
    return ApiError(ErrorCode.FROZEN, detail=f"The {found.what} is frozen. Ask the data custodian why.")
