"""Questions that people keep, and what projects and people may read of their own spending."""

from __future__ import annotations

from dataclasses import replace

from privacy_api.ports import SavedQuery

from .cases import EXETER, LEEDS, Desk, busy_day

MINE = SavedQuery(
    "sq-1", EXETER.id, "u-ann", "Absence", "npd.census", '{"measures":[]}', False, "2026-03-01T09:30:00+00:00"
)
LATER = replace(MINE, id="sq-2", name="Later", created="2026-03-02T09:30:00+00:00")
THEIRS = replace(LATER, id="sq-3", account="u-bob")


def test_a_saved_query_comes_back_as_it_was_saved(desk: Desk) -> None:
    assert desk.saved_queries.save(MINE) == desk.saved_queries.saved(MINE.id) == MINE
    assert desk.saved_queries.saved("sq-9") is None


def test_ones_own_and_those_that_are_shared(desk: Desk) -> None:
    for saved in (
        MINE,
        LATER,
        THEIRS,
        replace(THEIRS, id="sq-4", shared=True),
        replace(MINE, id="sq-5", project=LEEDS.id),
    ):
        desk.saved_queries.save(saved)
    assert [s.id for s in desk.saved_queries.of(EXETER.id, "u-ann")] == ["sq-2", "sq-4", "sq-1"]
    assert [s.id for s in desk.saved_queries.of(LEEDS.id, "u-bob")] == []
    desk.saved_queries.share("sq-1", True)
    desk.saved_queries.share("sq-4", False)
    assert [s.id for s in desk.saved_queries.of(EXETER.id, "u-bob")] == ["sq-3", "sq-4", "sq-1"]


def test_the_last_answer_is_kept_and_a_saved_query_can_go(desk: Desk) -> None:
    desk.saved_queries.save(MINE)
    desk.saved_queries.answered(MINE.id, "rel-1")
    assert desk.saved_queries.saved(MINE.id) == replace(MINE, release="rel-1")
    desk.saved_queries.delete(MINE.id)
    assert desk.saved_queries.saved(MINE.id) is None


def test_spending_is_the_projects_own_newest_first(desk: Desk) -> None:
    busy_day(desk)
    exeter = desk.ledger.spending(10, project=EXETER.id)
    assert [(s.release, s.nano_rho, s.so_far, s.answered) for s in exeter] == [
        ("r4", 0, 60, True),
        ("r2", 30, 60, False),
        ("r1", 30, 30, True),
    ]
    assert [s.release for s in desk.ledger.spending(1, project=LEEDS.id)] == ["r5"]
    assert exeter[0].query == '{"ask":"r4"}'


def test_spending_of_a_person_is_over_all_projects(desk: Desk) -> None:
    busy_day(desk)
    ann = desk.ledger.spending(10, person="ann")
    assert [(s.release, s.project, s.so_far) for s in ann] == [("r3", LEEDS.id, 70), ("r2", EXETER.id, 30)]
    assert desk.ledger.spending(10, person="nobody") == []
