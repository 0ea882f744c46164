"""Killed at any moment, the service may have wasted budget, but never saved any."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from privacy_api.stores.ledger import SqlLedger

from .cases import Desk, asking, body_of, measured
from .processes import FAIL_POINTS, answer_and_die, started

LEFT_BEHIND = {
    "before reserve": [],
    "charge not committed": [],
    "charge not anchored": ["charge"],
    "anchor half written": ["charge"],
    "after reserve": ["charge"],
    "release not committed": ["charge"],
    "release not anchored": ["charge", "release"],
    "after store": ["charge", "release"],
}


def killed(desk: Desk, fail_point: str, release: str) -> None:
    process = started(answer_and_die, desk.url, desk.anchor, fail_point, release)
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("fail_point", FAIL_POINTS)
def test_a_crash_leaves_a_ledger_that_can_be_trusted(desk: Desk, fail_point: str) -> None:
    desk.ledger.verify()
    before: list[str] = []
    for turn in range(2):
        killed(desk, fail_point, f"r{turn}")
        before += LEFT_BEHIND[fail_point]
        assert desk.kinds() == before
        assert desk.ledger.verify() == len(before)


@pytest.mark.parametrize("fail_point", FAIL_POINTS)
def test_after_a_crash_the_question_is_answered_and_was_paid_for(desk: Desk, fail_point: str) -> None:
    desk.ledger.verify()
    killed(desk, fail_point, "r0")
    kinds = desk.kinds()
    again = SqlLedger(desk.engine, desk.anchor, claim_seconds=0)
    reserved = again.reserve(asking("r0", {"r0": 10}))
    assert (reserved.charge is None) == ("release" in kinds)
    assert again.store(reserved, measured(reserved), b"again").body == (
        body_of("r0") if "release" in kinds else b"again"
    )
    assert desk.spent() == 10 * (kinds.count("charge") + ("release" not in kinds))
    again.verify()


def test_killed_in_the_very_first_reservation(desk: Desk) -> None:
    """There is an anchor before there is a first entry: a crash between them must not look like a rollback."""
    killed(desk, "charge not anchored", "r0")
    assert replace(desk).ledger.verify() == 1


@pytest.mark.slow
@pytest.mark.parametrize("fail_point", FAIL_POINTS)
def test_crash_after_crash(desk: Desk, fail_point: str) -> None:
    desk.ledger.verify()
    for turn in range(25):
        killed(desk, fail_point, f"r{turn}")
        kinds = desk.kinds()
        assert kinds.count("release") <= kinds.count("charge")
        assert desk.ledger.verify() == len(kinds) == len(LEFT_BEHIND[fail_point]) * (turn + 1)
