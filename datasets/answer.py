"""What is known → Answer: finish every statistic, hide small cells, round, attach intervals. All post-processing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import numpy as np
import numpy.typing as npt

from datasets.groupings import Table
from datasets.impossible import impossible
from datasets.known import Measured, known_tables
from datasets.query import Display
from datasets.statistics import Statistic, Subject
from datasets.statistics.recipe import Ends, KnownTable, aggregate_of
from datasets.validate import ValidMeasure, ValidQuery, cells_in
from datasets.variables import Code
from disclosure.accuracy import DRAWS, count_intervals, deviations, redraw
from disclosure.additive import LIMIT, additive, rounding_variance
from disclosure.aggregates import Count, DistinctCount, Sum, is_additive
from disclosure.margins import fold
from disclosure.official import count_bounds, distinct_bounds
from disclosure.policy import Mode, Policy
from disclosure.rounding import nearest
from disclosure.rules import Evidence, QuantileSides, judge
from disclosure.tables import Flags, Floats, Integers, Known

NUMBERS_AT_ONCE = 300_000
"""Held at a time while noise is redrawn: few enough to stay in the cache, and under 25 MB with what is made of them."""
FINE = 3
"""Further decimals of numbers that are shown unbiased."""


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
    """The numbers of one measure, (rows, outputs), NaN where hidden; rows in the order of the answer's keys."""

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
    """Rows are the cells of each table in turn; within one, the product of its axes, the last fastest.

    listed: the places in that product of the cells that have a row, where groups are listed; None for all.
    """

    tables: tuple[Table, ...]
    series: tuple[Series, ...]
    listed: Integers | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of all groupings of all tables, each once."""
        return tuple(dict.fromkeys(name for table in self.tables for name in table.names))

    @property
    def keys(self) -> list[dict[str, str | None]]:
        """Of each row; a grouping that is None is summed over, or shown by a coarser one."""
        if self.listed is not None:
            return _keys_of(self.tables[0], self.listed)
        nothing: dict[str, str | None] = dict.fromkeys(self.names)
        return [
            {**nothing, **{name: code.code for name, code in zip(table.names, codes, strict=True)}}
            for table in self.tables
            for codes in product(*(axis.codes for axis in table.axes))
        ]


def _keys_of(table: Table, cells: Integers) -> list[dict[str, str | None]]:
    places = np.unravel_index(cells, [len(axis.codes) for axis in table.axes])
    columns = [[axis.codes[i].code for i in at.tolist()] for axis, at in zip(table.axes, places, strict=True)]
    return [dict(zip(table.names, codes, strict=True)) for codes in zip(*columns, strict=True)]


def finish(valid: ValidQuery, measured: Measured, policy: Policy) -> Answer:
    tables = known_tables(valid, measured)
    series = tuple(_series(m, valid, [{n: t[n] for n in m.needs} for t in tables], policy) for m in valid.measures)
    never = np.concatenate([impossible(table, valid.data_set) for table in valid.tables])
    return Answer(valid.tables, tuple(_not_applicable(each, never) for each in series) if never.any() else series)


def _not_applicable(series: Series, never: Flags) -> Series:
    """Without numbers in the cells that nobody can be in."""
    value, lower, upper = (np.where(never[:, None], np.nan, n) for n in (series.value, series.lower, series.upper))
    status = np.where(never[:, None], Status.NOT_APPLICABLE, series.status)
    return replace(series, value=value, lower=lower, upper=upper, status=status)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Of one table: (cells, outputs) each."""

    value: Floats
    lower: Floats
    upper: Floats
    hidden: Flags


def _series(measure: ValidMeasure, valid: ValidQuery, tables: list[KnownTable], policy: Policy) -> Series:
    statistic, decimals = measure.statistic, _decimals(measure, valid)
    unbiased = valid.query.display is Display.UNBIASED
    # Without noise there is nothing to put together: each number is shown as it was protected.
    made_to_add_up = policy.mode is Mode.DP and adds_up(measure, valid)
    if statistic.is_count:
        parts = _counts(measure, valid, tables, policy, unbiased, made_to_add_up)
    else:
        clipped = not made_to_add_up and not (unbiased and statistic.adds_up)
        parts = [estimates(measure, known, policy, decimals, unbiased, clipped) for known in tables]
        parts = _adding_up(parts, valid, decimals, measure) if made_to_add_up else parts
    return series_of(measure, parts, decimals, policy)


