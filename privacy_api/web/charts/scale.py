"""Axes: round numbers to mark, and where they fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from privacy_api.web.charts.figure import Mark


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from low to high, multiples of step, fall on pixels from start to end; end may lie before start."""

    low: float
    high: float
    start: float
    end: float
    step: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers from low to high."""
        first, last = round(self.low / self.step), round(self.high / self.step)
        return [round(self.step * n, 12) for n in range(first, last + 1)]


def scale_of(marks: Sequence[Mark], start: float, end: float, from_zero: bool) -> Scale:
    """Holds every value and interval, with round ends. from_zero: also 0."""
    found = [x for m in marks for x in (m.value, m.lower, m.upper) if x is not None and isfinite(x)]
    low, high = (min([*found, 0.0]), max([*found, 0.0])) if from_zero else (min(found), max(found))
    if low == high:
        low, high = low - 1, high + 1
    step = _step((high - low) / 6)
    return Scale(step * floor(low / step + 1e-9), step * -floor(-high / step + 1e-9), start, end, step)


def _step(least: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** floor(log10(least))
    return next(float(f * power) for f in (1, 2, 2.5, 5, 10) if f * power >= least * (1 - 1e-9))


def number(value: float, places: int | None = None) -> str:
    """At most six digits, or so many decimals; thousands with commas, a minus sign that is one."""
    text = f"{value:,.{places or 0}f}" if abs(value) >= 1000 or places is not None else f"{value:.6g}"
    return text.replace("-", "−")
