"""Ticks and bins against a computation in Decimal that shares nothing with theirs."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from datasets.ingest.rules import Fault
from datasets.ingest.ticks import bin_of, tick_of
from datasets.variables import Numbers

STEPS = [Decimal(s) for s in ("1", "0.5", "0.1", "0.25", "0.001", "3", "10", "0.3", "1E+2")]


def _numbers(step: Decimal, lowest: int, highest: int, edges: tuple[int, ...] = ()) -> Numbers:
    return Numbers(step, lowest, highest, (lowest, highest), edges, False, "", 0)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Numbers on and off any grid, in all spellings, up to 40 decimals."""
    sign = draw(st.sampled_from(["", "+", "-"]))
    whole = draw(st.integers(0, 10**6).map(str)) if draw(st.booleans()) else ""
    digits = "" if not whole and draw(st.booleans()) else draw(st.text("0123456789", max_size=40))
    point = "." if digits or draw(st.booleans()) else ""
    exponent = draw(st.sampled_from(["", "e0", "E-3", "e+2", "e2", "E-15"]))
    text = f"{whole}{point}{digits}"
    return sign + ("0" + text if not whole and not digits else text) + exponent


@given(texts(), st.sampled_from(STEPS))
def test_tick_is_the_rounded_quotient(text: str, step: Decimal) -> None:
    with localcontext(prec=200):
        value = Decimal(text)
        expected = int((value / step).quantize(Decimal(1), ROUND_HALF_UP))
        on_grid = value == expected * step
        # 3 and 0.3 do not divide decimals: there the quotient's 200 digits are far beyond any half.
        assert tick_of(text, _numbers(step, -(10**12), 10**12)) == (Fault.NONE if on_grid else Fault.ROUNDED, expected)


@given(st.integers(-(10**6), 10**6), st.sampled_from(STEPS))
def test_ticks_on_the_grid_are_exact(tick: int, step: Decimal) -> None:
    assert tick_of(f"{tick * step:f}", _numbers(step, -(10**6), 10**6)) == (Fault.NONE, tick)


@given(st.integers(-1000, 1000), st.sampled_from(STEPS))
def test_halves_go_away_from_zero(tick: int, step: Decimal) -> None:
    half = (tick + Decimal("0.5")) * step
    assert tick_of(str(half), _numbers(step, -(10**6), 10**6)) == (Fault.ROUNDED, tick + 1 if tick >= 0 else tick)


@given(texts(), st.integers(-50, 50), st.integers(0, 50))
def test_the_value_must_lie_in_the_range(text: str, lowest: int, width: int) -> None:
    step, highest = Decimal("0.1"), lowest + width
    fault, tick = tick_of(text, _numbers(step, lowest, highest))
    inside = lowest * step <= Decimal(text) <= highest * step
    assert (fault is not Fault.OUT_OF_RANGE) == inside
    assert tick is None or lowest <= tick <= highest


@given(st.lists(st.integers(-100, 100), min_size=2, unique=True).map(sorted), st.data())
def test_bins_are_half_open_and_the_last_is_closed(edges: list[int], data: st.DataObject) -> None:
    tick = data.draw(st.integers(edges[0], edges[-1]))
    at = bin_of(tick, _numbers(Decimal(1), edges[0], edges[-1], tuple(edges)))
    assert edges[at] <= tick < edges[at + 1] or (at == len(edges) - 2 and tick == edges[-1])


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_fault(text: str) -> None:
    fault, tick = tick_of(text, _numbers(Decimal(1), -10, 10))
    assert (tick is None) == (fault not in (Fault.NONE, Fault.ROUNDED))
