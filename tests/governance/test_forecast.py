from __future__ import annotations

from datetime import date, timedelta

import pytest

from privacy_api.governance.forecast import WINDOW, days_of, forecast
from privacy_api.ports import Balance, Day, Spending

TODAY = date(2026, 3, 31)


def spent(*amounts: tuple[int, int]) -> list[Day]:
    """(days ago, nano-ρ), oldest first."""
    return [Day((TODAY - timedelta(days=ago)).isoformat(), 1, nano, 0) for ago, nano in amounts]


@pytest.mark.parametrize(
    ("days", "left", "per_day", "over", "days_left"),
    [
        (spent((40, 5), (10, 28), (0, 28)), 20, 2.0, WINDOW, 10),
        (spent((3, 10), (0, 30)), 100, 10.0, 4, 10),
        (spent((0, 30)), 100, 30.0, 1, 3),
        (spent((40, 5)), 100, 0.0, WINDOW, None),
        ([], 100, 0.0, WINDOW, None),
        (spent((27, 1)), 10**9, 1 / 28, 28, None),
        (spent((1, 10)), 0, 5.0, 2, 0),
    ],
)
def test_the_present_rate(days: list[Day], left: int, per_day: float, over: int, days_left: int | None) -> None:
    found = forecast(days, Balance(1000, 1000 - left) if left < 1000 else Balance(left, 0), TODAY)
    assert (found.left, found.per_day, found.over, found.days_left) == (left, pytest.approx(per_day), over, days_left)
    assert found.ends == (None if days_left is None else TODAY + timedelta(days=days_left))
    assert found.plain.endswith(".")


def test_a_clock_that_was_set_back_does_not_matter() -> None:
    found = forecast(spent((-5, 100), (0, 10)), Balance(100, 50), TODAY)
    assert (found.per_day, found.days_left) == (10.0, 5)


def test_the_days_of_a_project_are_those_of_its_charges() -> None:
    ats, costs = ("2026-03-31T09:00:00+00:00", "2026-03-31T08:00:00+00:00", "2026-03-29T08:00:00+00:00"), (7, 5, 30)
    newest_first = [
        Spending(at, "demo", "p", "k", f"r{n}", "{}", cost, so_far, True)
        for n, (at, cost, so_far) in enumerate(zip(ats, costs, (42, 35, 30), strict=True))
    ]
    found = days_of(newest_first)
    assert found == [Day("2026-03-29", 1, 30, 30), Day("2026-03-31", 2, 12, 42)]
    assert forecast(found, Balance(100, 42), TODAY).days_left == 4, "42 in three days, 58 are left"
    assert forecast([], Balance(100, 0), TODAY).plain == "Nothing is being spent."
    assert "rate of the last day it lasts 1 day" in forecast(spent((0, 30)), Balance(60, 30), TODAY).plain
