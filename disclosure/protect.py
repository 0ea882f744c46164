"""From exact aggregates to protected ones, in the mode that the policy fixes. Nothing else turns one into the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import numpy as np

from disclosure.aggregates import Aggregate, DistinctCount, contributors
from disclosure.noise import NoiseSource, sigma
from disclosure.policy import Mode, Policy
from disclosure.rounding import nearest
from disclosure.sensitivity import Contribution, l2_squared, reach
from disclosure.tables import ExactTable, Integers, Measurement, ProtectedTable


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
            return {a: _noisy(exact[a], l2_squared(a, contribution), prices[a], noise) for a in exact.aggregates}
        case Mode.OFFICIAL:
            return {a: _thresholded(a, exact, contribution, policy) for a in exact.aggregates}
        case _:
            assert_never(policy.mode)


def _noisy(values: Integers, distance: int, price: int, noise: NoiseSource) -> Measurement:
    """Every cell is noised and kept: masking is decided later, on the noisy value, as post-processing."""
    noisy = noise(values, distance, price)
    return Measurement(noisy, sigma(distance, price), np.zeros(values.shape, dtype=np.bool_))


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
