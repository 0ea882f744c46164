"""Numeric variables: step, range, clamp and bins, in integer ticks."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from datasets.catalogue_toml.codes import MAX_ATOMS
from datasets.catalogue_toml.table import Table
from datasets.variables import Code, Numbers

MISSING = "missing"
LARGEST = 2**62


def read_numbers(table: Table) -> tuple[Numbers | None, tuple[Code, ...]]:
    """The arithmetic of the variable, and its atoms: none without bins."""
    step = _positive(table, "step", table.get("step", (int, Decimal, str), "the smallest difference, e.g. '0.1'"))
    ends = _pair(table, "range", table.get("range", list, "[lowest, highest]"), step)
    clamp = _pair(table, "clamp", table.get("clamp", list, "[lowest, highest]", None), step) or ends
    optional, unit = table.flag("optional", False), table.text("unit", default="")
    decimals = table.get("decimals", int, "a whole number from 0 to 9", None)
    edges = _bins(table, step, ends)
    if step is None or ends is None or clamp is None:
        return None, ()
    if not ends[0] <= clamp[0] < clamp[1] <= ends[1]:
        table.refuse("clamp", "wants to lie within the range")
    if decimals is not None and not 0 <= decimals <= 9:
        table.refuse("decimals", "wants a whole number from 0 to 9")
    places = max(0, -int(step.normalize().as_tuple().exponent))
    shown = places + 1 if decimals is None else decimals
    made = Numbers(step, ends[0], ends[1], clamp, edges, optional, unit, shown)
    return made, atoms_of(made) if edges else ()


def _pair(table: Table, key: str, raw: Any, step: Decimal | None) -> tuple[int, int] | None:
    ticks = read_ticks(table, key, raw, step)
    if ticks is None:
        return None
    if len(ticks) != 2 or ticks[0] >= ticks[1]:
        table.refuse(key, "wants [lowest, highest], rising")
        return None
    return ticks[0], ticks[1]


def _bins(table: Table, step: Decimal | None, ends: tuple[int, int] | None) -> tuple[int, ...]:
    raw = table.get("bins", dict, "a table: width, or edges", None)
    if raw is None or ends is None:
        return ()
    bins = table.table("bins", raw)
    if bins.has("width"):
        width = read_ticks(bins, "width", [bins.get("width", (int, Decimal, str), "a number")], step)
        bins.close()
        if width is None or width[0] < 1 or (ends[1] - ends[0]) // width[0] > MAX_ATOMS:
            bins.refuse("width", f"wants a multiple of step, above 0, giving at most {MAX_ATOMS} bins")
            return ()
        return (*range(ends[0], ends[1], width[0]), ends[1])
    edges = read_edges(bins, "edges", step)
    bins.close()
    if not edges or (edges[0], edges[-1]) != ends:
        bins.refuse("edges", "wants a rising list from the lowest to the highest value of the range")
        return ()
    return edges


def read_edges(table: Table, key: str, step: Decimal | None) -> tuple[int, ...]:
    """A rising list of two or more; () otherwise, and then the caller says what it wants."""
    edges = read_ticks(table, key, table.get(key, list, "a rising list of numbers"), step) or ()
    return edges if len(edges) > 1 and list(edges) == sorted(set(edges)) else ()


def _positive(table: Table, key: str, raw: Any) -> Decimal | None:
    try:
        value = None if raw is None else Decimal(raw)
    except (ArithmeticError, ValueError):
        value = Decimal("NaN")
    if value is not None and not (value.is_finite() and 0 < value < LARGEST and value.adjusted() > -20):
        table.refuse(key, "wants a number above 0, of at most 20 decimal places")
        return None
    return value


def read_ticks(table: Table, key: str, raw: Any, step: Decimal | None) -> tuple[int, ...] | None:
    """Numbers as multiples of step; None where there are none, with a problem where they are no multiples."""
    if not isinstance(raw, list) or step is None or raw == [None]:
        return None
    try:
        ticks = [Decimal(item) / step for item in raw if not isinstance(item, bool)]
    except (ArithmeticError, TypeError, ValueError):
        ticks = []
    if not raw or len(ticks) != len(raw) or any(not t.is_finite() or abs(t) >= LARGEST or t % 1 for t in ticks):
        table.refuse(key, "wants numbers that are multiples of step, fewer than 2^62 steps from 0")
        return None
    return tuple(int(t) for t in ticks)


def interval(numbers: Numbers, low: int, high: int) -> Code:
    """ "5 to <6"; the top one, which holds its upper end too, "6 to 8"."""
    values = ((numbers.step * t).normalize() for t in (low, high))
    a, b = (f"{value:f}" if value >= 0 else f"({value:f})" for value in values)
    text = f"{a} to {b}" if high == numbers.highest else f"{a} to <{b}"
    return Code(text, text)


def atoms_of(numbers: Numbers) -> tuple[Code, ...]:
    """The bins, then "missing" where the number is optional."""
    spans = tuple(interval(numbers, a, b) for a, b in pairwise(numbers.edges))
    return (*spans, Code(MISSING, "Missing")) if numbers.optional else spans
