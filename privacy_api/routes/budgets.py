"""/v1/budgets and /v1/cuts: caps, what they mean, how long they last; versions of policies; freezing a cut."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Proposal
from privacy_api.routes.access import BodyDep, CallerDep, ServicesDep, gate_of
from privacy_api.service import caps, freezing, outlook, policy_versions, staff_changes
from privacy_api.service.policy_effect import effect
from privacy_api.wire import governance_out, staff_out
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.query_in import read_query
from privacy_api.wire.staff_in import MOST_POLICY, CapIn, DraftIn, ReasonIn, read_in

router = APIRouter(prefix="/v1", tags=["Budgets and policies"])


@router.get("/budgets", summary="Every cut's and project's budget, how long it lasts, and what it means")
def budgets(services: ServicesDep) -> dict[str, Any]:
    cuts = [
        {
            **staff_out.terms_value(each.terms),
            "spentRho": staff_out.amount(each.balance.spent),
            "effectiveCapRho": staff_out.amount(each.balance.cap),
            "forecast": staff_out.forecast_value(each.forecast),
            "typical": [{"count": m.count, "margin": m.margin, "percent": m.percent} for m in each.margins],
            "plain": list(each.plain),
        }
        for each in outlook.cuts(services)
    ]
    projects = [
        {
            "project": each.project.id,
            "title": each.project.title,
            "capRho": staff_out.amount(each.balance.cap),
            "spentRho": staff_out.amount(each.balance.spent),
            "leftRho": staff_out.amount(each.balance.left),
        }
        for each in outlook.projects(services)
    ]
    return {"cuts": cuts, "projects": projects}


@router.put("/budgets/{scope}/{name}", summary="Lower a cap, or propose to raise it")
def cap(
    scope: str, name: str, body: BodyDep, caller: CallerDep, services: ServicesDep, response: Response
) -> dict[str, Any]:
    """scope: cut, project or person. 202 and the proposal, where it is raised."""
    if scope not in [each.value for each in caps.Scope]:
        raise ApiError(ErrorCode.NOT_FOUND, detail="Caps are of a cut, a project or a person.")
    found = read_in(CapIn, parse_json(body))
    made = staff_changes.set_cap(caps.Scope(scope), name, found.nano_rho, found.reason, caller, services)
    if isinstance(made, Proposal):
        response.status_code = 202
        return governance_out.proposal(made, services.now())
    return {"done": True, "plain": made.told}


@router.get("/cuts/{cut}/terms", summary="Everything that was ever in force for a cut")
def terms(cut: str, services: ServicesDep) -> dict[str, Any]:
    policy_versions.standing_terms(cut, services)
    return {"results": [staff_out.terms_value(each) for each in services.terms.history(cut)]}


@router.post("/cuts/{cut}/freezing", summary="Freeze a cut at once: no question of it is answered by any server")
def freeze(cut: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = read_in(ReasonIn, parse_json(body))
    return staff_out.terms_value(freezing.freeze_cut(cut, found.reason, caller.actor, services))


@router.post("/cuts/{cut}/unfreezing", summary="Let questions of a cut be answered again")
def unfreeze(cut: str, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = read_in(ReasonIn, parse_json(body))
    return staff_out.terms_value(freezing.unfreeze_cut(cut, found.reason, caller.actor, services))


@router.get("/cuts/{cut}/policies", summary="The versions of a cut's policy")
def versions(cut: str, services: ServicesDep) -> dict[str, Any]:
    in_force = policy_versions.standing_terms(cut, services).version
    found = services.terms.versions(cut)
    return {"inForce": in_force, "results": [staff_out.version_value(each) for each in found]}


@router.post("/cuts/{cut}/policies", summary="Draft a version; nothing of it is in force yet")
async def draft(cut: str, request: Request, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = read_in(DraftIn, parse_json(body, 2 * MOST_POLICY))

    def work() -> dict[str, Any]:
        made = policy_versions.draft(cut, found.policy, found.reason, caller.actor, services)
        return staff_out.review_value(made)

    return await gate_of(request).run(work)


@router.get("/cuts/{cut}/policies/{version}", summary="A version, and what it changes, rule by rule and which way")
def review(cut: str, version: int, services: ServicesDep) -> dict[str, Any]:
    return staff_out.review_value(policy_versions.review(cut, version, services))


@router.get("/cuts/{cut}/policies/{version}/effect", summary="What it would do to past questions, on synthetic data")
async def effects(cut: str, version: int, request: Request, services: ServicesDep) -> dict[str, Any]:
    return await gate_of(request).run(lambda: staff_out.effect_value(effect(cut, version, read_query, services)))


@router.post("/cuts/{cut}/policies/{version}/publication", summary="Put it in force, or propose to")
def publish(
    cut: str, version: int, body: BodyDep, caller: CallerDep, services: ServicesDep, response: Response
) -> dict[str, Any]:
    """202 and the proposal, where anything loosens."""
    found = read_in(ReasonIn, parse_json(body))
    made = staff_changes.publish(cut, version, found.reason, caller, services)
    if isinstance(made, Proposal):
        response.status_code = 202
        return governance_out.proposal(made, services.now())
    return staff_out.terms_value(made)


@router.post("/cuts/{cut}/policies/{version}/withdrawal", summary="Give a version up that is not in force")
def withdraw(cut: str, version: int, body: BodyDep, caller: CallerDep, services: ServicesDep) -> dict[str, Any]:
    found = read_in(ReasonIn, parse_json(body))
    policy_versions.withdraw(cut, version, found.reason, caller.actor, services)
    return staff_out.version_value(policy_versions.find_version(cut, version, services))
