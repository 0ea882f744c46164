"""What a project may do: whether it is open, what of a data set it may ask, and how tightly it is held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datasets.query import Display, InvalidQuery, Problem, Query
from datasets.scope import DataSetScope
from disclosure.policy import Policy, Tightening, tighten, tightening_problems
from disclosure.policy.tighten import looser
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import bar_of_proposing
from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import Project, Proposal, ProposalKind
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.proposals import allowed, interested, propose, record, unbarred
from privacy_api.service.services import Services


def held_to(hosted: HostedDataSet, project: Project) -> HostedDataSet:
    """The data set under the policy of this project: its cut's, or tighter."""
    if not project.tightening:
        return hosted
    return replace(hosted, cut=replace(hosted.cut, policy=tighten(hosted.cut.policy, project.tightening)))


def scope_in(hosted: HostedDataSet, project: Project) -> DataSetScope | None:
    """None for all of it. Raises InvalidQuery for a data set that is not in the project's scope at all."""
    if project.scope is None:
        return None
    if (found := project.scope.get(hosted.id)) is None:
        accepted = ", ".join(sorted(project.scope)) or "none"
        told = f"This data set is not in the scope of the project. Accepted: {accepted}."
        raise InvalidQuery((Problem("DataSetNotInScope", told, "dataSet"),))
    return found


def refuse_unbiased(query: Query, policy: Policy) -> None:
    """Unbiased numbers are neither rounded nor hidden: where both are tightened, they would go round it."""
    if policy.shown_coarser and query.display is not Display.PUBLISHED:
        told = "This project is shown rounded numbers only. Accepted: published."
        raise InvalidQuery((Problem("DisplayNotAllowed", told, "display"),))


def find_project(project: str, caller: Caller, services: Services) -> Project:
    """A member's own, or any for staff; another's id answers like one that does not exist."""
    found = services.projects.project(project)
    if found is None or not (caller.may(Permission.STAFF) or _is_own(project, caller, services)):
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def _is_own(project: str, caller: Caller, services: Services) -> bool:
    if caller.account is not None:
        return any(each.id == project for each in services.accounts.projects_of(caller.account.id))
    return caller.principal is not None and caller.principal.project.id == project


def freeze(project: str, reason: str, caller: Caller, services: Services) -> Project:
    """At once: the next question of any of its keys or members is refused. One person is enough to stop something."""
    return _freeze(project, True, reason, caller, services)


def unfreeze(project: str, reason: str, caller: Caller, services: Services) -> Project:
    return _freeze(project, False, reason, caller, services)


def _freeze(project: str, frozen: bool, reason: str, caller: Caller, services: Services) -> Project:
    account = allowed(caller, Permission.FREEZE if frozen else Permission.UNFREEZE)
    found = find_project(project, caller, services)
    those = frozenset() if frozen else interested(f"project:{project}", services)
    unbarred(lambda: bar_of_proposing(account.id, those, reason))
    with services.together():
        if services.projects.freeze_project(project, frozen):
            kind = "project-frozen" if frozen else "project-unfrozen"
            record(kind, account.id, f"project:{project}", {"reason": reason.strip()}, services)
    return services.projects.project(project) or found


def set_tightening(
    project: str, tightening: Mapping[str, int], reason: str, caller: Caller, services: Services
) -> Project | Proposal:
    """Tighter at once by one person; a proposal for a second one where anything becomes looser."""
    account = allowed(caller, Permission.SET_BUDGETS)
    found = find_project(project, caller, services)
    refuse_bad_tightening(tightening, found.scope, services)
    what = {"project": project, "before": dict(found.tightening), "after": dict(tightening)}
    if given_up := looser(found.tightening, tightening):
        told = f"Project {project} is to be held less tightly in {', '.join(given_up)}: {_said(tightening)}."
        return propose(ProposalKind.LOOSEN_PROJECT, f"project:{project}", what, told, reason, caller, services)
    unbarred(lambda: bar_of_proposing(account.id, interested(f"project:{project}", services), reason))
    with services.together():
        _set(what, reason, account.id, "", services)
    return services.projects.project(project) or found


def execute_loosening(proposal: Proposal, by: str, services: Services) -> None:
    _set(json.loads(proposal.what), proposal.why, by, proposal.id, services)


def _set(what: Mapping[str, Any], reason: str, by: str, proposal: str, services: Services) -> None:
    found = services.projects.project(what["project"])
    if found is None or dict(found.tightening) != what["before"]:
        detail = "The project is held otherwise than when this was proposed: propose it again."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    services.projects.change_project(replace(found, tightening=what["after"]))
    facts = {"what": f"Held to: {_said(what['after'])}.", "reason": reason.strip()}
    extra = {"proposal": proposal} if proposal else {}
    record("project-changed", by, f"project:{found.id}", facts | extra, services)


def refuse_bad_tightening(
    tightening: Mapping[str, Any], scope: Mapping[str, DataSetScope] | None, services: Services
) -> None:
    """It has to be one for the cut of some data set that the project may ask."""
    hosted = [h for name, h in services.data_sets.items() if scope is None or name in scope]
    cuts = {h.cut.id: h.cut for h in hosted}
    told = [tightening_problems(cut.policy, tightening) for cut in cuts.values()]
    if tightening and told and all(told):
        problems = [Problem("InvalidValue", each, "tightening") for each in min(told, key=len)]
        raise ApiError(ErrorCode.INVALID_TERMS, problems)


def add_member(project: str, account: str, reason: str, caller: Caller, services: Services) -> None:
    """Only whom an approved application of the project names: staff who join a project themselves would decide for
    themselves."""
    by = allowed(caller, Permission.DECIDE_APPLICATIONS)
    find_project(project, caller, services)
    found = services.accounts.account(account)
    named = named_in(project, services)
    if found is None or found.email.casefold() not in named:
        detail = "Only people who are named in an approved application of the project can become members."
        raise ApiError(ErrorCode.INVALID_TERMS, detail=detail)
    with services.together():
        if services.accounts.join(account, project):
            facts = {"account": account, "reason": reason.strip() or "named in the application"}
            record("member-added", by.id, f"project:{project}", facts, services)


def remove_member(project: str, account: str, reason: str, caller: Caller, services: Services) -> None:
    by = allowed(caller, Permission.DECIDE_APPLICATIONS)
    find_project(project, caller, services)
    with services.together():
        if not services.accounts.leave(account, project):
            raise ApiError(ErrorCode.NOT_FOUND)
        facts = {"account": account, "reason": reason.strip() or "removed"}
        record("member-removed", by.id, f"project:{project}", facts, services)


def named_in(project: str, services: Services) -> frozenset[str]:
    """Addresses, without regard to case."""
    approved = [each for each in services.applications.applications() if each.project == project]
    return frozenset(person.email.casefold() for each in approved for person in each.content.people.people)


def _said(tightening: Tightening) -> str:
    return ", ".join(f"{place} {value}" for place, value in sorted(tightening.items())) or "the cut's policy"
