"""What one person may do to a cap or a policy alone, and what becomes a proposal for a second one."""

from __future__ import annotations

import json

from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import Proposal, ProposalKind, Terms
from privacy_api.service import caps, policy_versions
from privacy_api.service.caps import CapChange, Scope
from privacy_api.service.proposals import allowed, propose
from privacy_api.service.services import Services

RAISES = {
    Scope.CUT: ProposalKind.RAISE_CUT_CAP,
    Scope.PROJECT: ProposalKind.RAISE_PROJECT_CAP,
    Scope.PERSON: ProposalKind.RAISE_PERSON_CAP,
}


def change_cap(
    scope: Scope, name: str, cap: int, reason: str, caller: Caller, services: Services
) -> CapChange | Proposal:
    """cap: nano-ρ. Lowered at once, or proposed."""
    account = allowed(caller, Permission.SET_BUDGETS)
    change = caps.planned(scope, name, cap, services)
    if change.raises:
        return propose(RAISES[scope], change.subject, change.what, change.told, reason, caller, services)
    caps.lower(change, reason.strip(), account.id, services)
    return change


def execute_cap(proposal: Proposal, by: str, services: Services) -> None:
    caps.apply(caps.read_change(json.loads(proposal.what)), proposal.why, by, proposal.id, services)


def publish_policy(cut: str, version: int, reason: str, caller: Caller, services: Services) -> Terms | Proposal:
    """Put in force where nothing loosens, or proposed."""
    account = allowed(caller, Permission.SET_POLICIES)
    found = policy_versions.review(cut, version, services)
    if not found.loosens:
        return policy_versions.publish(cut, version, reason.strip(), account.id, services)
    with services.together():
        made = propose(ProposalKind.LOOSEN_POLICY, f"cut:{cut}", found.what, found.told, reason, caller, services)
        policy_versions.mark_proposed(cut, version, services)
    return made


def execute_policy(proposal: Proposal, by: str, services: Services) -> None:
    policy_versions.publish_proposed(json.loads(proposal.what), proposal.why, by, proposal.id, services)
