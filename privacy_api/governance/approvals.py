"""The two-person rule: what lets more be known is proposed by one person and decided by another.

A proposal says all of what is to be done before anybody decides on it, and never changes: what was approved is what
happens. Approving is doing: there is no state between the two, so that nothing approved can be kept for later.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from privacy_api.ports.proposals import Proposal, ProposalState

LIFE = timedelta(days=14)
"""How long a proposal may wait for its second person: what was right to do then may not be later."""
LONGEST_REASON = 2_000


class Bar(StrEnum):
    """Why this person may not do this to this proposal; the value is the sentence."""

    INTERESTED = (
        "You applied for this project, are a member of it or are named in its application, "
        "or are a member of a project that may ask of this cut: others decide about it."
    )
    SAME_PERSON = "You proposed this yourself: another person has to decide."
    NOT_YOURS = "Only whoever proposed this may withdraw it."
    PROPOSER_GONE = "Whoever proposed this may no longer do so: propose it again."
    CLOSED = "This proposal is closed: it can be decided once."
    LAPSED = "This proposal has lapsed: propose it again."
    NO_REASON = f"Say why, in 1 to {LONGEST_REASON} characters."


class Barred(Exception):
    """The rule forbids it, whatever permissions the person has."""

    def __init__(self, bar: Bar) -> None:
        super().__init__(bar.value)
        self.bar = bar


def what_text(what: Mapping[str, Any]) -> str:
    """Canonical, so that the same thing proposed twice is seen to be the same."""
    return json.dumps(what, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def lapses_at(proposed: str) -> str:
    return (datetime.fromisoformat(proposed) + LIFE).isoformat(timespec="seconds")


def has_lapsed(proposal: Proposal, now: str) -> bool:
    return datetime.fromisoformat(now) >= datetime.fromisoformat(proposal.lapses)


def bar_of_proposing(by: str, interested: Collection[str], why: str) -> None:
    """interested: accounts that gain by it. They are neither of the two: else one person alone would decide."""
    if by in interested:
        raise Barred(Bar.INTERESTED)
    _refuse_reason(why)


def bar_of_deciding(
    proposal: Proposal, by: str, interested: Collection[str], now: str, reason: str, proposers: Collection[str] = ()
) -> None:
    """Of approving and of refusing alike. proposers: all accounts of whoever proposed it."""
    if by == proposal.by or by in proposers:
        raise Barred(Bar.SAME_PERSON)
    if by in interested:
        raise Barred(Bar.INTERESTED)
    _refuse_closed(proposal, now)
    _refuse_reason(reason)


def bar_of_withdrawing(proposal: Proposal, by: str, now: str, reason: str) -> None:
    if by != proposal.by:
        raise Barred(Bar.NOT_YOURS)
    _refuse_closed(proposal, now)
    _refuse_reason(reason)


def _refuse_closed(proposal: Proposal, now: str) -> None:
    if proposal.state is not ProposalState.OPEN:
        raise Barred(Bar.CLOSED)
    if has_lapsed(proposal, now):
        raise Barred(Bar.LAPSED)


def _refuse_reason(reason: str) -> None:
    if not 1 <= len(reason.strip()) <= LONGEST_REASON:
        raise Barred(Bar.NO_REASON)