def series_of(measure: ValidMeasure, parts: Sequence[Numbers], decimals: int, policy: Policy) -> Series:
    """Numbers of all tables in turn, small and unreliable ones marked."""
    statistic, subject = measure.statistic, measure.subject
    shown = [_hide(part, statistic, subject, policy) for part in parts]
    value, lower, upper, status = (np.concatenate(each) for each in zip(*shown, strict=True))
    return Series(
        id=measure.id,
        statistic=statistic.name,
        variable=subject.measure.variable,
        unit=statistic.unit(subject),
        decimals=decimals,
        outputs=statistic.outputs(subject),
        value=value,
        lower=lower,
        upper=upper,
        status=status,
    )


def _decimals(measure: ValidMeasure, valid: ValidQuery) -> int:
    """Unbiased numbers have more, except counts that are measured whole and are in one table."""
    own = measure.statistic.decimals(measure.subject)
    whole = measure.statistic.is_count and len(valid.tables) == 1
    return own + FINE if valid.query.display is Display.UNBIASED and not whole else own


def adds_up(measure: ValidMeasure, valid: ValidQuery) -> bool:
    """Whether its numbers are shown so that totals are the sums of their parts. Pupils are where they are rows."""
    rows = measure.statistic.is_count and all(is_additive(valid.measured[aggregate_of(n)]) for n in measure.needs)
    return len({table.levels for table in valid.tables}) > 1 and (measure.statistic.adds_up or rows)


def _counts(
    measure: ValidMeasure,
    valid: ValidQuery,
    tables: list[KnownTable],
    policy: Policy,
    unbiased: bool,
    made_to_add_up: bool,
) -> list[Numbers]:
    known = [table[measure.needs[0]] for table in tables]
    if policy.mode is Mode.OFFICIAL:
        bounds = distinct_bounds if _is_of_codes(measure, valid) else count_bounds
        return [_official_counts(each, policy, bounds) for each in known]
    if made_to_add_up:
        return _adding_counts(known, valid, policy, unbiased)
    return [_count_table(each, policy, unbiased) for each in known]


Bounds = Callable[[Integers, Policy], tuple[Integers, Integers]]


def _is_of_codes(measure: ValidMeasure, valid: ValidQuery) -> bool:
    """Codes that occur are counted, which no threshold is for."""
    aggregate = valid.measured[aggregate_of(measure.needs[0])]
    return isinstance(aggregate, DistinctCount) and bool(aggregate.variable)


def _official_counts(known: Known, policy: Policy, bounds: Bounds) -> Numbers:
    """As they were protected; the interval holds every count that could be shown so."""
    lower, upper = bounds(known.values.astype(np.int64), policy)
    return Numbers(known.values, lower.astype(float), upper.astype(float), known.masked)


def _count_table(known: Known, policy: Policy, unbiased: bool) -> Numbers:
    base, least = (1, 0) if unbiased else (policy.rounding_base, policy.minimum_count)
    whole = np.rint(known.values).astype(np.int64)
    hidden = known.masked if unbiased else known.masked | (whole < least)
    rounded = nearest(whole, base)
    lower, upper = count_intervals(rounded, float(known.sd[0, 0]), base, least, policy.confidence, known.noise)
    return Numbers(rounded.astype(float), np.maximum(lower, 0).astype(float), upper.astype(float), hidden)


def _adding_counts(known: list[Known], valid: ValidQuery, policy: Policy, unbiased: bool) -> list[Numbers]:
    """Rounded so that totals are the sums of their parts: what is released is the estimate, its noise and the
    rounding's. Hidden is what comes out under the threshold."""
    unit = 10.0**-FINE if unbiased else float(policy.rounding_base)
    rounded = _added(known[0].values, valid, unit)
    return [
        _adding_count(each, table, values, valid, policy, unbiased)
        for each, table, values in zip(known, valid.tables, rounded, strict=True)
    ]


def _adding_count(
    known: Known, table: Table, values: Floats, valid: ValidQuery, policy: Policy, unbiased: bool
) -> Numbers:
    least = 0 if unbiased else policy.minimum_count
    extra = 0.0 if unbiased else rounding_variance(valid.chains, table.levels, policy.rounding_base)
    whole = np.rint(values).astype(np.int64)
    lower, upper = np.zeros(values.shape), np.zeros(values.shape)
    spread = np.sqrt(known.sd[:, 0] ** 2 + extra)
    for sd in np.unique(spread):
        rows = spread == sd
        ends = count_intervals(whole[rows], float(sd), 1, least, policy.confidence, known.noise)
        lower[rows], upper[rows] = ends
    hidden = np.zeros(values.shape, bool) if unbiased else values < least
    # Whole ends may lie a fraction beside the number itself, where there is next to no noise.
    return Numbers(values, np.maximum(np.minimum(lower, values), 0), np.maximum(upper, values), hidden)


