"""Whoever holds the files can change the record, but not unseen; and whatever is killed, it stays whole."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from privacy_api.ports import AuditBroken, AuditFilter
from privacy_api.stores.audit_chain import FIELDS, hash_of
from privacy_api.stores.schema import audit, ledger

from .audit_processes import FAIL_POINTS, record_and_die, record_many
from .cases import Desk, Rows, asking, behind_its_back, everything, put_back
from .processes import started

Rows_ = list[dict[str, Any]]


@pytest.fixture
def busy(desk: Desk) -> Iterator[Desk]:
    """Seven entries, with charges between them."""
    for turn in range(3):
        desk.audit.record("cut-frozen", "u-olive", "cut:npd", {"reason": f"r{turn}", "terms": 1, "digest": "0" * 64})
        desk.answered(asking(f"r{turn}", {f"q{turn}": 10}))
        desk.audit.record("record-exported", "u-audrey", "audit", {"way": "csv"})
    desk.audit.record("record-exported", "u-audrey", "audit", {"way": "jsonl"})
    assert (desk.audit.verify(), desk.ledger.verify()) == (7, 6)
    yield desk


def changed(desk: Desk, change: Callable[[Rows_], Rows_]) -> None:
    with behind_its_back(desk.url) as connection:
        rows = [dict(row) for row in connection.execute(select(audit).order_by(audit.c.seq)).mappings()]
        connection.execute(audit.delete())
        connection.execute(insert(audit), change(rows))


def refused(desk: Desk) -> None:
    with pytest.raises(AuditBroken, match="rolled back or edited"):
        desk.audit.verify()


@pytest.mark.parametrize("column", [*FIELDS, "hash"])
def test_an_edit_of_any_column_is_found_out(busy: Desk, column: str) -> None:
    def edit(rows: Rows_) -> Rows_:
        value = rows[3][column]
        rows[3][column] = value + 100 if isinstance(value, int) else f"{value[:-1]}{'x' if value[-1] != 'x' else 'y'}"
        return rows

    changed(busy, edit)
    refused(busy)


def rehashed(rows: Rows_) -> Rows_:
    """By somebody who knows how: from the first change on, every hash anew."""
    previous = "0" * 64
    for place, row in enumerate(rows):
        row |= {"seq": place + 1, "previous": previous}
        row["hash"] = previous = hash_of({name: row[name] for name in FIELDS})
    return rows


def swapped(rows: Rows_) -> Rows_:
    rows[2], rows[3] = rows[3], rows[2]
    return rows


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:3] + rows[4:],
        lambda rows: rows[1:],
        lambda rows: rows[:-1],
        lambda rows: rows[:1],
        lambda rows: rehashed(rows[:-1]),
        lambda rows: rehashed(rows[1:]),
        lambda rows: rehashed(swapped(rows)),
        lambda rows: rehashed([{**row, "actor": "u-oscar"} for row in rows]),
        lambda rows: rehashed([*rows[:3], dict(rows[2]), *rows[3:]]),
    ],
    ids=["deleted", "first deleted", "truncated", "all but one", "truncated and rehashed", "first deleted and rehashed",
         "reordered and rehashed", "edited and rehashed", "replayed and rehashed"],
)  # fmt: skip
def test_what_was_taken_away_reordered_or_replayed_is_found_out(busy: Desk, change: Callable[[Rows_], Rows_]) -> None:
    changed(busy, change)
    refused(busy)


def test_a_table_that_was_emptied_is_found_out_and_takes_no_entry(busy: Desk) -> None:
    with behind_its_back(busy.url) as connection:
        connection.execute(audit.delete())
    refused(busy)
    with pytest.raises(AuditBroken, match="rolled back or edited"):
        busy.audit.record("record-exported", "u-audrey", "audit", {"way": "csv"})


def test_a_database_that_was_rolled_back_is_found_out_by_both_anchors(desk: Desk) -> None:
    desk.audit.record("record-exported", "u-audrey", "audit", {"way": "csv"})
    with behind_its_back(desk.url) as connection:
        yesterday: Rows = everything(connection)
    desk.audit.record("record-exported", "u-audrey", "audit", {"way": "csv"})
    with behind_its_back(desk.url) as connection:
        put_back(connection, yesterday)
    refused(desk)


def test_the_audit_chain_vouches_for_the_ledger_even_without_its_anchor(busy: Desk) -> None:
    """The ledger is rolled back, and its anchor with it: the other chain knows better."""
    with behind_its_back(busy.url) as connection:
        rows: Rows = everything(connection)
        connection.execute(text("DELETE FROM claims"))
        for table in ("measurements", "releases"):
            connection.execute(text(f"DELETE FROM {table} WHERE entry > 4"))
        connection.execute(ledger.delete().where(ledger.c.seq > 4))
    assert busy.ledger.reanchor() == busy.ledger.verify() == 4
    with pytest.raises(AuditBroken, match="another entry 6 of the ledger"):
        busy.audit.verify()
    with behind_its_back(busy.url) as connection:
        put_back(connection, rows)
    busy.ledger.reanchor()
    assert busy.audit.verify() == 7


@pytest.mark.slow
@pytest.mark.parametrize("fail_point", FAIL_POINTS)
def test_killed_anywhere_the_chain_is_whole_and_a_decision_has_its_entry(desk: Desk, fail_point: str) -> None:
    desk.audit.verify()
    for turn in range(2):
        process = started(record_and_die, desk.url, desk.audit_anchor, fail_point, f"p{turn}")
        process.join()
        assert process.exitcode == -signal.SIGKILL
    recorded = [h.subject for h in desk.audit.happenings(AuditFilter(), None, 99)]
    assert desk.audit.verify() == len(recorded)
    assert [f"person:{p.id}" for p in desk.projects.people() if p.id != "ann"] == recorded
    assert len(recorded) == (0 if fail_point == "not committed" else 2)
    desk.audit.record("record-exported", "u-audrey", "audit", {"way": "csv"})


@pytest.mark.slow
def test_processes_that_record_at_once_make_one_chain(desk: Desk, tmp_path: Path) -> None:
    crew = [started(record_many, desk.url, desk.audit_anchor, f"n{n}", 10) for n in range(3)]
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [0] * 3
    assert desk.audit.verify() == 30
