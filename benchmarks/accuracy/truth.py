"""What the prepared files say, by DuckDB, and how far an answer is from it. Run in every environment."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from benchmarks.accuracy.questions import Ask, Kind, Over, Question

Cells = Mapping[tuple[str, ...], float]


def _select(ask: Ask) -> list[str]:
    match ask.kind:
        case Kind.COUNT:
            return ["count(*)"]
        case Kind.MEAN:
            return [f"avg({ask.of})"]
        case Kind.SHARE:
            return [f"100 * avg(({ask.of} = 'yes')::int)"]
        case Kind.SD:
            return [f"coalesce(stddev_samp({ask.of}), 0)"]
        case Kind.QUANTILE:
            return [f"quantile_cont({ask.of}, {p})" for p in ask.probabilities]


def truth(file: str | Path, ask: Ask) -> Cells:
    """Every cell in which there is anybody. A quantile's probability is the last part of its key."""
    select, labels = _select(ask), ask.probabilities or ("",)
    sql = f"select {', '.join([*ask.by, *select])} from read_parquet(?) group by all"
    with duckdb.connect() as connection:
        rows = connection.execute(sql, [str(file)]).fetchall()
    places = len(ask.by)
    return {
        (*map(str, row[:places]), *((label,) if label else ())): float(value)
        for row in rows
        for label, value in zip(labels, row[places:], strict=True)
    }


def settled(ask: Ask, value: float | None) -> float:
    """An estimate brought into its bounds, which is free; with none, the middle of them (a count: 0)."""
    bounds = ask.bounds
    if bounds is None:
        return 0.0 if value is None else value
    if value is None or math.isnan(value):
        return sum(bounds) / 2
    return min(max(value, bounds[0]), bounds[1])


def mean_absolute_error(ask: Ask, true: Cells, answer: Cells) -> float:
    return math.fsum(abs(settled(ask, answer.get(key)) - value) for key, value in true.items()) / len(true)


def as_one(question: Question, errors: Sequence[float]) -> float:
    """The errors of the question's tables as one number."""
    match question.over:
        case Over.SESSION:
            return math.exp(math.fsum(map(math.log, errors)) / len(errors))
        case Over.MARGINS | Over.ONE:
            return math.fsum(errors) / len(errors)


def doubt(question: Question, errors: Sequence[float], standard_errors: Sequence[float]) -> float:
    """Standard error of `as_one`, as a part of it."""
    match question.over:
        case Over.SESSION:
            return math.hypot(*(s / e for s, e in zip(standard_errors, errors, strict=True))) / len(errors)
        case Over.MARGINS | Over.ONE:
            return math.hypot(*standard_errors) / math.fsum(errors)


def summary(repetitions: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Per table, the mean over repetitions and its standard error."""
    columns = list(zip(*repetitions, strict=True))
    return {
        "errors": [statistics.fmean(column) for column in columns],
        "standard_errors": [
            statistics.stdev(column) / math.sqrt(len(column)) if len(column) > 1 else 0.0 for column in columns
        ],
    }
