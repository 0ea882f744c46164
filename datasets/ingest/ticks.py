"""Numbers as integer ticks of a variable's step, exact at any length of decimals."""

from __future__ import annotations

import re
from bisect import bisect_right
from decimal import Decimal

from datasets.ingest.rules import Fault
from datasets.variables import Numbers

# Figures and exponent are bounded: 1e999999999 is a short text and a very long integer.
NUMBER = re.compile(r"(?=.{1,400}\Z)[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def tick_of(text: str, numbers: Numbers) -> tuple[Fault, int | None]:
    """round(value / step), halves away from zero. The value itself, not the tick, must lie in the range."""
    if not NUMBER.fullmatch(text):
        return (Fault.NOT_FINITE if NOT_FINITE.fullmatch(text) else Fault.NOT_A_NUMBER), None
    top, bottom = Decimal(text).as_integer_ratio()
    step_top, step_bottom = numbers.step.as_integer_ratio()
    top, bottom = top * step_bottom, bottom * step_top
    if not numbers.lowest * bottom <= top <= numbers.highest * bottom:
        return Fault.OUT_OF_RANGE, None
    size = (2 * abs(top) + bottom) // (2 * bottom)
    return (Fault.ROUNDED if top % bottom else Fault.NONE), size if top >= 0 else -size


def bin_of(tick: int, numbers: Numbers) -> int:
    """The atom of a tick within the range: bins are [edge, next), the last one closed."""
    return min(bisect_right(numbers.edges, tick), len(numbers.edges) - 1) - 1
