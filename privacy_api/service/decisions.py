"""Staff's side of an application: return it, refuse it, approve it. Approval makes the project.

Class B or D variables, and any change of a project that exists, want a second person: the first one's approval is then
a proposal, which says all of what will be done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from datasets.query import Problem
from disclosure.accounting import nano_rho, rho
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.approvals import bar_of_proposing
from privacy_api.governance.asked_for import grants_of, scope_of
from privacy_api.governance.audit_kinds import MOST_WORDS
from privacy_api.governance.caller import Caller
from privacy_api.governance.dates import told
from privacy_api.governance.roles import Permission
from privacy_api.ports import Project, Proposal, ProposalKind
from privacy_api.ports.applications import Application, ApplicationState, Move
from privacy_api.service.applications import data_sets_of, move, seen, state_after, subject
from privacy_api.service.project_terms import refuse_bad_tightening
from privacy_api.service.proposals import allowed, interested, propose, record, unbarred, void, waiting
from privacy_api.service.services import Services

LARGEST_RHO = Decimal(100)


@dataclass(frozen=True, slots=True)
class Terms:
    """What staff decide beside what was asked for. rho: the budget, as a decimal number; empty for what was asked.
    expires: a date; empty for the end that was asked for. tightening: of the policy, by `table.key`.
    """

    rho: str = ""
    expires: str = ""
    tightening: Mapping[str, int] = field(default_factory=dict)


def return_it(application: str, reason: str, caller: Caller, services: Services) -> Application:
    return _decide(application, Move.RETURN, "application-returned", {}, reason, caller, services)


def refuse_it(application: str, reason: str, caller: Caller, services: Services) -> Application:
    facts = {"decision": "refused"}
    return _decide(application, Move.REFUSE, "application-decided", facts, reason, caller, services)


def _decide(
    application: str, what: Move, kind: str, facts: Mapping[str, str], reason: str, caller: Caller, services: Services
) -> Application:
    found = _decidable(application, what, reason, caller, services)
    by = allowed(caller, Permission.DECIDE_APPLICATIONS).id
    with services.together():
        decided = move(found, what, state_after(found, what), by, reason.strip(), services)
        void(subject(found), by, f"The application was {decided.state}.", services)
        record(kind, by, subject(found), {**facts, "reason": reason.strip()}, services)
    return decided


def approve_it(
    application: str, terms: Terms, reason: str, caller: Caller, services: Services
) -> Application | Proposal:
    """Approved, or proposed to a second person."""
    found = _decidable(application, Move.APPROVE, reason, caller, services)
    by = allowed(caller, Permission.DECIDE_APPLICATIONS).id
    what = _what(found, terms, services)
    if wants_second(found, services):
        return propose(
            ProposalKind.APPROVE_APPLICATION,
            subject(found),
            what,
            _told(found, what, services),
            reason,
            caller,
            services,
        )
    with services.together():
        return _approve(found, what, by, reason, "", services)


def wants_second(found: Application, services: Services) -> bool:
    return bool(found.changes) or bool(grants_of(found.content, data_sets_of(services)))


def execute_approval(proposal: Proposal, by: str, services: Services) -> None:
    what = json.loads(proposal.what)
    found = services.applications.application(what["application"])
    if found is None or found.state is not ApplicationState.SUBMITTED or what["sent"] != _sent(found, services):
        detail = "The application is no longer what was looked at when this was proposed: look at it again."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    if what.get("before") != _standing(found, services):
        detail = "The project is held otherwise than when this was proposed: refuse it, and propose it again."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    _approve(found, what, by, proposal.why, proposal.id, services)


def _decidable(application: str, what: Move, reason: str, caller: Caller, services: Services) -> Application:
    by = allowed(caller, Permission.DECIDE_APPLICATIONS).id
    found = seen(application, caller, services)
    unbarred(lambda: bar_of_proposing(by, interested(subject(found), services), reason))
    state_after(found, what)
    if what is Move.APPROVE and waiting(subject(found), services):
        detail = "This application waits for a second person to approve it."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    return found


def _what(found: Application, terms: Terms, services: Services) -> dict[str, Any]:
    """All that approving will do; nothing is left to be decided later."""
    problems = []
    asked = terms.rho or found.content.data.rho
    cap = _nano(asked)
    if cap is None:
        problems.append(Problem("InvalidValue", "Wants a number above 0 and at most 100, such as 0.1.", "rho"))
    expires = terms.expires or found.content.data.ends
    if not services.now()[:10] < expires <= found.content.data.ends:
        latest = found.content.data.ends
        problems.append(Problem("InvalidValue", f"Wants a date after today and by {latest}.", "expires"))
    if problems:
        raise ApiError(ErrorCode.INVALID_TERMS, problems)
    data_sets = data_sets_of(services)
    refuse_bad_tightening(terms.tightening, scope_of(found.content, data_sets), services)
    return {
        "application": found.id,
        "sent": _sent(found, services),
        "project": found.changes or _free_id(found, services),
        "changes": bool(found.changes),
        "before": _standing(found, services),
        "cap": cap,
        "expires": f"{expires}T23:59:59+00:00",
        "grants": sorted(grants_of(found.content, data_sets)),
        "tightening": dict(terms.tightening) or _held_to(found, services),
    }


def _nano(amount: str) -> int | None:
    try:
        value = Decimal(amount)
        return nano_rho(value) if value.is_finite() and 0 < value <= LARGEST_RHO else None
    except (ArithmeticError, ValueError):
        return None


def _standing(found: Application, services: Services) -> dict[str, Any] | None:
    """How the project that it changes is held now; None for a new one."""
    project = services.projects.project(found.changes) if found.changes else None
    if project is None:
        return None
    held = {"cap": project.cap, "expires": project.expires, "frozen": project.frozen}
    return held | {"grants": sorted(project.grants), "tightening": dict(project.tightening)}


def _sent(found: Application, services: Services) -> list[Any]:
    """What is looked at: which sending it was, and what was sent."""
    last = services.applications.submissions(found.id)[-1]
    return [last.number, last.digest]


def _held_to(found: Application, services: Services) -> dict[str, int]:
    standing = services.projects.project(found.changes) if found.changes else None
    return dict(standing.tightening) if standing else {}


def _free_id(found: Application, services: Services) -> str:
    """After the application's reference, unless somebody has made a project of that name by hand."""
    wanted = found.reference.lower()
    names = [wanted, *(f"{wanted}-{n}" for n in range(2, 100))]
    return next(name for name in names if services.projects.project(name) is None)


