"""What moves an application may make, who makes them, and where its time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from privacy_api.ports.applications import ApplicationState, Move, Moved

_S = ApplicationState


class Side(StrEnum):
    APPLICANT = "applicant"
    STAFF = "staff"


MOVES: Mapping[tuple[ApplicationState, Move], ApplicationState] = {
    (_S.DRAFT, Move.SUBMIT): _S.SUBMITTED,
    (_S.DRAFT, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.SUBMITTED, Move.RETURN): _S.RETURNED,
    (_S.SUBMITTED, Move.APPROVE): _S.APPROVED,
    (_S.SUBMITTED, Move.REFUSE): _S.REFUSED,
    (_S.SUBMITTED, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.RETURNED, Move.SUBMIT): _S.SUBMITTED,
    (_S.RETURNED, Move.WITHDRAW): _S.WITHDRAWN,
}
"""Every move there is. What is not here cannot happen: nothing leaves approved, refused or withdrawn."""

WAITS_FOR: Mapping[ApplicationState, Side] = {
    _S.DRAFT: Side.APPLICANT,
    _S.RETURNED: Side.APPLICANT,
    _S.SUBMITTED: Side.STAFF,
}
"""Whose turn it is; nobody's once it has ended."""
WRITABLE = frozenset({_S.DRAFT, _S.RETURNED})
PLAIN: Mapping[ApplicationState, str] = {
    _S.DRAFT: "Not sent yet",
    _S.SUBMITTED: "Sent: with the department",
    _S.RETURNED: "Returned: with the applicant",
    _S.APPROVED: "Approved",
    _S.REFUSED: "Refused",
    _S.WITHDRAWN: "Withdrawn",
}


HAPPENED: Mapping[Move, str] = {
    Move.START: "Begun",
    Move.SUBMIT: "Sent",
    Move.RETURN: "Returned",
    Move.APPROVE: "Approved",
    Move.REFUSE: "Refused",
    Move.WITHDRAW: "Withdrawn",
}


class NoSuchMove(Exception):
    """The state does not allow it; the message says what would be."""


def moved(state: ApplicationState, move: Move) -> ApplicationState:
    if (to := MOVES.get((state, move))) is None:
        possible = [each.value for (at, each) in MOVES if at is state]
        accepted = f"Accepted: {', '.join(possible)}." if possible else "It has ended."
        raise NoSuchMove(f"An application that is {state} cannot be moved by: {move}. {accepted}")
    return to


@dataclass(frozen=True, slots=True)
class Stage:
    """A stay in one state. until: None while it lasts; seconds: so far."""

    state: ApplicationState
    waits_for: Side | None
    since: str
    until: str | None
    seconds: int


def stages(moves: Sequence[Moved], now: str) -> tuple[Stage, ...]:
    """moves: all of them, oldest first. The last stage lasts, except where nobody's turn is left."""
    ends = [*(move.at for move in moves[1:]), None]
    found = []
    for move, until in zip(moves, ends, strict=True):
        waits_for = WAITS_FOR.get(move.state)
        end = until or (now if waits_for else move.at)
        found.append(Stage(move.state, waits_for, move.at, until, max(0, _seconds(move.at, end))))
    return tuple(found)


def seconds_with(side: Side, found: Sequence[Stage]) -> int:
    """How long it has waited for them in all; a draft's time is the applicant's."""
    return sum(stage.seconds for stage in found if stage.waits_for is side)


def _seconds(since: str, until: str) -> int:
    return int((datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds())
