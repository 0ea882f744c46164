"""The contract of the ledger: what is charged, what is free, what is refused, what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from disclosure.accounting import Event
from disclosure.tables import Noise
from privacy_api.ports import BudgetExhausted, InProgress, LedgerBroken, Project, Reserved, Wanted
from privacy_api.stores.schema import measurements, projects, releases

from .cases import ANN, CAP, CUT, EXETER, LEEDS, Desk, asking, behind_its_back, body_of, busy_day, measured, measurement


def test_a_new_question_is_charged_before_it_is_answered(desk: Desk) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10, "b": 20}))
    assert (reserved.charge, reserved.nano_rho, reserved.stored) == (1, 30, {})
    assert [each.question for each in reserved.missing] == ["a", "b"]
    [row] = desk.rows()
    assert (row.kind, row.project, row.cut, row.release, row.nano_rho) == ("charge", "exeter", CUT, "r1", 30)
    assert json.loads(row.events)[1] == {
        "mechanism": "discrete_gaussian",
        "l2_squared": 1,
        "nano_rho": 20,
        "question": "b",
    }
    assert row.at == "2026-03-01T09:30:00+00:00"
    assert desk.ledger.cut_balance(CUT, CAP).spent == desk.ledger.project_balance(EXETER).spent == 30


def test_a_stored_release_comes_back_as_it_was(desk: Desk) -> None:
    release = desk.answered(asking("r1", {"a": 10}))
    assert (release.id, release.cut, release.project, release.body) == ("r1", CUT, "exeter", body_of("r1"))
    assert desk.ledger.release("r1") == release
    assert [desk.ledger.release(other) for other in ("r2", "", "r1\x00", "\ud800")] == [None] * 4
    assert desk.kinds() == ["charge", "release"]


@pytest.mark.parametrize("price", [10, 9, 1])
def test_what_is_stored_as_precisely_is_free(desk: Desk, price: int) -> None:
    desk.answered(asking("r1", {"a": 10}))
    reserved = desk.ledger.reserve(asking("r2", {"a": price}, LEEDS))
    assert (reserved.charge, reserved.nano_rho, reserved.missing) == (None, 0, ())
    assert reserved.stored["a"].nano_rho == 10
    found = reserved.stored["a"].measurement
    assert found.sigma == 2.5
    np.testing.assert_array_equal(found.values, measurement().values)
    np.testing.assert_array_equal(found.masked, measurement().masked)
    assert desk.ledger.store(reserved, {}, b"{}").project == "leeds"
    assert desk.kinds() == ["charge", "release", "release"]
    assert desk.ledger.cut_balance(CUT, CAP).spent == 10


def test_what_is_wanted_more_precisely_costs_the_difference(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    reserved = desk.ledger.reserve(asking("r2", {"a": 30}))
    assert (reserved.nano_rho, reserved.stored["a"].nano_rho) == (20, 10)
    assert [(w.question, w.event.nano_rho) for w in reserved.missing] == [("a", 20)]
    before = int(reserved.stored["a"].measurement.values[0, 0])
    desk.ledger.store(reserved, {"a": measurement(before + 30)}, b"{}")
    found = desk.ledger.reserve(asking("r3", {"a": 30}))
    assert (found.charge, found.stored["a"].nano_rho) == (None, 30)
    assert found.stored["a"].measurement.values[0, 0] == before + 20, "weighted by what each part cost"
    assert desk.ledger.missing(CUT, asking("r4", {"a": 35, "b": 7}).wanted)[0].event.nano_rho == 5
    assert desk.ledger.cut_balance(CUT, CAP).spent == 30
    assert desk.ledger.verify() == len(desk.rows())


def test_only_what_is_missing_is_charged(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    reserved = desk.ledger.reserve(asking("r2", {"a": 10, "b": 20}))
    assert (reserved.nano_rho, list(reserved.stored), [each.question for each in reserved.missing]) == (
        20,
        ["a"],
        ["b"],
    )


def test_another_cut_shares_nothing(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    reserved = desk.ledger.reserve(asking("r2", {"a": 10}, cut="npd-2025"))
    assert reserved.nano_rho == 10
    assert desk.ledger.cut_balance(CUT, CAP).spent == desk.ledger.cut_balance("npd-2025", CAP).spent == 10
    assert desk.ledger.project_balance(EXETER).spent == 20


def test_an_official_answer_is_recorded_as_a_charge_of_nothing(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 0}, cut_cap=0))
    assert desk.kinds() == ["charge", "release"]
    assert desk.ledger.reserve(asking("r2", {"a": 0}, cut_cap=0)).charge is None


def test_nothing_wanted_is_nothing_charged(desk: Desk) -> None:
    assert desk.ledger.reserve(asking("r1", {})).charge is None
    assert desk.kinds() == []


def test_a_question_is_wanted_once(desk: Desk) -> None:
    twice = asking("r1", {"a": 10})
    with pytest.raises(ValueError, match="once"):
        desk.ledger.reserve(replace(twice, wanted=twice.wanted * 2))


@pytest.mark.parametrize("found", [{}, {"a": measurement(), "b": measurement()}, {"b": measurement()}])
def test_a_charge_stores_just_what_it_paid_for(desk: Desk, found: dict[str, object]) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    with pytest.raises(ValueError, match="paid for"):
        desk.ledger.store(reserved, found, b"{}")  # type: ignore[arg-type]
    assert desk.ledger.release("r1") is None


def test_a_failed_charge_stays_and_can_be_asked_again(desk: Desk) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    desk.ledger.fail(reserved)
    desk.ledger.fail(reserved)
    assert desk.kinds() == ["charge", "failed"]
    assert desk.ledger.reserve(asking("r1", {"a": 10})).charge == 3
    assert desk.ledger.cut_balance(CUT, CAP).spent == 20


def test_to_fail_what_was_free_is_nothing(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    desk.ledger.fail(desk.ledger.reserve(asking("r2", {"a": 10})))
    assert desk.kinds() == ["charge", "release"]


def test_failing_after_storing_changes_nothing(desk: Desk) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    stored = desk.ledger.store(reserved, measured(reserved), b"{}")
    desk.ledger.fail(reserved)
    assert desk.ledger.store(reserved, measured(reserved), b"other") == stored
    assert desk.kinds() == ["charge", "release"]


def test_who_stores_second_gets_what_was_stored_first(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    first, second = (desk.ledger.reserve(asking("r2", {"a": 10}, project)) for project in (EXETER, LEEDS))
    assert desk.ledger.store(first, {}, b"first") == desk.ledger.store(second, {}, b"second")
    assert desk.kinds() == ["charge", "release", "release"]


def test_a_question_being_answered_is_not_charged_again(desk: Desk) -> None:
    desk.ledger.reserve(asking("r1", {"a": 10}))
    with pytest.raises(InProgress):
        desk.ledger.reserve(asking("r2", {"a": 20, "b": 1}, LEEDS))
    desk.clock.forward(59)
    with pytest.raises(InProgress):
        desk.ledger.reserve(asking("r1", {"a": 10}))
    assert desk.kinds() == ["charge"]


@pytest.mark.parametrize("seconds", [60, 3_600, -60, -31_536_000])
def test_a_stale_claim_is_taken_over_and_charged_again(desk: Desk, seconds: float) -> None:
    slow = desk.ledger.reserve(asking("r1", {"a": 10}))
    desk.clock.forward(seconds)
    quick = desk.ledger.reserve(asking("r1", {"a": 10}))
    assert (slow.charge, quick.charge) == (1, 2)
    assert desk.ledger.cut_balance(CUT, CAP).spent == 20
    assert desk.ledger.store(quick, {"a": measurement()}, b"quick").body == b"quick"


def test_who_was_taken_over_cannot_answer_differently(desk: Desk) -> None:
    slow = desk.ledger.reserve(asking("r1", {"a": 10, "b": 5}))
    desk.clock.forward(61)
    quick = desk.ledger.reserve(asking("r2", {"a": 10}))
    with pytest.raises(InProgress):
        desk.ledger.store(slow, measured(slow), b"slow")
    assert desk.kinds() == ["charge", "charge", "failed"]
    desk.ledger.store(quick, measured(quick), b"quick")
    assert desk.ledger.reserve(asking("r1", {"a": 10})).charge is None
    assert desk.ledger.verify() == 4


def test_a_stale_claim_that_nobody_took_over_still_counts(desk: Desk) -> None:
    slow = desk.ledger.reserve(asking("r1", {"a": 10}))
    desk.clock.forward(3_600)
    assert desk.ledger.store(slow, measured(slow), b"slow").body == b"slow"


def refused(desk: Desk, reserved_for: Project, price: int, **changes: Any) -> BudgetExhausted:
    before = desk.rows()
    with pytest.raises(BudgetExhausted) as caught:
        desk.ledger.reserve(asking("r9", {"z": price}, reserved_for, **changes))
    assert desk.rows() == before
    return caught.value


def test_the_cap_of_the_cut_holds_over_all_projects(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 60}, cut_cap=100))
    error = refused(desk, LEEDS, 41, cut_cap=100)
    assert (error.scope, error.balance.cap, error.balance.spent, error.balance.left) == ("cut", 100, 60, 40)
    assert desk.ledger.reserve(asking("r3", {"c": 40}, LEEDS, cut_cap=100)).charge == 3


def test_the_cap_of_a_project_holds_for_it_alone(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 600}))
    error = refused(desk, EXETER, 1)
    assert (error.scope, error.balance.left) == ("project", 0)
    assert desk.ledger.reserve(asking("r3", {"z": 400}, LEEDS)).nano_rho == 400


def test_the_stored_cap_counts_not_the_one_in_the_request(desk: Desk) -> None:
    generous = replace(EXETER, cap=10**12)
    assert refused(desk, generous, 601).balance.cap == 600
    with desk.engine.begin() as connection:
        connection.execute(projects.update().where(projects.c.id == "exeter").values(cap=5))
    assert refused(desk, EXETER, 6).balance.cap == 5


def test_the_cap_of_a_person_holds_over_projects_and_cuts(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 60}, EXETER, "ann"))
    desk.answered(asking("r2", {"b": 30}, LEEDS, "ann", cut="npd-2025"))
    for changes in ({}, {"cut": "npd-2025"}, {"cut": "npd-2026"}):
        error = refused(desk, LEEDS, 11, person="ann", **changes)
        assert (error.scope, error.balance.cap, error.balance.spent) == ("person", 100, 90)
    assert desk.ledger.reserve(asking("r3", {"c": 11}, LEEDS)).nano_rho == 11, "a key without a person is not theirs"
    assert desk.ledger.reserve(asking("r4", {"d": 10}, LEEDS, "ann")).nano_rho == 10
    assert desk.ledger.person_balance(ANN).left == 0
    assert desk.ledger.reserve(asking("r5", {"a": 60}, LEEDS, "ann")).charge is None, "what is there is free"
    assert [row.person_total for row in desk.rows()] == [60, 60, 90, 90, None, 100]


def test_a_person_that_is_not_stored_cannot_spend(desk: Desk) -> None:
    with pytest.raises(LedgerBroken, match="person"):
        desk.ledger.reserve(asking("r1", {"a": 1}, person="nobody"))
    assert desk.kinds() == []


def test_a_failed_charge_of_a_person_stays_theirs(desk: Desk) -> None:
    desk.ledger.fail(desk.ledger.reserve(asking("r1", {"a": 70}, person="ann")))
    assert desk.ledger.person_balance(ANN).spent == 70
    assert refused(desk, EXETER, 31, person="ann").scope == "person"
    assert desk.ledger.verify() == 2


def test_the_history_of_a_cut(desk: Desk) -> None:
    assert desk.ledger.days(CUT, 10) == desk.ledger.charges(CUT, 10) == []
    busy_day(desk)
    desk.clock.forward(-86_400)  # set back: days are by date, and end in the balance all the same
    desk.ledger.fail(desk.ledger.reserve(asking("r6", {"f": 25})))
    desk.clock.forward(3 * 86_400)
    desk.ledger.reserve(asking("r7", {"g": 5}))
    desk.ledger.reserve(asking("r8", {"h": 500}, cut="npd-2025"))
    days = desk.ledger.days(CUT, 10)
    assert [(d.date, d.charges, d.nano_rho, d.so_far) for d in days] == [
        ("2026-02-28", 1, 25, 25),
        ("2026-03-01", 4, 150, 175),
        ("2026-03-03", 1, 5, 180),
    ]
    assert desk.ledger.days(CUT, 2) == days[1:]
    charges = desk.ledger.charges(CUT, 100)
    assert [(c.entry, c.nano_rho, c.so_far, c.person) for c in charges] == [
        (1, 30, 30, None), (3, 30, 60, "ann"), (5, 40, 100, "ann"), (8, 50, 150, None), (9, 25, 175, None),
        (11, 5, 180, None),
    ]  # fmt: skip
    assert desk.ledger.charges(CUT, 2) == charges[-2:]
    assert desk.ledger.cut_balance(CUT, CAP).spent == days[-1].so_far == charges[-1].so_far


def test_a_laplace_measurement_comes_back_as_one(desk: Desk) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    desk.ledger.store(reserved, {"a": replace(measurement(), noise=Noise.LAPLACE)}, b"{}")
    found = desk.ledger.reserve(asking("r2", {"a": 10})).stored["a"].measurement
    assert (found.noise, found.sigma) == (Noise.LAPLACE, 2.5)
    assert desk.ledger.verify() == 2
    for planted in ("gaussian", "none"):
        with behind_its_back(desk.url) as connection:
            connection.execute(measurements.update().values(noise=planted))
        with pytest.raises(LedgerBroken, match="edited"):
            desk.ledger.verify()
    with pytest.raises(LedgerBroken, match="edited"):
        desk.ledger.reserve(asking("r3", {"a": 10}))


def test_an_event_says_what_its_noise_was_scaled_to(desk: Desk) -> None:
    event = Event("discrete_laplace", 12, 10, "a", l1=6)
    desk.ledger.reserve(replace(asking("r1", {}), wanted=(Wanted(event),)))
    assert json.loads(desk.rows()[0].events) == [
        {"mechanism": "discrete_laplace", "l2_squared": 12, "l1": 6, "nano_rho": 10, "question": "a"}
    ]


def test_a_refusal_claims_nothing(desk: Desk) -> None:
    refused(desk, EXETER, 601)
    assert desk.ledger.reserve(asking("r1", {"z": 600})).charge == 1


def test_a_project_that_is_not_stored_cannot_spend(desk: Desk) -> None:
    with pytest.raises(LedgerBroken, match="project"):
        desk.ledger.reserve(asking("r1", {"a": 1}, replace(EXETER, id="nobody")))
    assert desk.kinds() == []


def test_totals_survive_being_closed_and_opened(desk: Desk) -> None:
    busy_day(desk)
    again = desk.reopened()
    assert again.ledger.verify() == 8
    assert again.ledger.cut_balance(CUT, CAP).spent == again.spent() == 150
    assert [again.ledger.project_balance(project).spent for project in (EXETER, LEEDS)] == [60, 90]
    again.engine.dispose()


def test_an_unreadable_measurement_is_not_served(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 10}))
    with behind_its_back(desk.url) as connection:
        connection.execute(measurements.update().values(masked=measurements.c.cells))
    with pytest.raises(LedgerBroken, match="rolled back or edited"):
        desk.ledger.reserve(asking("r2", {"a": 10}))
    with behind_its_back(desk.url) as connection:
        connection.execute(releases.update().values(body=b"not what zlib made"))
    with pytest.raises(LedgerBroken, match="rolled back or edited"):
        desk.ledger.release("r1")


@pytest.mark.parametrize("shape", [(1, 1), (0, 1), (7, 3)])
def test_measurements_of_any_shape_come_back(desk: Desk, shape: tuple[int, int]) -> None:
    reserved: Reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    values = np.full(shape, -(2**62), dtype=np.int64)
    given = replace(measurement(), values=values, masked=np.ones(shape, dtype=np.bool_), sigma=0.1)
    desk.ledger.store(reserved, {"a": given}, b"{}")
    found = desk.ledger.reserve(asking("r2", {"a": 10})).stored["a"].measurement
    np.testing.assert_array_equal(found.values, values)
    assert found.masked.shape == shape and found.masked.all() and found.sigma == 0.1
    assert not found.values.flags.writeable and not found.masked.flags.writeable
