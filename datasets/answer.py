"""ProtectedTable → Answer: finish every statistic, hide small cells, round, attach intervals. All post-processing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import numpy as np
import numpy.typing as npt

from datasets.plan import Axis
from datasets.statistics import Statistic, Subject
from datasets.validate import ValidMeasure, ValidQuery
from datasets.variables import Code
from disclosure.accuracy import DRAWS, Floats, count_intervals, deviations, redraw
from disclosure.aggregates import bins_of, contributors
from disclosure.policy import Mode, Policy
from disclosure.rounding import nearest
from disclosure.tables import Measurement, ProtectedTable

Flags = npt.NDArray[np.bool_]
NUMBERS_AT_ONCE = 300_000
"""Held at a time while noise is redrawn: few enough to stay in the cache, and under 25 MB with what is made of them."""


class Status(StrEnum):
    """GSS symbols; they stand beside a number, never in its place."""

    SHOWN = ""
    CONFIDENTIAL = "c"
    NOT_AVAILABLE = "x"
    NOT_APPLICABLE = "z"
    LOW = "low"
    UNRELIABLE = "u"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The numbers of one measure, (cells, outputs), NaN where hidden; cells in the order of the answer's keys."""

    id: str
    statistic: str
    variable: str | None
    unit: str
    decimals: int
    outputs: tuple[Code, ...]
    value: Floats
    lower: Floats
    upper: Floats
    status: npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """axes in the order asked for; the cells are their product, the last axis fastest."""

    axes: tuple[Axis, ...]
    series: tuple[Series, ...]

    @property
    def keys(self) -> list[tuple[Code, ...]]:
        return list(product(*(axis.codes for axis in self.axes)))


def finish(valid: ValidQuery, table: ProtectedTable, policy: Policy) -> Answer:
    shape = tuple(len(axis.codes) for axis in valid.plan.axes)
    places = np.arange(valid.plan.cells).reshape(shape).transpose(valid.order).ravel()
    series = tuple(_series(m, {a: table[a] for a in m.aggregates}, policy, places) for m in valid.measures)
    return Answer(tuple(valid.plan.axes[i] for i in valid.order), series)


def _series(measure: ValidMeasure, table: ProtectedTable, policy: Policy, places: npt.NDArray[np.intp]) -> Series:
    statistic, subject = measure.statistic, measure.subject
    if statistic.is_count:
        value, lower, upper, hidden = _counts(table[measure.aggregates[0]], policy)
    else:
        value, lower, upper, hidden = _estimates(statistic, subject, table, policy)
    status = _status(value, lower, upper, hidden, statistic, subject, policy)
    unknown = (status == Status.CONFIDENTIAL) | (status == Status.NOT_AVAILABLE)
    value, lower, upper = (np.where(unknown, np.nan, part) for part in (value, lower, upper))
    return Series(
        id=measure.id,
        statistic=statistic.name,
        variable=subject.measure.variable,
        unit=statistic.unit(subject),
        decimals=statistic.decimals(subject),
        outputs=statistic.outputs(subject),
        value=value[places],
        lower=lower[places],
        upper=upper[places],
        status=status[places],
    )


def _counts(m: Measurement, policy: Policy) -> tuple[Floats, Floats, Floats, Flags]:
    hidden = m.masked | (m.values < policy.minimum_count) if policy.mode is Mode.DP else m.masked
    rounded = nearest(m.values, policy.rounding_base)
    base, least = policy.rounding_base, policy.minimum_count
    lower, upper = count_intervals(rounded, m.sigma, base, least, policy.confidence, m.noise)
    return rounded.astype(float), np.maximum(lower, 0).astype(float), upper.astype(float), hidden


