from __future__ import annotations

import json
import stat
from pathlib import Path
from threading import Thread

import pytest

from privacy_api.ports import LedgerBroken
from privacy_api.stores.anchor import GENESIS, Anchor, Head

from .cases import CAP, CUT, Desk, asking, busy_day


def head(seq: int) -> Head:
    return Head(seq, f"{seq:064x}")


def test_an_empty_ledger_starts_its_anchor(desk: Desk) -> None:
    assert desk.ledger.verify() == 0
    assert Anchor(desk.anchor).read() == GENESIS


def test_the_anchor_follows_every_entry(desk: Desk) -> None:
    reserved = desk.ledger.reserve(asking("r1", {"a": 10}))
    for act in (lambda: None, lambda: desk.ledger.fail(reserved), lambda: desk.answered(asking("r2", {"b": 1}))):
        act()
        last = desk.rows()[-1]
        assert Anchor(desk.anchor).read() == Head(last.seq, last.hash)
    assert stat.S_IMODE(desk.anchor.stat().st_mode) == 0o600


def test_a_missing_anchor_stops_everything_until_it_is_accepted(desk: Desk) -> None:
    busy_day(desk)
    desk.anchor.unlink()
    for attempt in (desk.ledger.verify, lambda: desk.ledger.reserve(asking("r9", {"z": 1}))):
        with pytest.raises(LedgerBroken, match="privacy-api ledger anchor"):
            attempt()
    assert desk.spent() == 150
    assert desk.ledger.reanchor() == desk.ledger.verify() == 8
    assert desk.ledger.reserve(asking("r9", {"z": 1})).charge == 9


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        json.dumps({"seq": "1", "hash": "0" * 64}).encode(),
        json.dumps({"seq": -1, "hash": "0" * 64}).encode(),
        json.dumps({"seq": True, "hash": "0" * 64}).encode(),
        json.dumps({"seq": 1, "hash": "0" * 63}).encode(),
        json.dumps({"seq": 1, "hash": None}).encode(),
        json.dumps({"seq": 1, "hash": "0" * 64, "more": 1}).encode(),
    ],
)
def test_a_garbled_anchor_stops_everything(desk: Desk, content: bytes) -> None:
    desk.ledger.reserve(asking("r1", {"a": 1}))
    desk.anchor.write_bytes(content)
    for attempt in (desk.ledger.verify, lambda: desk.ledger.reserve(asking("r9", {"z": 1}))):
        with pytest.raises(LedgerBroken, match="anchor"):
            attempt()
    assert desk.ledger.reanchor() == desk.ledger.verify() == 1


@pytest.mark.parametrize("wrong", [head(1), head(2), head(3), Head(0, "f" * 64)])
def test_an_anchor_that_names_no_entry_stops_everything(desk: Desk, wrong: Head) -> None:
    desk.answered(asking("r1", {"a": 1}))
    Anchor(desk.anchor).write(wrong)
    for attempt in (desk.ledger.verify, lambda: desk.ledger.reserve(asking("r9", {"z": 1}))):
        with pytest.raises(LedgerBroken, match="rolled back or edited"):
            attempt()


def test_an_anchor_that_lags_behind_is_well(desk: Desk) -> None:
    busy_day(desk)
    row = desk.rows()[2]
    Anchor(desk.anchor).write(Head(row.seq, row.hash))
    assert desk.ledger.verify() == 8
    desk.ledger.reserve(asking("r9", {"z": 1}))
    assert Anchor(desk.anchor).read() == Head(9, desk.rows()[-1].hash)


def test_no_anchor_no_charge(desk: Desk, tmp_path: Path) -> None:
    nowhere = Desk(desk.url, tmp_path / "no such directory" / "anchor.json")
    for attempt in (nowhere.ledger.verify, lambda: nowhere.ledger.reserve(asking("r1", {"a": 1}))):
        with pytest.raises(LedgerBroken, match="anchor file cannot be written"):
            attempt()
    assert nowhere.kinds() == []
    nowhere.engine.dispose()


def test_an_anchor_that_cannot_be_moved_wastes_the_charge_and_answers_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.ledger.verify()
    (tmp_path / "anchor.json.new").mkdir()
    with pytest.raises(LedgerBroken, match="anchor file cannot be written"):
        desk.ledger.reserve(asking("r1", {"a": 10}))
    assert desk.ledger.cut_balance(CUT, CAP).spent == 10
    (tmp_path / "anchor.json.new").rmdir()
    assert desk.ledger.verify() == 1


def test_it_moves_forward_only(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "anchor.json")
    anchor.write(head(5))
    anchor.move(head(4))
    assert anchor.read() == head(5)
    anchor.move(head(5))
    with pytest.raises(LedgerBroken, match="rolled back or edited"):
        anchor.move(Head(5, "f" * 64))


def test_it_is_not_made_again_by_moving(tmp_path: Path) -> None:
    with pytest.raises(LedgerBroken, match="missing"):
        Anchor(tmp_path / "anchor.json").move(head(1))


def test_many_threads_leave_it_at_the_furthest(tmp_path: Path) -> None:
    Anchor(tmp_path / "anchor.json").write(GENESIS)
    crew = [Thread(target=Anchor(tmp_path / "anchor.json").move, args=(head(seq),)) for seq in range(1, 25)]
    for each in reversed(crew):
        each.start()
    for each in crew:
        each.join()
    assert Anchor(tmp_path / "anchor.json").read() == head(24)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["anchor.json", "anchor.json.lock"]
