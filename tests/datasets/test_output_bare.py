"""Tables without a query: what can be seen in them, and nothing more."""

from __future__ import annotations

import pytest

from datasets.output_check.verdict import Verdict
from tests.lib.outputs import Room, codes, csv_of, of_table, showing_zeros

ROOM = Room([])
GOOD = [["A1", "a", 40], ["A1", "b", "c"], ["A1", "Total", 75], ["A2", "a", "c"], ["A2", "b", "c"], ["A2", "Total", 90],
        ["Total", "a", 85], ["Total", "b", 80], ["Total", "Total", 165]]  # fmt: skip


def bare(rows: list[list[object]], room: Room = ROOM) -> tuple[str, list[str], dict[tuple[int, str], list[str]]]:
    checked = room.check(csv_of(["la", "need", "n"], rows))
    return checked.verdict.value, of_table(checked), codes(checked)


def with_(*changed: tuple[int, object]) -> list[list[object]]:
    """GOOD with other numbers in some lines of the file."""
    values = dict(changed)
    return [[la, need, values.get(i + 2, n)] for i, (la, need, n) in enumerate(GOOD)]


def test_a_bare_table_is_reviewed_at_best() -> None:
    hidden = with_((2, "c"))
    assert bare(hidden) == ("review", ["NoQuery"], {})
    assert bare([["A1", "a", 40]]) == ("review", ["NoQuery"], {})


def test_a_hidden_number_that_is_a_total_less_its_parts_fails() -> None:
    verdict, whole, found = bare(with_())
    assert (verdict, whole) == ("fail", ["NoQuery"])
    assert found == {(line, "n"): ["CanBeWorkedOut"] for line in (3, 5, 6)}, "one line tells the next"


def test_rounded_totals_need_not_add_up_exactly() -> None:
    """Ten numbers that are each rounded: what is hidden among them is still nearly known."""
    _, whole, found = bare(with_((4, 80)))
    assert whole == ["NoQuery"]
    assert (3, "n") in found
    assert bare(with_((4, 300)))[1] == ["NoQuery", "DoesNotAddUp"]


@pytest.mark.parametrize(("value", "expected"), [(3, ["Small"]), (0, ["Zero"]), ("low", ["Small"]), (10, []), (12, [])])
def test_small_counts_and_zeros_are_seen(value: object, expected: list[str]) -> None:
    assert bare([["A1", "a", value], ["A2", "b", 40]])[2].get((2, "n"), []) == expected


def test_zeros_are_let_be_where_the_policy_shows_them() -> None:
    room = Room([], showing_zeros())
    assert bare([["A1", "a", 0], ["A2", "b", 40]], room)[2] == {}


def test_numbers_with_decimals_are_not_taken_for_counts() -> None:
    assert bare([["A1", "a", "0.5"], ["A2", "b", "4.0"]])[2] == {}


def test_a_part_that_is_its_whole_total_fails() -> None:
    rows = [["A1", "a", 40], ["A1", "b", "c"], ["A1", "Total", 40]]
    assert "Full" in bare(rows)[2][2, "n"]
    assert (2, "n") not in bare([["A1", "a", 40], ["A1", "Total", 40]])[2], "there is no other part"


def test_a_table_with_too_much_hidden_is_not_audited() -> None:
    rows = [[f"L{i}", "a", "c"] for i in range(301)]
    assert bare(rows)[:2] == (Verdict.REVIEW, ["NoQuery", "NotAudited"])
