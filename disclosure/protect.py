"""From exact aggregates to protected ones, in the mode that the policy fixes. Nothing else turns one into the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import assert_never

import numpy as np

from disclosure.accounting import Event
from disclosure.aggregates import Aggregate, DistinctCount, contributors
from disclosure.noise import NoiseSource, standard_deviation
from disclosure.policy import Mode, Policy
from disclosure.rounding import nearest
from disclosure.sensitivity import Contribution, distance, l1, l2_squared, reach
from disclosure.tables import ExactTable, Integers, Measurement, Noise, ProtectedTable

MECHANISM = {
    Noise.GAUSSIAN: "discrete_gaussian",
    Noise.LAPLACE: "discrete_laplace",
    Noise.NONE: "threshold_and_rounding",
}


def protect(
    exact: ExactTable,
    prices: Mapping[Aggregate, int],
    contribution: Contribution,
    policy: Policy,
    noise: NoiseSource,
) -> ProtectedTable:
    """`prices` in nano-ρ, one per aggregate of `exact`; in `official` mode they are all 0."""
    match policy.mode:
        case Mode.DP:
            law = policy.noise
            return {
                a: _noisy(exact[a], distance(a, contribution, law), prices[a], law, noise) for a in exact.aggregates
            }
        case Mode.OFFICIAL:
            return {a: _thresholded(a, exact, contribution, policy) for a in exact.aggregates}
        case _:
            assert_never(policy.mode)


def spread(aggregate: Aggregate, contribution: Contribution, price: int, law: Noise) -> float:
    """Standard deviation of the noise that this price in nano-ρ buys, in ticks."""
    return standard_deviation(distance(aggregate, contribution, law), price, law)


def event(aggregate: Aggregate, contribution: Contribution, price: int, question: str, policy: Policy) -> Event:
    """What a measurement puts on the ledger."""
    moved = l1(aggregate, contribution) if policy.noise is Noise.LAPLACE else None
    return Event(MECHANISM[policy.noise], l2_squared(aggregate, contribution), price, question, moved)


def _noisy(values: Integers, moved: int, price: int, law: Noise, noise: NoiseSource) -> Measurement:
    """Every cell is noised and kept: masking is decided later, on the noisy value, as post-processing."""
    draw = noise if law is Noise.GAUSSIAN else partial(noise, law=law)
    return Measurement(
        draw(values, moved, price), standard_deviation(moved, price, law), np.zeros(values.shape, dtype=np.bool_), law
    )


def _thresholded(aggregate: Aggregate, exact: ExactTable, who: Contribution, policy: Policy) -> Measurement:
    """Counts below the threshold (zeros too) are hidden, others rounded; a sum follows its count.

    The threshold is of pupils: a count of rows must be so high that fewer pupils could not have made it. A sum is
    rounded to the base times the most that one row can add, as a count is to the base times one: the sum of a 0/1
    variable is a count, and is no better known than one.
    """
    behind = contributors(aggregate)
    rows_each = 1 if isinstance(behind, DistinctCount) else max(who.blocks)
    hidden = exact[behind] < policy.minimum_count * rows_each
    rounded = nearest(exact[aggregate], policy.rounding_base * reach(aggregate))
    return Measurement(np.where(hidden, 0, rounded), 0.0, hidden)
