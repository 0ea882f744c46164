"""/v1/releases: answers that were given, citable for good; and the budget of a project."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.routes.access import PrincipalDep, ServicesDep, ShapeDep
from privacy_api.routes.provenance import mark
from privacy_api.service.reach import cuts_of, is_synthetic, release_for
from privacy_api.wire import out

router = APIRouter(prefix="/v1", tags=["Releases and budgets"])


@router.get("/releases/{release}", summary="A stored answer, at no charge")
def release(
    release: str, request: Request, principal: PrincipalDep, services: ServicesDep, shape: ShapeDep
) -> Response:
    stored = release_for(release, principal.synthetic_only, services, principal.project.id)
    mark(request, is_synthetic(stored.cut, services))
    return Response(shape.write(stored.body), media_type=shape.format.media_type, headers={"Release-Id": stored.id})


@router.get("/projects", summary="The project of your key")
def projects(principal: PrincipalDep) -> dict[str, Any]:
    project = principal.project
    budget = f"/v1/projects/{project.id}/budget"
    return {
        "results": [
            {"id": project.id, "title": project.title, "grants": sorted(project.grants), "links": {"budget": budget}}
        ]
    }


@router.get("/projects/{project}/budget", summary="What a project, each cut, and the person of your key have left")
def budget(project: str, principal: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    """Another project's id answers like one that does not exist."""
    if project != principal.project.id:
        raise ApiError(ErrorCode.NOT_FOUND)
    person = None if principal.person is None else services.projects.person(principal.person)
    cuts = cuts_of(principal, services)
    balances = {name: services.ledger.cut_balance(cut.account, cut.cap) for name, cut in cuts.items()}
    delta = max((cut.policy.delta for cut in cuts.values()), default=0.0)
    listed = max((cut.policy.listed_at_most(balances[name].delta) for name, cut in cuts.items()), default=0)
    return {
        "project": project,
        "title": principal.project.title,
        "budget": out.budget(services.ledger.project_balance(principal.project), delta, listed),
        **({"person": out.budget(services.ledger.person_balance(person), delta, listed)} if person else {}),
        "cuts": [{"cut": name, **out.cut_budget(balances[name], cut.policy)} for name, cut in cuts.items()],
    }
