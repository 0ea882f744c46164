"""An applicant's side of an application: begin, write step by step, send, withdraw, talk."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.applications import WRITABLE, NoSuchMove, moved
from privacy_api.governance.approvals import LONGEST_REASON
from privacy_api.governance.asked_for import DataSets, asked_for
from privacy_api.governance.audit_kinds import MOST_TEXT, MOST_WORDS
from privacy_api.governance.caller import Caller
from privacy_api.governance.checklist import MEMBERS, problems
from privacy_api.governance.records import Unreadable, digest_of, read_record, record_text
from privacy_api.governance.roles import Permission
from privacy_api.ports.applications import Application, ApplicationState, Comment, Content, Move, Overtaken, Step
from privacy_api.service.proposals import account_of, allowed, record, void
from privacy_api.service.services import Services

MOST_OPEN = 20
"""Applications that one account may have begun and not ended."""


def data_sets_of(services: Services) -> DataSets:
    """What may be asked for: not what is public, which anybody may link to."""
    return {name: hosted.data_set for name, hosted in services.data_sets.items() if not hosted.data_set.public}


def start(changes: str | None, caller: Caller, services: Services) -> Application:
    """changes: a project of one's own that is to get another scope or more time; its answers are taken over."""
    account = allowed(caller, Permission.APPLY)
    if changes is not None and all(each.id != changes for each in services.accounts.projects_of(account.id)):
        raise ApiError(ErrorCode.NOT_FOUND)
    open_ones = [a for a in services.applications.applications(account.id) if a.state in WRITABLE]
    if len(open_ones) >= MOST_OPEN:
        detail = f"You have {MOST_OPEN} applications that are not sent: send or withdraw one first."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    content = _before(changes, services)
    with services.together():
        made = services.applications.start(f"app-{secrets.token_hex(8)}", account.id, services.now(), changes, content)
        facts = {"project": changes} if changes else {}
        record("application-started", account.id, subject(made), facts, services)
    return made


def _before(changes: str | None, services: Services) -> Content:
    if changes is None:
        return Content()
    approved = [each for each in services.applications.applications() if each.project == changes]
    return approved[-1].content if approved else Content()


def own(application: str, caller: Caller, services: Services) -> Application:
    """Another's id answers like one that does not exist."""
    account = account_of(caller)
    found = services.applications.application(application)
    if found is None or found.applicant != account.id:
        raise ApiError(ErrorCode.NOT_FOUND)
    return found


def seen(application: str, caller: Caller, services: Services) -> Application:
    """One's own; any that was ever sent for whoever reviews."""
    account = account_of(caller)
    found = services.applications.application(application)
    if found is not None and (found.applicant == account.id or _is_reviewed(found, caller)):
        return found
    raise ApiError(ErrorCode.NOT_FOUND)


def _is_reviewed(found: Application, caller: Caller) -> bool:
    return caller.may(Permission.REVIEW_APPLICATIONS) and found.submission > 0


def queue(caller: Caller, services: Services, state: ApplicationState | None = None) -> list[Application]:
    """For staff: everything that was ever sent, in the order of its number."""
    allowed(caller, Permission.REVIEW_APPLICATIONS)
    return [each for each in services.applications.applications(state=state) if each.submission > 0]


def mine(caller: Caller, services: Services) -> list[Application]:
    return services.applications.applications(account_of(caller).id)


def write_step(application: str, step: Step, value: Any, caller: Caller, services: Services) -> Application:
    """value: the step's answers as a JSON object, whole; what is lacking is said when it is sent."""
    found = own(application, caller, services)
    _refuse_unwritable(found)
    if step is Step.CHECK:
        raise ApiError(ErrorCode.NOT_FOUND, detail="There is nothing to write in the last step: send the application.")
    name = MEMBERS[step]
    try:
        part = read_record(type(getattr(found.content, name)), value)
    except Unreadable as refused:
        raise ApiError(ErrorCode.INVALID_APPLICATION, refused.problems) from None
    content = replace(found.content, **{name: part})
    try:
        services.applications.write(found, content)
    except Overtaken:
        raise _overtaken() from None
    return replace(found, content=content)


def submit(application: str, caller: Caller, services: Services) -> Application:
    """All that is lacking at once, or sent: a copy is kept for good."""
    found = own(application, caller, services)
    allowed(caller, Permission.APPLY)
    to = state_after(found, Move.SUBMIT)
    if lacking := problems(found.content, data_sets_of(services)):
        raise ApiError(ErrorCode.INVALID_APPLICATION, lacking)
    with services.together():
        sent = move(found, Move.SUBMIT, to, account_of(caller).id, "", services)
        record("application-sent", sent.applicant, subject(sent), _sent_facts(sent, services), services)
    return sent


def _sent_facts(sent: Application, services: Services) -> Mapping[str, Any]:
    every = list(asked_for(sent.content, data_sets_of(services)))
    return {
        "version": str(sent.submission),
        "digest": digest_of(record_text(sent.content)),
        "title": sent.content.purpose.title[:MOST_TEXT],
        "variables": sorted({f"{each.data_set}/{each.reference}" for each in every})[:MOST_WORDS],
        "years": sorted({period for wanted in sent.content.data.wanted for period in wanted.periods})[:MOST_WORDS],
        **({"project": sent.changes} if sent.changes else {}),
    }


def withdraw(application: str, reason: str, caller: Caller, services: Services) -> Application:
    found = own(application, caller, services)
    to = state_after(found, Move.WITHDRAW)
    with services.together():
        ended = move(found, Move.WITHDRAW, to, found.applicant, reason.strip(), services)
        void(subject(found), found.applicant, "The application was withdrawn.", services)
        facts = {"reason": reason.strip()} if reason.strip() else {}
        record("application-withdrawn", found.applicant, subject(found), facts, services)
    return ended


def comment(application: str, text: str, step: Step | None, caller: Caller, services: Services) -> Comment:
    """By the applicant or by staff, also after it has ended: it is a thread, not a decision."""
    found = seen(application, caller, services)
    account = account_of(caller)
    if not 1 <= len(text.strip()) <= LONGEST_REASON:
        raise ApiError(ErrorCode.REASON_WANTED, detail=f"Write 1 to {LONGEST_REASON} characters.")
    with services.together():
        made = services.applications.comment(
            found.id, account.id, account.id != found.applicant, services.now(), text.strip(), step
        )
        facts = {"comment": made.text} | ({"step": str(int(step))} if step else {})
        record("application-commented", account.id, subject(found), facts, services)
    return made


def state_after(found: Application, what: Move) -> ApplicationState:
    try:
        return moved(found.state, what)
    except NoSuchMove as refused:
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=str(refused)) from None


def move(found: Application, what: Move, to: ApplicationState, by: str, reason: str, services: Services) -> Application:
    try:
        return services.applications.move(found, what, to, by, services.now(), reason)
    except Overtaken:
        raise _overtaken() from None


def subject(found: Application) -> str:
    return f"application:{found.id}"


def _refuse_unwritable(found: Application) -> None:
    if found.state not in WRITABLE:
        detail = f"The application is {found.state}: its answers cannot be changed now."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)


def _overtaken() -> ApiError:
    detail = "Somebody changed the application in the meantime. Look at it again."
    return ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
