"""Numbers that are counts: of rows, of pupils, of the codes that occur, of rows in each band."""

from __future__ import annotations

import math
from collections.abc import Callable

from datasets.statistics.recipe import Draws, Need, Statistic, Subject, Takes, one_bin_each, one_number, shown_codes
from datasets.variables import Code
from disclosure.aggregates import Count, DistinctCount
from disclosure.tables import Floats


def _count(
    name: str,
    summary: str,
    takes: Takes,
    need: Callable[[Subject], Need],
    unit: Callable[[Subject], str],
    outputs: Callable[[Subject], tuple[Code, ...]] = one_number,
    adds_up: bool = True,
) -> Statistic:
    def released(draws: Draws, subject: Subject) -> Floats:
        return draws[need(subject)]

    return Statistic(
        name=name,
        summary=summary,
        takes=takes,
        needs=lambda subject: (need(subject),),
        finish=released,
        unit=unit,
        decimals=lambda subject: 0,
        bounds=lambda subject: (0, math.inf),
        outputs=outputs,
        is_count=True,
        adds_up=adds_up,
    )


COUNT = _count("count", "rows of the data set", Takes.ROWS, lambda subject: Count(), lambda subject: "rows")
PUPILS = _count(
    "pupils", "distinct pupils", Takes.ROWS, lambda subject: DistinctCount(), lambda subject: "pupils", adds_up=False
)
DISTINCT = _count(
    "distinct",
    "distinct codes of a variable that occur, e.g. schools",
    Takes.DOMAIN,
    lambda subject: DistinctCount(subject.named.name),
    lambda subject: subject.named.label,
    adds_up=False,
)
HISTOGRAM = _count(
    "histogram",
    "rows in each code or band of a variable",
    Takes.DOMAIN,
    one_bin_each,
    lambda subject: "rows",
    shown_codes,
)
