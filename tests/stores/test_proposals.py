"""Proposals are decided once, by somebody else, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from privacy_api.ports import LedgerBroken, Proposal, ProposalKind, ProposalState
from privacy_api.stores.proposals import SqlProposals

from .cases import Desk

NOON, LATER = "2026-03-01T12:00:00+00:00", "2026-03-15T12:00:00+00:00"
RAISED = Proposal(
    "prop-1",
    ProposalKind.RAISE_PROJECT_CAP,
    "project:exeter",
    '{"after":2}',
    "To 2.",
    "Used up.",
    "u-olive",
    NOON,
    LATER,
)


@pytest.fixture
def proposals(desk: Desk) -> SqlProposals:
    found = SqlProposals(desk.engine)
    found.add(RAISED)
    return found


def test_what_was_proposed_is_found_again(proposals: SqlProposals) -> None:
    other = proposals.add(replace(RAISED, id="prop-2", subject="project:leeds", at=LATER))
    assert proposals.proposal("prop-1") == RAISED
    assert proposals.proposal("prop-3") is None
    assert proposals.proposal("prop\x00") is None
    assert proposals.proposals() == [RAISED, other]
    assert proposals.proposals(subject="project:leeds") == [other]
    assert proposals.close("prop-1", ProposalState.REFUSED, "u-oscar", LATER, "No.")
    assert proposals.proposals(ProposalState.OPEN) == [other]
    closed = replace(RAISED, state=ProposalState.REFUSED, closed_by="u-oscar", closed=LATER, reason="No.")
    assert proposals.proposals(ProposalState.REFUSED) == [closed]


def test_the_same_is_proposed_again_only_when_the_first_is_closed_or_has_lapsed(proposals: SqlProposals) -> None:
    again = replace(RAISED, id="prop-2")
    with pytest.raises(ValueError, match="waits for a second person"):
        proposals.add(again)
    assert proposals.add(replace(again, at=LATER))
    proposals.close("prop-2", ProposalState.WITHDRAWN, "u-olive", LATER, "")
    proposals.close("prop-1", ProposalState.WITHDRAWN, "u-olive", LATER, "")
    assert proposals.add(replace(again, id="prop-3"))


@pytest.mark.parametrize("state", [ProposalState.EXECUTED, ProposalState.REFUSED])
def test_the_database_itself_lets_nobody_decide_on_their_own(proposals: SqlProposals, state: ProposalState) -> None:
    with pytest.raises(LedgerBroken):
        proposals.close("prop-1", state, "u-olive", LATER, "I say so.")
    assert proposals.proposal("prop-1") == RAISED


def test_of_many_who_decide_at_once_one_does(proposals: SqlProposals) -> None:
    together = Barrier(8)

    def decide(place: int) -> bool:
        together.wait()
        state = ProposalState.EXECUTED if place % 2 else ProposalState.REFUSED
        return proposals.close("prop-1", state, f"u-{place}", LATER, "So be it.")

    with ThreadPoolExecutor(8) as crew:
        decided = list(crew.map(decide, range(8)))
    assert decided.count(True) == 1
    found = proposals.proposal("prop-1")
    assert found is not None
    assert found.closed_by == f"u-{decided.index(True)}"
