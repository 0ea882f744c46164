"""Items of check boxes, radios and selects, as the GOV.UK macros want them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from datasets.statistics import Statistic
from datasets.variables import Code
from privacy_api.web.asking.measure_words import statistic_words
from privacy_api.web.asking.offer import Offered
from privacy_api.web.charts.scale import number

Item = dict[str, Any]
FIRST = ("count", "pupils", "percentage", "mean", "median", "distribution", "sum", "rate")
"""Statistics that most people look for."""


def boxes(codes: Iterable[Code], chosen: Sequence[str]) -> list[Item]:
    return [{"value": code.code, "text": code.label, "checked": code.code in chosen} for code in codes]


def choices(offered: Iterable[Offered], chosen: str, may_be_empty: bool = True) -> list[Item]:
    first = [{"value": "", "text": "Choose"}] if may_be_empty else []
    return [*first, *({"value": o.reference, "text": o.label, "selected": o.reference == chosen} for o in offered)]


def total_boxes(totals: Iterable[tuple[str, str]], chosen: Iterable[Sequence[str]]) -> list[Item]:
    ticked = {",".join(total) for total in chosen}
    # An empty value would not be sent by every browser: the grand total is a comma, which names nothing.
    return [{"value": value or ",", "text": words, "checked": value in ticked} for value, words in totals]


def statistic_radios(offered: Iterable[Statistic]) -> list[Item]:
    known = sorted(offered, key=lambda s: FIRST.index(s.name) if s.name in FIRST else len(FIRST))
    return [{"value": s.name, "text": statistic_words(s.name), "hint": {"text": _capital(s.summary)}} for s in known]


def code_items(codes: Sequence[Code], place: int, chosen: Sequence[str]) -> list[Item]:
    """Of a select; without a choice each of several starts at another code."""
    ticked = chosen[place] if place < len(chosen) else codes[min(place, len(codes) - 1)].code
    return [{"value": c.code, "text": c.label, "selected": c.code == ticked} for c in codes]


def term_boxes(terms: Iterable[Offered], chosen: Sequence[str]) -> list[Item]:
    return [{"value": t.reference, "text": t.label, "checked": t.reference in chosen} for t in terms]


def margin(value: float | None) -> str:
    """Of an interval; None where the noise would leave nothing to say."""
    return "no number" if value is None else f"±{number(value)}"


def percents(probabilities: Sequence[Any]) -> str:
    return ", ".join(f"{100 * float(p):g}" for p in probabilities)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
