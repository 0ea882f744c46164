"""Released tables of one scope: each is protected with regard to all those before it, or is not stored."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.official.released import ReleasedCells
from privacy_api.ports import InProgress, LedgerBroken, ReleasedTable, Reserved
from privacy_api.stores.packing import UNREADABLE, Packed, PackedTable, digest, pack_table, unpack_table
from privacy_api.stores.schema import official_tables

from .cases import EXETER, LEEDS, Desk, asking, behind_its_back, body_of, measured, released_table, start_afresh
from .processes import OVERTAKEN, STORED, barrier, release_many, release_together, started

SCOPE = "npd-2024/3/pupils"


def reserved(desk: Desk, release: str, scope: str = SCOPE) -> Reserved:
    return desk.ledger.reserve(asking(release, {release: 0}, scope=scope))


def names(tables: tuple[ReleasedTable, ...]) -> list[str]:
    return [json.loads(each.population)["release"] for each in tables]


def test_a_reservation_brings_every_table_of_its_scope_oldest_first(desk: Desk) -> None:
    for release in ("r3", "r1", "r2"):
        desk.answered(asking(release, {release: 0}, scope=SCOPE))
    found = reserved(desk, "r4")
    assert names(found.earlier) == ["r3", "r1", "r2"]
    given = released_table("r1")
    assert found.earlier[1].population == given.population
    np.testing.assert_array_equal(found.earlier[1].cells.keys, given.cells.keys)
    np.testing.assert_array_equal(found.earlier[1].cells.hidden, given.cells.hidden)
    assert desk.ledger.verify() == 7


def test_another_scope_and_none_know_nothing_of_it(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 0}, scope=SCOPE))
    assert reserved(desk, "r2", "npd-2024/4/pupils").earlier == ()
    assert desk.ledger.reserve(asking("r3", {"c": 10})).earlier == ()


def test_what_is_free_comes_with_the_tables_too_and_stores_none(desk: Desk) -> None:
    desk.answered(asking("r1", {"a": 0}, scope=SCOPE))
    free = desk.ledger.reserve(asking("r2", {"a": 0}, LEEDS, scope=SCOPE))
    assert (free.charge, names(free.earlier)) == (None, ["r1"])
    with pytest.raises(ValueError, match="nothing else"):
        desk.ledger.store(free, {}, b"{}", released_table("r2"))
    assert desk.ledger.store(free, {}, b"{}").id == "r2"
    assert names(reserved(desk, "r3").earlier) == ["r1"]


def test_a_table_is_stored_where_it_is_wanted_and_nowhere_else(desk: Desk) -> None:
    official, noisy = reserved(desk, "r1"), reserved(desk, "r2", scope="")
    before = desk.rows()
    with pytest.raises(ValueError, match="scope"):
        desk.ledger.store(official, measured(official), b"{}")
    with pytest.raises(ValueError, match="scope"):
        desk.ledger.store(noisy, measured(noisy), b"{}", released_table("r2"))
    assert desk.rows() == before
    assert desk.ledger.release("r1") is desk.ledger.release("r2") is None
    assert [desk.stored(each).id for each in (official, noisy)] == ["r1", "r2"]


def test_a_table_that_was_overtaken_is_not_stored(desk: Desk) -> None:
    slow, quick = reserved(desk, "r1"), reserved(desk, "r2")
    desk.stored(quick)
    with pytest.raises(InProgress):
        desk.stored(slow)
    assert desk.kinds() == ["charge", "charge", "release", "failed"]
    assert desk.ledger.release("r1") is None
    again = reserved(desk, "r1")
    assert names(again.earlier) == ["r2"], "its question is free again, and the other table known"
    desk.stored(again)
    assert names(reserved(desk, "r3").earlier) == ["r2", "r1"]
    assert desk.ledger.verify() == 7


def test_an_overtaken_table_cannot_be_stored_by_trying_again(desk: Desk) -> None:
    slow = reserved(desk, "r1")
    desk.answered(asking("r2", {"b": 0}, scope=SCOPE))
    for _ in range(2):
        with pytest.raises(InProgress):
            desk.stored(slow)
    assert desk.kinds().count("failed") == 1
    assert names(reserved(desk, "r3").earlier) == ["r2"]


def test_who_stores_second_gets_the_release_that_was_stored_first(desk: Desk) -> None:
    first, second = (desk.ledger.reserve(asking("r1", {each: 0}, scope=SCOPE)) for each in "ab")
    assert desk.stored(first) == desk.stored(second) == desk.stored(first)
    assert desk.kinds() == ["charge", "charge", "release", "failed"]
    assert names(reserved(desk, "r2").earlier) == ["r1"]


@pytest.mark.parametrize("other", ["npd-2024/4/pupils", ""])
def test_what_is_stored_in_another_scope_overtakes_nothing(desk: Desk, other: str) -> None:
    slow = reserved(desk, "r1")
    desk.answered(asking("r2", {"b": 0}, scope=other))
    assert desk.stored(slow).id == "r1"


def test_a_failure_in_the_same_scope_overtakes_nothing(desk: Desk) -> None:
    slow = reserved(desk, "r1")
    desk.ledger.fail(reserved(desk, "r2"))
    assert desk.stored(slow).id == "r1"


def test_of_processes_that_store_at_once_one_does(desk: Desk) -> None:
    for turn in range(2):
        together = barrier(2)
        arguments = ((desk.url, desk.anchor, SCOPE, f"{name}{turn}", together) for name in "ab")
        crew = [started(release_together, *each) for each in arguments]
        for each in crew:
            each.join()
        assert sorted(each.exitcode or 0 for each in crew) == [STORED, OVERTAKEN]
    assert all_known(reserved(desk, "r9").earlier)
    assert desk.ledger.verify() == 2 * 4 + 1


def test_processes_of_two_scopes_do_not_hinder_each_other(desk: Desk) -> None:
    """And the control of `all_known`: were the two scopes one, neither table would have known the other."""
    together = barrier(2)
    crew = [started(release_together, desk.url, desk.anchor, scope, scope, together) for scope in "xy"]
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [STORED] * 2
    tables = [reserved(desk, f"r{scope}", scope).earlier for scope in "xy"]
    assert all(all_known(each) for each in tables)
    assert not all_known(tables[0] + tables[1])


def test_every_table_knows_all_before_it_whoever_stores_at_once(desk: Desk) -> None:
    crew = [started(release_many, desk.url, desk.anchor, SCOPE, name, 4) for name in "abc"]
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [0] * 3
    tables = reserved(desk, "r9").earlier
    assert len(set(names(tables))) == len(tables) == 12
    assert all_known(tables)
    assert desk.kinds().count("release") == 12
    desk.ledger.verify()


def all_known(tables: tuple[ReleasedTable, ...]) -> bool:
    """Did every table know just those before it?"""
    found = [json.loads(each.population) for each in tables]
    return all(each["knows"] == [other["release"] for other in found[:n]] for n, each in enumerate(found))


@pytest.mark.parametrize("part", ["keys", "hidden"])
def test_an_unreadable_table_is_not_taken_for_none(desk: Desk, part: str) -> None:
    desk.answered(asking("r1", {"a": 0}, scope=SCOPE))
    before = desk.rows()
    with behind_its_back(desk.url) as connection:
        connection.execute(official_tables.update().values(**{part: zlib.compress(b"not what it was")}))
    with pytest.raises(LedgerBroken, match="rolled back or edited"):
        reserved(desk, "r2")
    assert desk.rows() == before


cells = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.booleans()), max_size=40)


@given(cells, st.text(st.characters(codec="utf-8")))
def test_any_table_comes_back_from_its_bytes(content: list[tuple[int, bool]], population: str) -> None:
    keys, hidden = (np.array([each[n] for each in content], kind) for n, kind in enumerate((np.uint64, np.bool_)))
    packed = pack_table(SCOPE, ReleasedTable(population, ReleasedCells(keys, hidden)))
    assert zlib.decompress(packed.keys) == b"".join(key.to_bytes(8, "little") for key, _ in content)
    found = unpack_table(packed)
    assert found.population == population
    np.testing.assert_array_equal(found.cells.keys, keys)
    np.testing.assert_array_equal(found.cells.hidden, hidden)
    assert not found.cells.keys.flags.writeable and not found.cells.hidden.flags.writeable


THREE = zlib.compress(bytes(24))
BITS = zlib.compress(b"\xa0")


@pytest.mark.parametrize(
    ("keys", "hidden"),
    [
        (zlib.compress(bytes(23)), BITS),
        (THREE[:-1], BITS),
        (THREE + b"x", BITS),
        (THREE, BITS[:-1]),
        (THREE, BITS + b"x"),
        (THREE, zlib.compress(b"")),
        (THREE, zlib.compress(b"\xa0\x00")),
        (THREE, zlib.compress(b"\xb0")),
        (b"", BITS),
        (THREE, b""),
        (b"x", BITS),
    ],
)
def test_other_bytes_are_not_a_table(keys: bytes, hidden: bytes) -> None:
    assert unpack_table(PackedTable(SCOPE, "{}", THREE, BITS)).cells.hidden.tolist() == [True, False, True]
    with pytest.raises(UNREADABLE):
        unpack_table(PackedTable(SCOPE, "{}", keys, hidden))


@pytest.mark.parametrize(
    ("keys", "hidden"),
    [
        (np.zeros(2, np.int64), np.zeros(2, np.bool_)),
        (np.zeros((2, 1), np.uint64), np.zeros((2, 1), np.bool_)),
        (np.zeros(2, np.uint64), np.zeros(3, np.bool_)),
        (np.zeros(2, np.uint64), np.zeros(2, np.uint8)),
    ],
)
def test_cells_are_keys_with_a_flag_each(keys: np.ndarray, hidden: np.ndarray) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="want"):
        ReleasedCells(keys, hidden)


def part(content: bytes) -> bytes:
    return len(content).to_bytes(8, "little") + content


def test_what_has_no_table_is_hashed_as_before_there_were_any() -> None:
    """The first two versions' digest, written out."""
    made = [Packed("b", 7, 2.5, b"cells", b"masked", "gaussian"), Packed("a", 0, 0.0, b"1", b"", "none")]
    text = part(b"body") + part(b"a") + part(b"0") + struct.pack("<d", 0.0) + part(b"1") + part(b"")
    text += part(b"b") + part(b"7") + struct.pack("<d", 2.5) + part(b"cells") + part(b"masked")
    assert digest(b"body", made) == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("changed", ["scope", "population", "keys", "hidden"])