def _added(finest: Floats, valid: ValidQuery, unit: float) -> list[Floats]:
    """Multiples of the unit near the finest table's numbers and near all of their sums, for each table; NaN stays out
    of it, since an unknown part makes an unknown total."""
    whole = valid.tables[0]
    order = np.argsort(whole.places)
    table = np.nan_to_num(finest).reshape(*(len(axis.codes) for axis in whole.axes), -1)
    known = table.transpose(*order, len(order))
    unit = _held(known, unit)
    steps = additive(known / unit, valid.chains, 1)
    return [_as_asked(fold(steps, valid.chains, t.levels), t) * unit for t in valid.tables]


def _held(values: Floats, unit: float) -> float:
    """The unit, or as many times ten of it as it takes for the sum of all numbers to be held exactly."""
    largest = float(np.abs(values).sum(axis=tuple(range(values.ndim - 1))).max(initial=0))
    while largest / unit > LIMIT / 4:
        unit *= 10
    return unit


def _as_asked(values: npt.NDArray[np.int64], table: Table) -> Floats:
    """(sizes of the levels, outputs) → (cells in the order of the table's groupings, outputs)."""
    lengths = [values.shape[place] for place in sorted(table.places)]
    order = [sorted(table.places).index(place) for place in table.places]
    arranged = values.reshape(*lengths, -1).transpose(*order, len(lengths))
    return arranged.reshape(cells_in(table), -1).astype(np.float64)


def _adding_up(parts: list[Numbers], valid: ValidQuery, decimals: int, measure: ValidMeasure) -> list[Numbers]:
    """Sums are rounded to their last decimal so that they add up."""
    if np.isnan(parts[0].value).any():
        return parts
    unit = 10.0**-decimals
    values = [np.round(v, decimals) for v in _added(parts[0].value, valid, unit)]
    possible = [np.clip(v, *measure.statistic.bounds(measure.subject)) for v in values]
    return [
        Numbers(v, np.minimum(p.lower, inside), np.maximum(p.upper, inside), p.hidden)
        for p, v, inside in zip(parts, values, possible, strict=True)
    ]


def estimates(
    measure: ValidMeasure,
    known: KnownTable,
    policy: Policy,
    decimals: int,
    unbiased: bool = False,
    clipped: bool = True,
) -> Numbers:
    """clipped: to what is possible. A part of a total is not: noise that is cut off below would lift the total."""
    statistic, subject = measure.statistic, measure.subject
    low, high = statistic.bounds(subject)
    value, lower, upper = _ends(statistic, subject, known, policy)
    value = np.round(value, decimals)
    if clipped:
        value = np.clip(value, low, high)
    hidden = np.broadcast_to(_too_few(statistic, subject, known, policy, unbiased)[:, None], value.shape)
    if policy.mode is Mode.OFFICIAL:
        hidden, empty = hidden | near_an_end(statistic, subject, known, policy), _empty(statistic, subject, known)
        lower, upper = _outward(*_rounding_ends(statistic, subject, known, policy), decimals)
        value, lower, upper = (np.where(empty, np.nan, each) for each in (value, lower, upper))
        return Numbers(value, lower, upper, hidden & ~empty)
    lower, upper = _outward(np.minimum(lower, value), np.maximum(upper, value), decimals)
    return Numbers(value, np.clip(lower, low, high), np.clip(upper, low, high), hidden)


