"""Price ↔ margin of error, from public things: what a price buys, and the least price for the margins wanted.

What is measured for one need over all tables of an answer is a *family*: its price is shared among the tables so that
their numbers, made to add up, are best known (`disclosure.allocation`). The variance over table t is then v_t / ρ for
a public v_t. Between families prices are least for the margins wanted: minimise Σ ρ_f subject to Σ_f c_f / ρ_f ≤
(margin / z)² for every measure and table, where c_f = ‖gradient‖²·v_f (the delta method), in a supposed cell of n rows
whose values lie a quarter of the range off the middle of the bounds and spread by a quarter; counts of bins are even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy

from datasets.answer import adds_up, estimates
from datasets.families import NANO, Family, Key, Totals, default_totals, key_of
from datasets.query import Precision
from datasets.statistics.recipe import Need, aggregate_of, columns_of
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.accounting import LEAST_PRICE, share_out
from disclosure.accuracy import count_margin
from disclosure.additive import rounding_variance
from disclosure.aggregates import (
    Aggregate,
    BinnedCount,
    Count,
    DistinctCount,
    Sum,
    SumOfProducts,
    bins_of,
)
from disclosure.policy import Policy
from disclosure.tables import Floats, Known, Noise

LEAST_SHARE = 0.05
"""Of a measure's price for each of its families: the count must be known, if only to hide small cells."""
ROUNDS = 8
CLOSE = 0.995
"""Part of a wanted variance that is aimed at, so that what is found is enough."""
STEP = 0.95
"""A variance below this part of the wanted one is bought only where margins come in steps."""
HALVINGS = 7
STEPS = 200
MOVES_AT_ONCE = 200_000
"""Numbers held while gradients are taken, times two."""


class OutOfReach(ValueError):
    """No price that a query may cost gives the margin. best: the margin that the highest price gives."""

    def __init__(self, path: str, best: float | None) -> None:
        super().__init__("out of reach")
        self.path, self.best = path, best


def margin(
    measure: ValidMeasure,
    valid: ValidQuery,
    totals: Totals,
    known: Mapping[Key, Family],
    policy: Policy,
    n: int,
    table: int = 0,
) -> float | None:
    """Half-width of the interval in a cell of n rows of a table; None where it would be hidden or not available."""
    keys = {need: key_of(need, valid) for need in measure.needs}
    scales = {need: known[key].deviation(table, totals[key]) for need, key in keys.items()}
    if measure.statistic.is_count:
        return _count_margin(scales[measure.needs[0]], measure, valid, table, policy)
    supposed = {need: _supposed(need, measure, n, sd, policy.noise) for need, sd in scales.items()}
    part = estimates(measure, supposed, policy, measure.statistic.decimals(measure.subject) + 1, False)
    widths = np.where(part.hidden | ~np.isfinite(part.value), np.nan, (part.upper - part.lower) / 2)
    estimated = measure.statistic.estimated
    widths = widths if estimated is None else widths[:, : estimated(measure.subject)]
    some = np.isfinite(widths).any() if estimated is None else np.isfinite(widths).all()
    return float(np.nanmax(widths)) if some else None


def _count_margin(sd: float, measure: ValidMeasure, valid: ValidQuery, table: int, policy: Policy) -> float:
    if not adds_up(measure, valid):
        return count_margin(sd, policy.rounding_base, policy.confidence, policy.noise)
    extra = rounding_variance(valid.chains, valid.tables[table].levels, policy.rounding_base)
    return count_margin(math.sqrt(sd**2 + extra), 1, policy.confidence)


def chosen_totals(total: int, valid: ValidQuery, known: Mapping[Key, Family]) -> Totals:
    """One price for all, shared so that no measure's margin is worse, relative to an equal split, than need be."""
    if len(known) == 1:
        return dict.fromkeys(known, total)
    equal = dict.fromkeys(known, total / len(known))
    wanted = [(c, _variance(c, equal)) for c in _all_costs(valid, known, 1000)]
    weights = {key: math.sqrt(math.fsum(c.get(key, 0.0) / bound for c, bound in wanted if bound > 0)) for key in known}
    if not all(map(math.isfinite, weights.values())) or not any(weights.values()):
        weights = dict.fromkeys(known, 1.0)
    return dict(zip(weights, share_out(total, list(_floored(weights).values())), strict=True))


def _floored(weights: Mapping[Key, float]) -> dict[Key, float]:
    least = LEAST_SHARE / max(1.0, LEAST_SHARE * len(weights) * 2)
    whole = sum(weights.values())
    raised = {key: max(w / whole, least) for key, w in weights.items()}
    return {key: w / sum(raised.values()) for key, w in raised.items()}


Costs: TypeAlias = Mapping[Key, float]
"""c_f of one measure over one table: its variance is Σ c_f / ρ_f, with ρ_f in nano-ρ."""


