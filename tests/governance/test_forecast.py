from __future__ import annotations

from datetime import date, timedelta

import pytest

from privacy_api.governance.forecast import WINDOW, forecast
from privacy_api.ports import Balance, Day

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