def _estimates(
    statistic: Statistic, subject: Subject, table: ProtectedTable, policy: Policy
) -> tuple[Floats, Floats, Floats, Flags]:
    as_released = {a: m.values.astype(np.float64)[None] for a, m in table.items()}
    decimals = statistic.decimals(subject)
    low, high = statistic.bounds(subject)
    value = np.clip(np.round(statistic.finish(as_released, subject)[0], decimals), low, high)
    hidden = np.broadcast_to(_too_few(statistic, table, policy)[:, None], value.shape)
    if policy.mode is Mode.OFFICIAL:
        return value, np.full(value.shape, np.nan), np.full(value.shape, np.nan), hidden
    lower, upper = _interval(statistic, subject, table, policy)
    lower, upper = _outward(np.minimum(lower, value), np.maximum(upper, value), decimals)
    return value, np.clip(lower, low, high), np.clip(upper, low, high), hidden


def _interval(statistic: Statistic, subject: Subject, table: ProtectedTable, policy: Policy) -> tuple[Floats, Floats]:
    """The statistic's own interval, or quantiles of it over redrawn noise, in slices of cells that fit in memory."""
    alpha = (1 - policy.confidence) / 2
    if statistic.interval is not None:
        return statistic.interval(table, subject, alpha)
    bins = {a: bins_of(a) for a in table}
    cells = next(iter(table.values())).values.shape[0]
    step = max(1, NUMBERS_AT_ONCE // (DRAWS * sum(bins.values())))
    lower, upper = [], []
    for start in range(0, cells, step):
        ends = _quantiles(statistic.finish(redraw(table, slice(start, start + step), bins), subject), alpha)
        lower.append(ends[0])
        upper.append(ends[1])
    return np.concatenate(lower), np.concatenate(upper)


def _quantiles(draws: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Lower and upper alpha quantile over the first axis; NaN draws (an empty cell) make the end unknown."""
    last = draws.shape[0] - 1
    low, high = int(np.floor(alpha * last)), int(np.ceil((1 - alpha) * last))
    ordered = np.partition(draws, (low, high), axis=0)
    return ordered[low], ordered[high]


def _outward(lower: Floats, upper: Floats, decimals: int) -> tuple[Floats, Floats]:
    unit = 10.0**decimals
    return np.floor(np.round(lower * unit, 6)) / unit, np.ceil(np.round(upper * unit, 6)) / unit


def _too_few(statistic: Statistic, table: ProtectedTable, policy: Policy) -> Flags:
    """Cells with too few behind them: hidden parts in `official` mode, noisy counts in `dp` mode.

    In `dp` mode the noisy count must clear the threshold by its own margin of error. A ratio over a count that is
    there by luck has no honest interval.
    """
    least = max(policy.minimum_count, policy.minimum_denominator if statistic.is_share else 0)
    alpha = (1 - policy.confidence) / 2
    hidden = np.zeros(next(iter(table.values())).values.shape[0], dtype=bool)
    for a in {contributors(a) for a in table} & table.keys():
        m = table[a]
        hidden |= m.values.sum(axis=1) < least + deviations(alpha, m.noise) * m.sigma * np.sqrt(bins_of(a))
        if policy.mode is Mode.OFFICIAL:
            hidden |= m.masked.any(axis=1)
    return hidden


def _status(
    value: Floats, lower: Floats, upper: Floats, hidden: Flags, statistic: Statistic, subject: Subject, policy: Policy
) -> npt.NDArray[np.str_]:
    scale = statistic.scale(subject)
    judged = np.abs(value) if scale is None else np.full(value.shape, scale)
    with np.errstate(invalid="ignore"):
        unreliable = (upper - lower) / 2 > policy.relative_margin_low * judged
    status = np.where(unreliable, Status.UNRELIABLE, Status.SHOWN).astype("<U4")
    known = np.isfinite(value) & (np.isfinite(lower) & np.isfinite(upper) | (policy.mode is Mode.OFFICIAL))
    status[~known] = Status.NOT_AVAILABLE
    status[hidden] = Status.CONFIDENTIAL
    return status
