"""The two-person rule as a function of who, what and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from privacy_api.governance.approvals import (
    LIFE,
    Bar,
    Barred,
    bar_of_deciding,
    bar_of_proposing,
    bar_of_withdrawing,
    has_lapsed,
    lapses_at,
    what_text,
)
from privacy_api.ports import Proposal, ProposalKind, ProposalState

NOON = "2026-03-01T12:00:00+00:00"
LATER = "2026-03-02T12:00:00+00:00"
RAISED = Proposal(
    "prop-1", ProposalKind.RAISE_PROJECT_CAP, "project:exeter", what_text({"before": 1, "after": 2}), "From 1 to 2.",
    "It is used up.", "u-olive", NOON, lapses_at(NOON),
)  # fmt: skip


def barred(rule: Callable[[], None]) -> Bar | None:
    try:
        rule()
    except Barred as found:
        return found.bar
    return None


@pytest.mark.parametrize(
    ("by", "interested", "state", "now", "reason", "bar"),
    [
        ("u-oscar", {"u-ada"}, ProposalState.OPEN, LATER, "Right.", None),
        ("u-olive", {"u-ada"}, ProposalState.OPEN, LATER, "Right.", Bar.SAME_PERSON),
        ("u-ada", {"u-ada"}, ProposalState.OPEN, LATER, "Right.", Bar.INTERESTED),
        ("u-oscar", set(), ProposalState.EXECUTED, LATER, "Right.", Bar.CLOSED),
        ("u-oscar", set(), ProposalState.REFUSED, LATER, "Right.", Bar.CLOSED),
        ("u-oscar", set(), ProposalState.WITHDRAWN, LATER, "Right.", Bar.CLOSED),
        ("u-oscar", set(), ProposalState.OPEN, RAISED.lapses, "Right.", Bar.LAPSED),
        ("u-oscar", set(), ProposalState.OPEN, LATER, " \n", Bar.NO_REASON),
        ("u-oscar", set(), ProposalState.OPEN, LATER, "x" * 2_001, Bar.NO_REASON),
    ],
)
def test_who_may_decide(
    by: str, interested: set[str], state: ProposalState, now: str, reason: str, bar: Bar | None
) -> None:
    proposal = replace(RAISED, state=state)
    assert barred(lambda: bar_of_deciding(proposal, by, interested, now, reason)) is bar


def test_who_may_propose_and_withdraw() -> None:
    assert barred(lambda: bar_of_proposing("u-olive", {"u-ada"}, "Why.")) is None
    assert barred(lambda: bar_of_proposing("u-ada", {"u-ada"}, "Why.")) is Bar.INTERESTED
    assert barred(lambda: bar_of_proposing("u-olive", (), "")) is Bar.NO_REASON
    assert barred(lambda: bar_of_withdrawing(RAISED, "u-olive", LATER, "A slip.")) is None
    assert barred(lambda: bar_of_withdrawing(RAISED, "u-oscar", LATER, "A slip.")) is Bar.NOT_YOURS


def test_a_proposal_lapses_to_the_second_whatever_the_offset_of_the_clock() -> None:
    assert LIFE.days == 14
    assert not has_lapsed(RAISED, "2026-03-15T11:59:59+00:00")
    assert has_lapsed(RAISED, "2026-03-15T12:00:00+00:00")
    assert has_lapsed(RAISED, "2026-03-15T13:00:00+01:00")
    assert not has_lapsed(RAISED, "2026-03-15T12:59:59+01:00")


def test_the_same_thing_is_the_same_text() -> None:
    assert what_text({"b": 1, "a": "é"}) == what_text({"a": "é", "b": 1}) == '{"a":"\\u00e9","b":1}'
