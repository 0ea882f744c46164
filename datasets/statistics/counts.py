"""Numbers that are counts: of rows, of pupils, of rows in each band."""

from __future__ import annotations

import math

from datasets.statistics.recipe import Draws, Statistic, Subject, Takes, one_bin_each
from disclosure.accuracy import Floats
from disclosure.aggregates import Aggregate, Count, DistinctCount


def _released(draws: Draws, subject: Subject) -> Floats:
    (values,) = draws.values()
    return values


def _count(name: str, summary: str, aggregate: Aggregate, unit: str) -> Statistic:
    return Statistic(
        name=name,
        summary=summary,
        takes=Takes.ROWS,
        needs=lambda subject: (aggregate,),
        finish=_released,
        unit=lambda subject: unit,
        decimals=lambda subject: 0,
        bounds=lambda subject: (0, math.inf),
        is_count=True,
    )


COUNT = _count("count", "rows of the data set", Count(), "rows")
PUPILS = _count("pupils", "distinct pupils", DistinctCount(), "pupils")
HISTOGRAM = Statistic(
    name="histogram",
    summary="rows in each code or band of a variable",
    takes=Takes.DOMAIN,
    needs=lambda subject: (one_bin_each(subject),),
    finish=_released,
    unit=lambda subject: "rows",
    decimals=lambda subject: 0,
    bounds=lambda subject: (0, math.inf),
    outputs=lambda subject: subject.codes,
    is_count=True,
)