def _told(found: Application, what: Mapping[str, Any], services: Services) -> str:
    verb = "Change project" if what["changes"] else "Make project"
    data = "; ".join(
        f"{wanted.data_set}: {', '.join(wanted.references)} of {', '.join(wanted.periods) or 'all times'}"
        for wanted in found.content.data.wanted
    )
    terms = f"with rho {rho(what['cap'])} until {told(what['expires'][:10])}"
    grants = f"Class B and D variables: {', '.join(what['grants']) or 'none'}. "
    held = ", ".join(f"{k} {v}" for k, v in sorted(what["tightening"].items())) or "the cut's policy"
    return f"{verb} {what['project']} of application {found.reference} {terms}. {grants}Held to: {held}. Data: {data}."


def _approve(
    found: Application, what: Mapping[str, Any], by: str, reason: str, proposal: str, services: Services
) -> Application:
    decided = move(found, Move.APPROVE, state_after(found, Move.APPROVE), by, reason.strip(), services)
    made = _project(found, what, services)
    services.applications.settle(found.id, made.id)
    joined = _join(found, made, services)
    extra = {"proposal": proposal} if proposal else {}
    terms = {"cap": made.cap, "grants": sorted(made.grants), "expires": what["expires"], "scope": _scope_words(made)}
    kind = "project-changed" if what["changes"] else "project-created"
    facts = {"grants": terms["grants"], "scope": terms["scope"], "expires": terms["expires"], "reason": reason.strip()}
    facts |= (
        {"what": f"Scope, end and budget (rho {rho(made.cap)}) by application {found.reference}."}
        if what["changes"]
        else {"cap": made.cap, "application": found.id, "title": made.title}
    )
    record(kind, by, f"project:{made.id}", facts | extra, services)
    for account in joined:
        member = {"account": account, "reason": f"named in application {found.reference}"}
        record("member-added", by, f"project:{made.id}", member, services)
    decision = {"decision": "approved", "reason": reason.strip(), "project": made.id}
    record("application-decided", by, subject(found), decision | extra, services)
    return replace(decided, project=made.id)


def _project(found: Application, what: Mapping[str, Any], services: Services) -> Project:
    scope = scope_of(found.content, data_sets_of(services))
    terms: dict[str, Any] = {
        "title": found.content.purpose.title[:200],
        "cap": what["cap"],
        "grants": frozenset(what["grants"]),
        "scope": scope,
        "tightening": what["tightening"],
        "expires": what["expires"],
    }
    if not what["changes"]:
        return services.projects.create_project(Project(id=what["project"], **terms))
    standing = services.projects.project(what["project"])
    if standing is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    changed = replace(standing, **terms)
    services.projects.change_project(changed)
    return changed


def _join(found: Application, made: Project, services: Services) -> list[str]:
    """Accounts of the people named, each of whom one account has the address of; others are added by staff."""
    emails = {person.email.casefold() for person in found.content.people.people}
    by_email: dict[str, list[str]] = {}
    for account in services.accounts.accounts():
        by_email.setdefault(account.email.casefold(), []).append(account.id)
    one = [by_email[email][0] for email in sorted(emails) if len(by_email.get(email, ())) == 1]
    return [account for account in one if services.accounts.join(account, made.id)]


def _scope_words(made: Project) -> list[str]:
    return sorted(f"{name}/{reference}" for name, each in (made.scope or {}).items() for reference in each.references)[
        :MOST_WORDS
    ]
