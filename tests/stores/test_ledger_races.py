"""Many at once: the caps hold to the last nano-ρ, and one question is charged once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from privacy_api.ports import InProgress
from privacy_api.stores.ledger import SqlLedger

from .cases import ANN, CUT, EXETER, Desk, asking
from .processes import spend, started


def spend_at_once(desk: Desk, price: int, processes: int, threads: int, person: str | None = None) -> None:
    crew = [started(spend, desk.url, desk.anchor, str(n), price, threads, person) for n in range(processes)]
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [0] * processes


def budget_is_spent_exactly(desk: Desk, price: int) -> None:
    charges = [row for row in desk.rows() if row.kind == "charge"]
    assert len(charges) == EXETER.cap // price
    assert desk.spent() == desk.ledger.cut_balance(CUT, EXETER.cap).spent == len(charges) * price
    assert desk.ledger.verify() == 2 * len(charges)


def test_threads_of_several_processes_spend_what_there_is_and_no_more(desk: Desk) -> None:
    spend_at_once(desk, price=29, processes=2, threads=8)
    budget_is_spent_exactly(desk, price=29)


def test_a_person_spends_in_two_projects_at_once_what_is_theirs_and_no_more(desk: Desk) -> None:
    """The caps of the projects and the cut are far off: only the person's can hold."""
    spend_at_once(desk, price=9, processes=2, threads=6, person="ann")
    charges = [row for row in desk.rows() if row.kind == "charge"]
    assert len(charges) == ANN.cap // 9
    assert {row.project for row in charges} == {"exeter", "leeds"}
    assert desk.ledger.person_balance(ANN).spent == desk.spent() == 9 * len(charges) == charges[-1].person_total
    assert desk.ledger.verify() == 2 * len(charges)


def test_a_question_stays_claimed_while_it_is_answered_and_not_for_longer(desk: Desk) -> None:
    ledger = SqlLedger(desk.engine, desk.anchor, claim_seconds=0.6)
    reserved = ledger.reserve(asking("r0", {"a": 10}))
    with ledger.held(reserved):
        time.sleep(1.5)
        with pytest.raises(InProgress):
            ledger.reserve(asking("r1", {"a": 10}))
    time.sleep(0.7)
    taken = ledger.reserve(asking("r1", {"a": 10}))
    assert (taken.nano_rho, desk.spent()) == (10, 20), "taken for dead, and charged again"


@pytest.mark.slow
@pytest.mark.parametrize("price", [1, 7])
def test_more_processes_and_more_turns(desk: Desk, price: int) -> None:
    spend_at_once(desk, price=price, processes=4, threads=8)
    budget_is_spent_exactly(desk, price=price)


def test_one_question_asked_by_many_at_once_is_charged_once(desk: Desk) -> None:
    together = Barrier(8)

    def ask(place: int) -> str:
        together.wait()
        try:
            desk.answered(asking(f"r{place}", {"a": 10}))
        except InProgress:
            return "in progress"
        return "answered"

    with ThreadPoolExecutor(8) as crew:
        outcomes = list(crew.map(ask, range(8)))
    assert "answered" in outcomes
    assert desk.kinds().count("charge") == 1
    assert desk.spent() == 10
    desk.ledger.verify()