def _ends(statistic: Statistic, subject: Subject, known: KnownTable, policy: Policy) -> Ends:
    """The statistic's own estimate, or quantiles of it over redrawn noise, in slices of cells that fit in memory."""
    alpha = (1 - policy.confidence) / 2
    if statistic.estimate is not None and policy.mode is Mode.DP:
        return statistic.estimate(known, subject, alpha)
    value = statistic.finish({need: k.values[None] for need, k in known.items()}, subject)[0]
    if policy.mode is Mode.OFFICIAL:
        return value, value, value
    cells, columns = value.shape[0], sum(k.values.shape[1] for k in known.values())
    step = max(1, NUMBERS_AT_ONCE // (DRAWS * columns))
    ends = [
        _quantiles(statistic.finish(redraw(known, slice(start, start + step)), subject), alpha)
        for start in range(0, cells, step)
    ]
    return value, np.concatenate([low for low, _ in ends]), np.concatenate([high for _, high in ends])


def _rounding_ends(statistic: Statistic, subject: Subject, known: KnownTable, policy: Policy) -> tuple[Floats, Floats]:
    """The least and the largest that a sum or a mean can be. A shown sum is in the proportion of the shown count to the
    true one, and rounded: a mean is off by the rounding alone, a sum by what the count may be too. NaN for others.
    """
    counts = [each for need, each in known.items() if isinstance(need, Count)]
    if subject.of or len(counts) != 1 or not all(isinstance(need, Count | Sum) for need in known):
        shape = (next(iter(known.values())).values.shape[0], len(statistic.outputs(subject)))
        return np.full(shape, np.nan), np.full(shape, np.nan)
    reach = (policy.rounding_base + 1) // 2
    draws = {n: k.values + (reach * np.array([-1, 1])[:, None, None] if isinstance(n, Sum) else np.zeros((2, 1, 1)))
             for n, k in known.items()}  # fmt: skip
    low, high = statistic.finish(draws, subject)
    if not statistic.adds_up:
        return low, high
    rows = counts[0].values.astype(np.int64)
    least, most = (each / np.maximum(rows, 1) for each in count_bounds(rows, policy))
    corners = np.stack([low * least, low * most, high * least, high * most])
    return corners.min(axis=0), corners.max(axis=0)


def _quantiles(draws: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Lower and upper alpha quantile over the first axis; NaN draws (an empty cell) make the end unknown."""
    last = draws.shape[0] - 1
    low, high = int(np.floor(alpha * last)), int(np.ceil((1 - alpha) * last))
    ordered = np.partition(draws, (low, high), axis=0)
    return ordered[low], ordered[high]


def _outward(lower: Floats, upper: Floats, decimals: int) -> tuple[Floats, Floats]:
    unit = 10.0**decimals
    return np.floor(np.round(lower * unit, 6)) / unit, np.ceil(np.round(upper * unit, 6)) / unit


def _too_few(statistic: Statistic, subject: Subject, known: KnownTable, policy: Policy, unbiased: bool) -> Flags:
    """Cells with too few behind them: hidden parts in `official` mode, noisy counts in `dp` mode.

    In `dp` mode the noisy count must clear the threshold by its own margin of error. A ratio over a count that is
    there by luck has no honest interval. An unbiased sum needs no such count.
    """
    hidden = np.zeros(next(iter(known.values())).values.shape[0], dtype=bool)
    if unbiased and statistic.adds_up:
        return hidden
    shares = statistic.is_share or any(part.statistic.is_share for part in subject.of)
    least = max(policy.minimum_count, policy.minimum_denominator if shares else 0)
    alpha = (1 - policy.confidence) / 2
    for behind in statistic.behind(known, subject):
        hidden |= behind.values < least + deviations(alpha, behind.noise) * behind.sd
    if policy.mode is Mode.OFFICIAL:
        for each in known.values():
            hidden |= each.masked.any(axis=1)
    return hidden


def _empty(statistic: Statistic, subject: Subject, known: KnownTable) -> Flags:
    """Cells, (cells, 1), that are shown to have nobody: there is nothing to hide, and nothing to say of them."""
    found = np.logical_or.reduce([behind.values == 0 for behind in statistic.behind(known, subject)])
    for each in known.values():
        found = found & ~each.masked.any(axis=1)
    return np.asarray(found)[..., None]


def near_an_end(statistic: Statistic, subject: Subject, known: KnownTable, policy: Policy) -> Flags:
    """Quantiles with too few pupils on either side, (cells, outputs)."""
    rule = policy.rule(QuantileSides)
    if statistic.probabilities is None or rule is None:
        return np.zeros((1, 1), np.bool_)
    (everybody,) = statistic.behind(known, subject)
    share = np.array([float(p) for p in statistic.probabilities(subject)])
    below = np.floor(everybody.values[:, None] * share).astype(np.int64)
    above = np.floor(everybody.values[:, None] * (1 - share)).astype(np.int64)
    return judge(rule, {Evidence.BELOW: below, Evidence.ABOVE: above})


def _hide(
    part: Numbers, statistic: Statistic, subject: Subject, policy: Policy
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.str_]]:
    status = _status(part, statistic, subject, policy)
    unknown = (status == Status.CONFIDENTIAL) | (status == Status.NOT_AVAILABLE)
    value, lower, upper = (np.where(unknown, np.nan, each) for each in (part.value, part.lower, part.upper))
    return value, lower, upper, status


def _status(part: Numbers, statistic: Statistic, subject: Subject, policy: Policy) -> npt.NDArray[np.str_]:
    scale = statistic.scale(subject)
    judged = np.abs(part.value) if scale is None else np.full(part.value.shape, scale)
    with np.errstate(invalid="ignore"):
        unreliable = (part.upper - part.lower) / 2 > policy.relative_margin_low * judged
    status = np.where(unreliable, Status.UNRELIABLE, Status.SHOWN).astype("<U4")
    known = np.isfinite(part.value) & (
        np.isfinite(part.lower) & np.isfinite(part.upper) | (policy.mode is Mode.OFFICIAL)
    )
    status[~known] = Status.NOT_AVAILABLE
    status[part.hidden] = Status.CONFIDENTIAL
    return status
