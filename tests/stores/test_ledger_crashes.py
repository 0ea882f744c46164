"""Killed at any moment, the service may have wasted budget, but never saved any."""

from __future__ import annotations

import signal

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
def test_after_a_crash_the_ledger_is_sound_and_the_question_was_paid_for(desk: Desk, fail_point: str) -> None:
    left: list[str] = []
    desk.ledger.verify()
    for turn in range(2):
        killed(desk, fail_point, f"r{turn}")
        left += LEFT_BEHIND[fail_point]
        assert desk.kinds() == left
        assert desk.ledger.verify() == len(left)
    ask_again(desk, released="release" in left)
    assert desk.spent() == 10 * desk.kinds().count("charge")


def ask_again(desk: Desk, released: bool) -> None:
    after_restart = SqlLedger(desk.engine, desk.anchor, claim_seconds=0)
    reserved = after_restart.reserve(asking("r0", {"r0": 10}))
    assert (reserved.charge is None) == released
    answer = after_restart.store(reserved, measured(reserved), b"again")
    assert answer.body == (body_of("r0") if released else b"again")
    after_restart.verify()


def test_killed_in_the_very_first_reservation(desk: Desk) -> None:
    """There is an anchor before there is a first entry: a crash between them must not look like a rollback."""
    killed(desk, "charge not anchored", "r0")
    assert desk.ledger.verify() == 1


@pytest.mark.slow
@pytest.mark.parametrize("fail_point", FAIL_POINTS)
def test_crash_after_crash(desk: Desk, fail_point: str) -> None:
    desk.ledger.verify()
    for turn in range(25):
        killed(desk, fail_point, f"r{turn}")
        kinds = desk.kinds()
        assert kinds.count("release") <= kinds.count("charge")
        assert desk.ledger.verify() == len(kinds) == len(LEFT_BEHIND[fail_point]) * (turn + 1)
