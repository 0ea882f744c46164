"""Numbers of registered tables less each other: what an attacker could work out is not released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasets.engines.memory import Row
from privacy_api.errors import ApiError
from tests.http.test_registered_tables import COUNT, ONE_YEAR, released
from tests.lib.service import OPEN_OFFICIAL, running

HISTOGRAM = {"statistic": "histogram", "variable": "sex"}
WITHOUT_D = {"need": {"in": ["a", "b", "c"]}}
Counts = dict[tuple[int, int, int], int]
"""(LA, need, sex) → pupils."""


def rows_of(counts: Counts) -> list[Row]:
    cells = [cell for cell, count in counts.items() for _ in range(count)]
    return [
        Row(i, {"year": 0, "la": la, "need": need, "sex": sex, "score": 0}, {"score": 0, "days": 0})
        for i, (la, need, sex) in enumerate(cells)
    ]


def many() -> Counts:
    """Many pupils of four needs and two sexes in every LA."""
    return {(la, need, sex): 200 + 10 * la + 7 * need for la in range(5) for need in range(4) for sex in range(2)}


def whose(**filters: Any) -> dict[str, Any]:
    return {"criteria": {"and": [ONE_YEAR, *({"filters": {name: each}} for name, each in filters.items())]}}


BY_LA = {"measures": [COUNT], "groupBy": ["la"]}
BY_NEED = {"measures": [COUNT], "groupBy": ["la", "need"]}
FOUR_NEEDS = {"need": {"in": ["a", "b", "c", "d"]}}
BUT_A = BY_LA | whose(need={"in": ["b", "c", "d"]})
FIVE = many() | {(0, 2, 0): 3, (0, 2, 1): 2, (0, 0, 0): 30, (0, 0, 1): 31}
"""Five pupils of need c in the first LA; those of need a are hidden for their sake."""
FEW = {
    "a code that counts are split by": (
        many() | {(0, 3, 0): 1},
        {"measures": [HISTOGRAM], "groupBy": ["la"]} | whose(**FOUR_NEEDS),
        {"measures": [HISTOGRAM], "groupBy": ["la"]} | whose(**WITHOUT_D),
    ),
    "a population that lies in a part of a table": (
        many() | {(0, 3, 0): 1},
        {"measures": [COUNT], "groupBy": ["la", "sex"]} | whose(**FOUR_NEEDS),
        BY_LA | whose(**WITHOUT_D, sex={"eq": "F"}),
    ),
    "nobody": (
        many() | {(0, 3, 0): 0, (0, 3, 1): 0},
        BY_LA | whose(**FOUR_NEEDS),
        BY_LA | whose(**WITHOUT_D),
    ),
    "several cells that one of them has": (
        many(),
        BY_NEED | whose(**FOUR_NEEDS),
        BY_LA | whose(need={"in": ["a", "d"]}),
    ),
}


@pytest.mark.parametrize("case", FEW)
@pytest.mark.parametrize("turned", [False, True])
def test_two_tables_that_tell_a_hidden_number_together_are_not_both_released(
    case: str, turned: bool, tmp_path: Path
) -> None:
    counts, *questions = FEW[case]
    first, second = questions[::-1] if turned else questions
    with running(tmp_path, rows_of(counts), OPEN_OFFICIAL) as service:
        released(service, "first", first)
        with pytest.raises(ApiError) as refused:
            released(service, "second", second)
        assert refused.value.code.slug == "cannot-protect"


def test_a_population_is_not_released_whose_rest_was_hidden(tmp_path: Path) -> None:
    with running(tmp_path, rows_of(FIVE), OPEN_OFFICIAL) as service:
        table = released(service, "first", BY_NEED | whose(**FOUR_NEEDS))
        assert {row["need"] for row in table["results"] if row["la"] == "A1" and row["status"] == "c"} >= {"a", "c"}
        with pytest.raises(ApiError) as refused:
            released(service, "second", BUT_A)
        assert "differs by a few" in refused.value.detail


def test_what_two_tables_tell_together_hides_nothing_in_a_third(tmp_path: Path) -> None:
    """Everybody, and everybody without need a: so it is known how many have need a, and others are hidden with c."""
    with running(tmp_path, rows_of(FIVE), OPEN_OFFICIAL) as service:
        released(service, "all", BY_LA | whose(**FOUR_NEEDS))
        released(service, "but-a", BUT_A)
        table = released(service, "by-need", BY_NEED | whose(**FOUR_NEEDS))
        first = {row["need"]: row["status"] for row in table["results"] if row["la"] == "A1"}
        assert first["c"] == "c"
        assert first["a"] == ""
        assert "c" in {first["b"], first["d"]}


@pytest.mark.parametrize("turned", [False, True])
def test_two_tables_that_tell_only_large_numbers_are_both_released(turned: bool, tmp_path: Path) -> None:
    questions = [BY_NEED | whose(**FOUR_NEEDS), BY_LA | whose(**WITHOUT_D)]
    with running(tmp_path, rows_of(many()), OPEN_OFFICIAL) as service:
        for name, question in enumerate(questions[::-1] if turned else questions):
            assert {row["status"] for row in released(service, f"t{name}", question)["results"]} <= {"", "z"}
