"""The second person's word on a proposal. Approving is doing: one transaction, with its place on the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import Bar, Barred, bar_of_deciding
from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission, permissions_of
from privacy_api.ports import Account, AccountStatus, Proposal, ProposalKind, ProposalState
from privacy_api.service import decisions, project_terms, staff_changes
from privacy_api.service.proposals import PROPOSED_WITH, allowed, find, interested, record, same_people, unbarred
from privacy_api.service.services import Services

EXECUTE: Mapping[ProposalKind, Callable[[Proposal, str, Services], None]] = {
    ProposalKind.APPROVE_APPLICATION: decisions.execute_approval,
    ProposalKind.LOOSEN_PROJECT: project_terms.execute_loosening,
    ProposalKind.LOOSEN_POLICY: staff_changes.execute_publishing,
    ProposalKind.RAISE_CUT_CAP: staff_changes.execute_cap,
    ProposalKind.RAISE_PROJECT_CAP: staff_changes.execute_cap,
    ProposalKind.RAISE_PERSON_CAP: staff_changes.execute_cap,
}
"""What is done once it is approved: the proposal, the account that approved it, the services. Each of these checks that
things still stand as they did when it was proposed, and raises ApiError where they do not."""


def approve(proposal: str, reason: str, caller: Caller, services: Services) -> Proposal:
    """The same person approving twice (a form sent again) finds it done, and nothing is done twice."""
    account = allowed(caller, Permission.DECIDE_PROPOSALS)
    with services.together():
        found = find(proposal, services)
        if found.state is ProposalState.EXECUTED and found.closed_by == account.id:
            return found
        _close(found, ProposalState.EXECUTED, reason, account, services)
        EXECUTE[found.kind](found, account.id, services)
        record("proposal-approved", account.id, found.subject, _facts(found, reason), services)
        record("proposal-executed", account.id, found.subject, _facts(found, reason), services)
    return find(proposal, services)


def refuse(proposal: str, reason: str, caller: Caller, services: Services) -> Proposal:
    account = allowed(caller, Permission.DECIDE_PROPOSALS)
    with services.together():
        found = find(proposal, services)
        _close(found, ProposalState.REFUSED, reason, account, services)
        record("proposal-refused", account.id, found.subject, _facts(found, reason), services)
    return find(proposal, services)


def _close(found: Proposal, state: ProposalState, reason: str, account: Account, services: Services) -> None:
    now, those = services.now(), interested(found.subject, services)
    proposers = same_people(frozenset({found.by}), services)
    unbarred(lambda: bar_of_deciding(found, account.id, those, now, reason, proposers))
    if state is ProposalState.EXECUTED:
        unbarred(lambda: _refuse_gone(found, those, services))
    if not services.proposals.close(found.id, state, account.id, now, reason.strip()):
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=Bar.CLOSED.value)


def _refuse_gone(found: Proposal, those: frozenset[str], services: Services) -> None:
    """Two people stand behind it now: the first is still somebody who may propose it."""
    first = services.accounts.account(found.by)
    if first is None or first.status is not AccountStatus.ACTIVE or first.id in those:
        raise Barred(Bar.PROPOSER_GONE)
    if PROPOSED_WITH[found.kind] not in permissions_of(first.roles):
        raise Barred(Bar.PROPOSER_GONE)


def _facts(found: Proposal, reason: str) -> dict[str, str]:
    return {"kind": found.kind.value, "reason": reason.strip(), "proposal": found.id}
