"""Proposing what wants a second person, and reading what waits for one. Deciding is in `deciding.py`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import (
    Bar,
    Barred,
    bar_of_proposing,
    bar_of_withdrawing,
    has_lapsed,
    lapses_at,
    what_text,
)
from privacy_api.governance.audit_kinds import MOST_TEXT
from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import Account, NotRecordable, ProjectKind, Proposal, ProposalKind, ProposalState
from privacy_api.service.services import Services

PROPOSED_WITH: Mapping[ProposalKind, Permission] = {
    ProposalKind.APPROVE_APPLICATION: Permission.DECIDE_APPLICATIONS,
    ProposalKind.LOOSEN_PROJECT: Permission.SET_BUDGETS,
    ProposalKind.RAISE_PROJECT_CAP: Permission.SET_BUDGETS,
    ProposalKind.RAISE_CUT_CAP: Permission.SET_BUDGETS,
    ProposalKind.RAISE_PERSON_CAP: Permission.SET_BUDGETS,
    ProposalKind.LOOSEN_POLICY: Permission.SET_POLICIES,
}
"""What the first person has to be allowed; the second has DECIDE_PROPOSALS."""


def propose(
    kind: ProposalKind, subject: str, what: Mapping[str, Any], told: str, why: str, caller: Caller, services: Services
) -> Proposal:
    """what: all that is to be done, for whoever executes it; told: the same in words, for whoever decides."""
    account = allowed(caller, PROPOSED_WITH[kind])
    now = services.now()
    proposal = Proposal(
        id=f"prop-{secrets.token_hex(8)}",
        kind=kind,
        subject=subject,
        what=what_text(what),
        told=told,
        why=why.strip(),
        by=account.id,
        at=now,
        lapses=lapses_at(now),
    )
    with services.together():
        unbarred(lambda: bar_of_proposing(account.id, interested(subject, services), why))
        try:
            services.proposals.add(proposal)
        except ValueError as refused:
            raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=f"{str(refused).capitalize()}.") from None
        facts = {"kind": kind.value, "what": told[:MOST_TEXT], "reason": proposal.why, "proposal": proposal.id}
        record("proposal-made", account.id, subject, facts, services)
    return proposal


def withdraw(proposal: str, reason: str, caller: Caller, services: Services) -> Proposal:
    """By whoever proposed it."""
    account = account_of(caller)
    with services.together():
        found = find(proposal, services)
        now = services.now()
        unbarred(lambda: bar_of_withdrawing(found, account.id, now, reason))
        services.proposals.close(found.id, ProposalState.WITHDRAWN, account.id, now, reason.strip())
        facts = {"kind": found.kind.value, "reason": reason.strip(), "proposal": found.id}
        record("proposal-withdrawn", account.id, found.subject, facts, services)
    return find(proposal, services)


def void(subject: str, by: str, reason: str, services: Services) -> None:
    """What waits about this is overtaken by what was just done."""
    for proposal in waiting(subject, services):
        services.proposals.close(proposal.id, ProposalState.WITHDRAWN, by, services.now(), reason)
        facts = {"kind": proposal.kind.value, "reason": reason, "proposal": proposal.id}
        record("proposal-withdrawn", by, subject, facts, services)


def find(proposal: str, services: Services) -> Proposal:
    found = services.proposals.proposal(proposal)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def waiting(subject: str, services: Services) -> list[Proposal]:
    """Proposals about this that can still be decided."""
    return open_ones(services, subject)


def open_ones(services: Services, subject: str | None = None) -> list[Proposal]:
    """Those that can still be decided, about this or about anything."""
    now = services.now()
    found = services.proposals.proposals(ProposalState.OPEN, subject)
    return [proposal for proposal in found if not has_lapsed(proposal, now)]


def interested(subject: str, services: Services) -> frozenset[str]:
    """Accounts of whoever gains by what is proposed: they are neither of the two who decide it."""
    return same_people(_interested(subject, services), services)


def same_people(those: frozenset[str], services: Services) -> frozenset[str]:
    """These accounts, and all others of the same people: a second account is no second person."""
    everybody = services.accounts.accounts()
    known = [each for each in everybody if each.id in those]
    emails = {each.email.casefold() for each in known} - {""}
    persons = {each.person for each in known} - {None}
    return those | {each.id for each in everybody if each.email.casefold() in emails or each.person in persons}


def _interested(subject: str, services: Services) -> frozenset[str]:
    kind, _, name = subject.partition(":")
    if kind == "application":
        return _of_application(name, services)
    if kind == "project":
        return _of_project(name, services)
    if kind == "cut":
        return _of_cut(name, services)
    if kind == "person":
        return frozenset(each.id for each in services.accounts.accounts() if each.person == name)
    return frozenset()


def _of_application(name: str, services: Services) -> frozenset[str]:
    """Whoever applied or is named, and the members of the project that it would change."""
    application = services.applications.application(name)
    if application is None:
        return frozenset()
    emails = {person.email.casefold() for person in application.content.people.people}
    named = {each.id for each in services.accounts.accounts() if each.email.casefold() in emails}
    members = _of_project(application.changes, services) if application.changes else frozenset()
    return frozenset({application.applicant, *named}) | members


def _of_cut(cut: str, services: Services) -> frozenset[str]:
    """Members of the projects that may ask of it now: a looser policy or a larger cap is theirs to gain by."""
    data_sets = {name for name, hosted in services.data_sets.items() if hosted.cut.catalogue.cut == cut}
    asking = [
        each.id
        for each in services.projects.projects(ProjectKind.RESEARCH)
        if (each.scope is None or each.scope.keys() & data_sets)
        and (each.expires is None or each.expires > services.now())
    ]
    return frozenset(member.id for project in asking for member in services.accounts.members(project))


def _of_project(project: str, services: Services) -> frozenset[str]:
    """Members now, and whoever applied for it."""
    members = {each.id for each in services.accounts.members(project)}
    applied = {each.applicant for each in services.applications.applications() if each.project == project}
    return frozenset(members | applied)


def account_of(caller: Caller) -> Account:
    """People decide; keys do not."""
    if caller.account is None:
        raise ApiError(ErrorCode.FORBIDDEN, detail="A person has to sign in for this: an API key asks, and no more.")
    return caller.account


def allowed(caller: Caller, permission: Permission) -> Account:
    """Checked here too, whatever route, page or command it came by."""
    account = account_of(caller)
    if not caller.may(permission):
        raise ApiError(ErrorCode.FORBIDDEN)
    return account


def record(kind: str, actor: str, subject: str, facts: Mapping[str, Any], services: Services) -> None:
    """Onto the audit chain, in the same transaction as what it says. What cannot stand there cannot be done."""
    try:
        services.audit.record(kind, actor, subject, facts)
    except NotRecordable:
        detail = "What you wrote cannot be put on the record: write text, with no key, token or certificate in it."
        raise ApiError(ErrorCode.REASON_WANTED, detail=detail) from None


def unbarred(rule: Callable[[], None]) -> None:
    try:
        rule()
    except Barred as barred:
        raise _as_error(barred.bar) from None


def _as_error(bar: Bar) -> ApiError:
    if bar is Bar.NO_REASON:
        return ApiError(ErrorCode.REASON_WANTED, detail=bar.value)
    standing = bar in (Bar.CLOSED, Bar.LAPSED, Bar.PROPOSER_GONE)
    code = ErrorCode.NOT_AS_THINGS_STAND if standing else ErrorCode.ANOTHER_PERSON
    return ApiError(code, detail=bar.value)
