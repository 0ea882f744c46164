"""Tables that officers have registered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import pytest

from privacy_api.ports import AlreadyRegistered

from .cases import KS4, Desk

LATER = replace(KS4, id="absence", title="", created="2026-03-02T09:30:00+00:00")


def test_a_table_comes_back_as_it_was_registered(desk: Desk) -> None:
    assert desk.tables.register(KS4) == desk.tables.table(KS4.id) == KS4
    assert desk.tables.table("another") is None


def test_tables_come_in_the_order_of_registering(desk: Desk) -> None:
    assert desk.tables.tables() == []
    for table in (KS4, LATER):
        desk.tables.register(table)
    assert desk.tables.tables() == [KS4, LATER]


def test_an_id_is_registered_once(desk: Desk) -> None:
    desk.tables.register(KS4)
    with pytest.raises(AlreadyRegistered, match="ks4-by-la"):
        desk.tables.register(replace(LATER, id=KS4.id))
    assert desk.tables.tables() == [KS4]


def test_a_withdrawn_table_keeps_its_place_and_its_id(desk: Desk) -> None:
    for table in (KS4, LATER):
        desk.tables.register(table)
    assert desk.tables.withdraw(KS4.id)
    withdrawn, standing = desk.tables.tables()
    assert standing == LATER
    assert withdrawn.withdrawn is not None and datetime.fromisoformat(withdrawn.withdrawn).utcoffset() is not None
    assert replace(withdrawn, withdrawn=None) == KS4
    with pytest.raises(AlreadyRegistered):
        desk.tables.register(KS4)
    assert desk.tables.table(KS4.id) == withdrawn


def test_a_table_is_withdrawn_once(desk: Desk) -> None:
    desk.tables.register(KS4)
    assert desk.tables.withdraw(KS4.id)
    first = desk.tables.table(KS4.id)
    assert not desk.tables.withdraw(KS4.id)
    assert not desk.tables.withdraw("another")
    assert desk.tables.table(KS4.id) == first


def test_of_many_who_register_an_id_at_once_one_does(desk: Desk) -> None:
    def register(title: str) -> bool:
        try:
            desk.tables.register(replace(KS4, title=title))
        except AlreadyRegistered:
            return False
        return True

    with ThreadPoolExecutor(6) as crew:
        done = list(crew.map(register, "abcdef"))
    assert done.count(True) == 1
    assert [each.title for each in desk.tables.tables()] == ["abcdef"[done.index(True)]]
