"""What staff change of a cut, a project or a person: at once by one person, or as a proposal for a second one."""

from __future__ import annotations

import json

from privacy_api.governance.caller import Caller
from privacy_api.governance.roles import Permission
from privacy_api.ports import Proposal, ProposalKind, Terms
from privacy_api.service import caps, policy_versions
from privacy_api.service.proposals import allowed, propose, record
from privacy_api.service.services import Services

RAISES = {
    caps.Scope.CUT: ProposalKind.RAISE_CUT_CAP,
    caps.Scope.PROJECT: ProposalKind.RAISE_PROJECT_CAP,
    caps.Scope.PERSON: ProposalKind.RAISE_PERSON_CAP,
}


def set_cap(
    scope: caps.Scope, name: str, cap: int, why: str, caller: Caller, services: Services
) -> caps.CapChange | Proposal:
    """cap: nano-ρ. Lowered at once; a proposal where it is raised."""
    account = allowed(caller, Permission.SET_BUDGETS)
    change = caps.planned(scope, name, cap, services)
    if change.raises:
        return propose(RAISES[scope], change.subject, change.what, change.told, why, caller, services)
    caps.lower(change, why, account.id, services)
    return change


def publish(cut: str, version: int, why: str, caller: Caller, services: Services) -> Terms | Proposal:
    """In force at once where nothing loosens; a proposal where anything does."""
    account = allowed(caller, Permission.SET_POLICIES)
    found = policy_versions.review(cut, version, services)
    if not found.loosens:
        return policy_versions.put_in_force(found, why, account.id, None, services)
    policy_versions.refuse_closed(found.version)
    with services.together():
        made = propose(ProposalKind.LOOSEN_POLICY, f"cut:{cut}", found.what, found.told, why, caller, services)
        policy_versions.mark_proposed(cut, version, services)
        record("policy-proposed", account.id, f"cut:{cut}", {**found.facts, "reason": why}, services)
    return made


def execute_cap(proposal: Proposal, by: str, services: Services) -> None:
    """by: the account that approved it."""
    change = caps.read_change(json.loads(proposal.what))
    # The policy may have a smaller budget by now.
    caps.planned(change.scope, change.name, change.after, services)
    caps.apply(change, proposal.why, by, proposal.id, services)


def execute_publishing(proposal: Proposal, by: str, services: Services) -> None:
    policy_versions.publish_proposed(json.loads(proposal.what), proposal.why, by, proposal.id, services)
