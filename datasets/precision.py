"""Price ↔ margin of error, from public things: what a price buys, and the least price for a wanted margin.

A count's margin does not depend on the data. Anything else is judged on a supposed cell of n rows, whose values lie a
quarter of the range off the middle of the bounds and spread by a quarter; counts of bins are even.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from datasets.answer import finish
from datasets.query import Precision
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.accounting import LEAST_PRICE
from disclosure.accuracy import count_margin
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts, bins_of
from disclosure.policy import Policy
from disclosure.protect import spread
from disclosure.sensitivity import l2_squared
from disclosure.tables import Measurement, Noise

Prices = Mapping[Aggregate, int]
LEAST_SHARE = 0.05
"""Of a measure's price for each of its aggregates: the count must be known, if only to hide small cells."""
ROUNDS = 6


class OutOfReach(ValueError):
    """No price that a query may cost gives this margin. best: the margin that the highest price gives."""

    def __init__(self, best: float | None) -> None:
        super().__init__("out of reach")
        self.best = best


def margin(measure: ValidMeasure, valid: ValidQuery, prices: Prices, policy: Policy, n: int) -> float | None:
    """Half-width of the interval in a cell of n rows; None where it would be hidden or not available."""
    scales = {a: spread(a, valid.plan.contribution, prices[a], policy.noise) for a in measure.aggregates}
    if measure.statistic.is_count:
        return count_margin(scales[measure.aggregates[0]], policy.rounding_base, policy.confidence, policy.noise)
    table = {a: _supposed(a, n, scales[a], policy.noise) for a in measure.aggregates}
    one_cell = ValidQuery(valid.query, replace(valid.plan, axes=()), (), (measure,))
    series = finish(one_cell, table, policy).series[0]
    widths = (series.upper - series.lower) / 2
    return None if np.isnan(widths).all() else float(np.nanmax(widths))


def least_price(measure: ValidMeasure, valid: ValidQuery, wanted: Precision, policy: Policy) -> Prices:
    """nano-ρ per aggregate of the measure; raises OutOfReach.

    Margins shrink with √ρ, so a few rounds of scaling find the price, and a last one makes sure of it.
    """
    told = replace(policy, confidence=wanted.confidence or policy.confidence)
    shares = _shares(measure, valid, wanted.at)
    total = policy.default_price * len(shares)
    for _ in range(ROUNDS):
        found = margin(measure, valid, _split(total, shares), told, wanted.at)
        factor = 4.0 if found is None else (found / wanted.margin) ** 2
        total = min(max(math.ceil(total * factor), len(shares)), policy.query_cap)
        if 0.98 < factor <= 1:
            break
    return _make_sure(total, measure, valid, wanted, told, shares)


def _make_sure(
    total: int,
    measure: ValidMeasure,
    valid: ValidQuery,
    wanted: Precision,
    policy: Policy,
    shares: Mapping[Aggregate, float],
) -> Prices:
    while True:
        prices = _split(total, shares)
        found = margin(measure, valid, prices, policy, wanted.at)
        if found is not None and found <= wanted.margin:
            return prices
        if total >= policy.query_cap:
            raise OutOfReach(found)
        total = min(math.ceil(total * 1.02), policy.query_cap)


def _split(total: int, shares: Mapping[Aggregate, float]) -> Prices:
    """Never less than the least price each, and never more than `total` together where that can be."""
    return {a: max(LEAST_PRICE, int(total * share)) for a, share in shares.items()}


def _shares(measure: ValidMeasure, valid: ValidQuery, n: int) -> Mapping[Aggregate, float]:
    """How one price is best divided: noise of aggregate a enters the answer as g·Δ/√(2ρ), so ρ ∝ |g|·Δ."""
    weights = {
        a: _gradient(a, measure, n) * math.sqrt(l2_squared(a, valid.plan.contribution)) for a in measure.aggregates
    }
    total = sum(weights.values())
    if len(weights) == 1 or not total > 0:
        return dict.fromkeys(weights, 1 / len(weights))
    floored = {a: max(w / total, LEAST_SHARE) for a, w in weights.items()}
    return {a: w / sum(floored.values()) for a, w in floored.items()}


def _gradient(aggregate: Aggregate, measure: ValidMeasure, n: int) -> float:
    """|d answer / d aggregate| in the supposed cell, by a central difference of one part in a hundred."""
    table = {a: _supposed(a, n, 0.0).values.astype(np.float64)[None] for a in measure.aggregates}
    step = max(1.0, 0.01 * float(np.abs(table[aggregate]).max()))
    ends = [
        measure.statistic.finish({**table, aggregate: table[aggregate] + sign * step}, measure.subject)
        for sign in (1, -1)
    ]
    return float(np.nanmax(np.abs(ends[0] - ends[1]))) / (2 * step)


def _supposed(aggregate: Aggregate, n: int, scale: float, law: Noise = Noise.GAUSSIAN) -> Measurement:
    bins = bins_of(aggregate)
    match aggregate:
        case Count() | DistinctCount():
            values = np.full((1, 1), n)
        case BinnedCount():
            values = np.full((1, bins), n // bins)
        case Sum():
            values = np.full((1, 1), n * aggregate.reach // 4)
        case SumOfProducts(left, right, origin):
            values = np.full((1, 1), n * (left.reach * right.reach // 8 - origin))
    return Measurement(values.astype(np.int64), scale, np.zeros((1, bins), bool), law)
