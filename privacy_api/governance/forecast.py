"""How long a budget lasts at the present rate. From the ledger's days alone; nothing is decided by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from privacy_api.governance.dates import in_words
from privacy_api.ports import Balance, Day, Spending

WINDOW = 28
"""Days that the present rate is taken over."""
FOREVER = 3_650
DATE = 10
"""Characters of an ISO 8601 instant that are its date."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """per_day: nano-ρ spent a day, on average over the last `over` days. days_left, ends: None where nothing is being
    spent, or it would last ten years."""

    left: int
    per_day: float
    over: int
    days_left: int | None
    ends: date | None

    @property
    def plain(self) -> str:
        if self.left == 0:
            return "Nothing is left: what was measured is answered, nothing new is."
        if self.days_left is None or self.ends is None:
            return (
                "At the present rate it lasts for more than ten years." if self.per_day else "Nothing is being spent."
            )
        days = f"{self.days_left} days" if self.days_left != 1 else "1 day"
        last = "day" if self.over == 1 else f"{self.over} days"
        return f"At the rate of the last {last} it lasts {days}, until {in_words(self.ends)}."


def forecast(days: Sequence[Day], balance: Balance, today: date) -> Forecast:
    """days: oldest first, as the ledger has them; those of the window are enough."""
    spent = {date.fromisoformat(day.date): day.nano_rho for day in days}
    recent = [day for day in spent if today - timedelta(days=WINDOW) < day <= today]
    # A budget that is younger than the window has its rate over its own life.
    over = WINDOW if any(day <= today - timedelta(days=WINDOW) for day in spent) else _life(recent, today)
    per_day = sum(spent[day] for day in recent) / over
    lasts = balance.left // per_day if per_day else float("inf")
    known = lasts < FOREVER
    ends = today + timedelta(days=int(lasts)) if known else None
    return Forecast(balance.left, per_day, over, int(lasts) if known else None, ends)


def days_of(charges: Sequence[Spending]) -> list[Day]:
    """The same of one project or person, whose charges come newest first."""
    found: dict[str, list[Spending]] = {}
    for charge in reversed(charges):
        found.setdefault(charge.at[:DATE], []).append(charge)
    return [Day(day, len(each), sum(c.nano_rho for c in each), each[-1].so_far) for day, each in found.items()]


def _life(recent: Sequence[date], today: date) -> int:
    return (today - min(recent)).days + 1 if recent else WINDOW