def test_the_digest_covers_every_part_of_a_table(changed: str) -> None:
    table = PackedTable("s", "p", b"k", b"h")
    other = replace(table, **{changed: type(getattr(table, changed))()})
    assert len({digest(b"body", []), digest(b"body", [], table), digest(b"body", [], other)}) == 3
    moved = PackedTable("sp", "", b"kh", b"")
    assert digest(b"body", [], moved) != digest(b"body", [], table)


@dataclass
class Model:
    """What is stored in each scope, and how much of it each reservation knows."""

    stored: dict[str, list[str]] = field(default_factory=lambda: {"x": [], "y": [], "": []})

    def stores(self, each: Reserved) -> bool:
        scope, release = each.request.scope, each.request.release
        if names(each.earlier) != self.stored[scope]:
            return False
        self.stored[scope] += [release] if scope else []
        return True


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["x", "x", "y", "", "store", "fail"]), st.integers(0, 5)), max_size=20))
def test_the_ledger_agrees_with_lists_of_tables(desk: Desk, steps: list[tuple[str, int]]) -> None:
    start_afresh(desk.url, EXETER)
    desk.anchor.unlink(missing_ok=True)
    model, under_way = Model(), list[Reserved]()
    for place, (word, which) in enumerate(steps):
        if word in model.stored:
            under_way.append(reserved(desk, f"r{place}", word))
            assert names(under_way[-1].earlier) == model.stored[word]
        elif under_way:
            each = under_way.pop(which % len(under_way))
            finish(desk, model, word, each)
    assert desk.ledger.verify() == len(desk.rows())


def finish(desk: Desk, model: Model, how: str, each: Reserved) -> None:
    if how == "fail":
        desk.ledger.fail(each)
    elif model.stores(each):
        assert desk.stored(each).body == body_of(each.request.release)
    else:
        with pytest.raises(InProgress):
            desk.stored(each)
        assert desk.ledger.release(each.request.release) is None