def _all_costs(valid: ValidQuery, known: Mapping[Key, Family], n: int) -> list[Costs]:
    return [costs for m in valid.measures for costs in _costs(m, valid, known, n)]


def _costs(measure: ValidMeasure, valid: ValidQuery, known: Mapping[Key, Family], n: int) -> list[Costs]:
    """Of each table; what the answer makes of noise is the same in all."""
    gradients = [(key_of(need, valid), _gradient_squared(need, measure, n)) for need in measure.needs]
    found: list[dict[Key, float]] = [{} for _ in valid.tables]
    for table, costs in enumerate(found):
        for key, squared in gradients:
            costs[key] = costs.get(key, 0.0) + squared * known[key].variance[table] * NANO
    return list(found)


def _variance(costs: Costs, totals: Mapping[Key, float]) -> float:
    return math.fsum(c / totals[key] for key, c in costs.items())


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A margin that is wanted of a measure over one table: its variance, Σ c_f / ρ_f, is at most the bound."""

    measure: ValidMeasure
    table: int
    precision: Precision
    costs: Costs
    policy: Policy

    @property
    def bound(self) -> float:
        return float((self.precision.margin / scipy.special.ndtri((1 + self.policy.confidence) / 2)) ** 2)

    def width(self, valid: ValidQuery, totals: Mapping[Key, float], known: Mapping[Key, Family]) -> float | None:
        whole = {key: math.ceil(total) for key, total in totals.items()}
        return margin(self.measure, valid, whole, known, self.policy, self.precision.at, self.table)

    def size(self, valid: ValidQuery, totals: Mapping[Key, float], known: Mapping[Key, Family]) -> float:
        """(margin / wanted margin)²; 4 where there is none, so that the price grows."""
        width = self.width(valid, totals, known)
        return 4.0 if width is None else (width / self.precision.margin) ** 2


def _all_wanted(valid: ValidQuery, known: Mapping[Key, Family], policy: Policy) -> list[_Wanted]:
    return [
        _Wanted(m, table, wanted, costs, replace(policy, confidence=wanted.confidence or policy.confidence))
        for m in valid.measures
        if (wanted := m.subject.measure.precision) is not None
        for table, costs in enumerate(_costs(m, valid, known, wanted.at))
    ]


def least_totals(valid: ValidQuery, known: Mapping[Key, Family], policy: Policy) -> Totals:
    """Least prices with which every measure that wants a margin has it in every table; the default for the others.

    Raises OutOfReach. Each round corrects what the delta method guesses of each margin by what the margin is.
    """
    wanted = _all_wanted(valid, known, policy)
    bought = [key for key in known if any(key in each.costs for each in wanted)]
    precise = {each.measure.id for each in wanted}
    others = {key_of(need, valid) for m in valid.measures if m.id not in precise for need in m.needs}
    default = default_totals(known, policy)
    floor = {key: default[key] if key in others else LEAST_PRICE * len(known[key].shares) for key in known}
    corrected, enough, tried = [1.0] * len(wanted), list[dict[Key, float]](), dict[Key, float]()
    for _ in range(ROUNDS):
        solved = _solved(wanted, corrected, bought)
        tried = _within({key: max(solved.get(key, 0.0), least) for key, least in floor.items()}, policy)
        sizes = [each.size(valid, tried, known) for each in wanted]
        if max(sizes) <= 1:
            enough.append(tried)
        guessed = [_variance(each.costs, tried) / each.bound for each in wanted]
        factors = [size / (CLOSE * guess) for size, guess in zip(sizes, guessed, strict=True)]
        if max(sizes) <= 1 and max(abs(f / c - 1) for f, c in zip(factors, corrected, strict=True)) < 1 - CLOSE:
            break
        corrected = factors
    best = min(enough, key=_whole, default=tried)
    return _make_sure(_less(best, floor, wanted, valid, known, bought), wanted, valid, known, policy, bought)


def _whole(totals: Mapping[Key, float]) -> float:
    return math.fsum(totals.values())


def _less(
    totals: dict[Key, float],
    floor: Mapping[Key, int],
    wanted: Sequence[_Wanted],
    valid: ValidQuery,
    known: Mapping[Key, Family],
    bought: Sequence[Key],
) -> dict[Key, float]:
    """Where margins come in steps, rounds step over the least price that is enough: halve the way to it."""
    if not 0 < max(each.size(valid, totals, known) for each in wanted) < STEP:
        return totals
    low, high = 0.25, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if max(each.size(valid, _scaled(totals, middle, floor, bought), known) for each in wanted) <= 1:
            high = middle
        else:
            low = middle
    return _scaled(totals, high, floor, bought)


def _scaled(
    totals: Mapping[Key, float], factor: float, floor: Mapping[Key, int], bought: Sequence[Key]
) -> dict[Key, float]:
    return {key: max(floor[key], total * factor) if key in bought else total for key, total in totals.items()}


def _solved(wanted: Sequence[_Wanted], corrected: Sequence[float], bought: Sequence[Key]) -> dict[Key, float]:
    """Multipliers λ of the constraints: ρ_f² = Σ λ c_f, and λ grows where a margin is still too wide."""
    rows = [
        [each.costs.get(key, 0.0) * factor / each.bound for key in bought]
        for each, factor in zip(wanted, corrected, strict=True)
    ]
    costs = np.array(sorted(rows))  # sums of floats must not depend on the order of measures
    multipliers, totals = np.ones(len(costs)), np.ones(len(bought))
    for _ in range(STEPS):
        totals = np.sqrt(multipliers @ costs)
        totals[totals == 0] = 1.0
        multipliers = multipliers * (costs @ (1 / totals))
    least = LEAST_SHARE * _largest(wanted, bought, totals)
    raised = np.maximum(totals, least)
    worst = max(float((costs @ (1 / raised)).max()), 1e-12)
    return dict(zip(bought, (raised * worst).tolist(), strict=True))


def _largest(wanted: Sequence[_Wanted], bought: Sequence[Key], totals: Floats) -> Floats:
    """For each family the price of the dearest measure that it is for."""
    among = np.array(sorted([key in each.costs for key in bought] for each in wanted))
    return np.asarray((among * (among @ totals)[:, None]).max(axis=0))


def _within(totals: Mapping[Key, float], policy: Policy) -> dict[Key, float]:
    whole = sum(totals.values())
    return {key: total * min(1.0, policy.query_cap / whole) for key, total in totals.items()}


def _make_sure(
    totals: Mapping[Key, float],
    wanted: Sequence[_Wanted],
    valid: ValidQuery,
    known: Mapping[Key, Family],
    policy: Policy,
    bought: Sequence[Key],
) -> Totals:
    while True:
        worst = max(wanted, key=lambda each: each.size(valid, totals, known))
        if worst.size(valid, totals, known) <= 1:
            return {key: math.ceil(total) for key, total in totals.items()}
        if sum(totals.values()) >= policy.query_cap * 0.999:
            raise OutOfReach(worst.measure.subject.measure.path, worst.width(valid, totals, known))
        totals = _within({k: t * 1.02 if k in bought else t for k, t in totals.items()}, policy)


def _gradient_squared(need: Need, measure: ValidMeasure, n: int) -> float:
    """Σ over the need's numbers of (d answer / d number)², for the answer's most sensitive number; by central
    differences of one part in a hundred along the axis of draws, as many at once as fit in memory."""
    if measure.statistic.is_count:
        return 1.0
    table = {each: _supposed(each, measure, n, 0.0).values[None] for each in measure.needs}
    columns = table[need].shape[-1]
    step = max(1.0, 0.01 * float(np.abs(table[need]).max()))
    several = max(1, MOVES_AT_ONCE // sum(values.shape[-1] for values in table.values()))
    squares = [
        _slopes_squared(need, measure, table, np.arange(start, min(start + several, columns)), step)
        for start in range(0, columns, several)
    ]
    return float(np.sum(squares, axis=0).max())


def _slopes_squared(
    need: Need, measure: ValidMeasure, table: Mapping[Need, Floats], moved: npt.NDArray[np.int64], step: float
) -> Floats:
    """Σ over the moved numbers, (cells, outputs)."""
    moves = np.zeros((2 * moved.size, 1, table[need].shape[-1]))
    moves[np.arange(moved.size), 0, moved] = step
    moves[moved.size + np.arange(moved.size), 0, moved] = -step
    draws: dict[Need, Floats] = {each: np.repeat(values, 2 * moved.size, axis=0) for each, values in table.items()}
    draws[need] = draws[need] + moves
    found = measure.statistic.finish(draws, measure.subject)
    slopes = (found[: moved.size] - found[moved.size :]) / (2 * step)
    return np.asarray(np.nan_to_num((slopes**2).sum(axis=0)))


def _supposed(need: Need, measure: ValidMeasure, n: int, sd: float, law: Noise = Noise.GAUSSIAN) -> Known:
    """A cell of n rows, evenly spread over the combinations that the need is split by."""
    combinations = measure.subject.combinations(need)
    values = np.full((1, columns_of(need, measure.subject)), _one(aggregate_of(need), n / combinations))
    return Known(values, np.full((1, 1), sd), np.zeros(values.shape, bool), law)


def _one(aggregate: Aggregate, n: float) -> float:
    match aggregate:
        case Count() | DistinctCount():
            return n
        case BinnedCount():
            return n / bins_of(aggregate)
        case Sum():
            return n * aggregate.reach / 4
        case SumOfProducts(left, right, origin):
            alike = left.variable == right.variable
            return n * (left.reach * right.reach / (8 if alike else 16) - origin)
