"""δ in the ledger: in events and chain, capped in the transaction that charges it, absent where there is none."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import update

from disclosure.accounting import Event
from privacy_api.ports import BudgetExhausted, LedgerBroken, Request, Wanted
from privacy_api.stores.chain import FIELDS, Entry, events_text
from privacy_api.stores.database import open_database
from privacy_api.stores.ledger import SqlLedger
from privacy_api.stores.migrate import downgrade, is_current, upgrade
from privacy_api.stores.projects import SqlProjects
from privacy_api.stores.schema import ledger

from .cases import CAP, CUT, EXETER, LEEDS, Desk, asking, behind_its_back

DELTA = 10**6


def listing(release: str, delta: int = DELTA, cap: int = 3 * DELTA, **changes: object) -> Request:
    event = Event("discrete_gaussian_threshold", 4, 10, release, delta=delta, l0=2, linf=2, threshold=70)
    return replace(asking(release, {}, **changes), wanted=(Wanted(event),), delta_cap=cap)  # type: ignore[arg-type]


def test_events_without_a_delta_are_written_as_they_always_were() -> None:
    assert events_text([Event("discrete_gaussian", 1, 10, "a")]) == (
        '[{"l2_squared":1,"mechanism":"discrete_gaussian","nano_rho":10,"question":"a"}]'
    )
    (told,) = json.loads(events_text(each.event for each in listing("r1").wanted))
    assert (told["delta"], told["l0"], told["linf"], told["threshold"]) == (DELTA, 2, 2, 70)


def test_delta_adds_up_per_cut_and_leaves_other_entries_as_they_were(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    desk.answered(listing("r2"))
    desk.answered(asking("r3", {"b": 10}, LEEDS))
    desk.ledger.fail(desk.ledger.reserve(listing("r4", DELTA // 2)))
    desk.answered(replace(listing("r5"), cut="npd-2025"))
    totals = [row.cut_delta for row in desk.rows()]
    assert totals == [None, None, DELTA, DELTA, DELTA, DELTA, *[3 * DELTA // 2] * 2, DELTA, DELTA]
    assert desk.ledger.cut_balance(CUT, CAP).delta == desk.ledger.charges(CUT, 9)[-1].delta_so_far == 3 * DELTA // 2
    assert desk.ledger.cut_balance("nothing", CAP).delta == 0
    assert desk.ledger.verify() == 10


def test_the_cap_of_delta_holds_to_the_last_and_for_nothing_else(desk: Desk) -> None:
    for release in "abc":
        desk.answered(listing(release))
    with pytest.raises(BudgetExhausted) as refused:
        desk.ledger.reserve(listing("d", 1))
    assert (refused.value.scope, refused.value.balance.left, refused.value.balance.cap) == ("delta", 0, 3 * DELTA)
    desk.answered(asking("r1", {"x": 10}))
    assert desk.ledger.reserve(listing("a")).charge is None, "what was listed is there"
    assert desk.ledger.verify() == 8


def test_a_policy_that_lists_nothing_any_more_lists_nothing_new(desk: Desk) -> None:
    desk.answered(listing("a"))
    with pytest.raises(BudgetExhausted, match="delta"):
        desk.ledger.reserve(listing("b", cap=0))


def test_many_at_once_spend_what_delta_there_is_and_no_more(desk: Desk) -> None:
    together = Barrier(8)

    def ask(place: int) -> bool:
        together.wait()
        try:
            desk.answered(listing(f"r{place}", cap=5 * DELTA))
        except BudgetExhausted:
            return False
        return True

    with ThreadPoolExecutor(8) as crew:
        assert sum(crew.map(ask, range(8))) == 5
    assert desk.ledger.cut_balance(CUT, CAP).delta == 5 * DELTA
    assert desk.ledger.verify() == 10


@pytest.mark.parametrize(
    "forged", [{"cut_delta": None}, {"cut_delta": 1}, {"events": '[{"nano_rho":10,"question":"a"}]'}]
)
@pytest.mark.parametrize("rehashed", [False, True])
def test_a_delta_cannot_be_taken_back(desk: Desk, forged: dict[str, object], rehashed: bool) -> None:
    desk.ledger.reserve(listing("a"))
    with behind_its_back(desk.url) as connection:
        connection.execute(update(ledger).values(**forged))
        if rehashed:
            row = connection.execute(ledger.select()).mappings().one()
            connection.execute(update(ledger).values(hash=Entry(**{n: row[n] for n in FIELDS}).head.hash))
    with pytest.raises(LedgerBroken, match=r"rolled back or edited|anchor"):
        desk.ledger.verify()
    with pytest.raises(LedgerBroken):
        desk.ledger.reanchor()


def test_a_spent_delta_keeps_the_database_from_going_back(empty_url: str, tmp_path: Path) -> None:
    engine = open_database(empty_url)
    upgrade(engine)
    SqlProjects(engine).create_project(EXETER)
    kept = SqlLedger(engine, tmp_path / "anchor.json")
    kept.reserve(asking("r1", {"a": 10}))
    downgrade(engine, "0002")
    upgrade(engine)
    assert kept.verify() == 1
    kept.reserve(listing("r2"))
    with pytest.raises(RuntimeError, match="cannot hold"):
        downgrade(engine, "0002")
    assert is_current(engine)
    assert kept.verify() == 2
    engine.dispose()
