"""From exact aggregates to protected ones, in the mode that the policy fixes. Nothing else turns one into the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import numpy as np

from disclosure.aggregates import Aggregate, contributors
from disclosure.noise import NoiseSource, sigma
from disclosure.policy import Mode, Policy
from disclosure.rounding import nearest
from disclosure.sensitivity import Contribution, l2_squared
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
            return {a: _thresholded(a, exact, policy) for a in exact.aggregates}
        case _:
            assert_never(policy.mode)


def _noisy(values: Integers, distance: int, price: int, noise: NoiseSource) -> Measurement:
    """Every cell is noised and kept: masking is decided later, on the noisy value, as post-processing."""
    noisy = noise(values, distance, price)
    return Measurement(noisy, sigma(distance, price), np.zeros(values.shape, dtype=np.bool_))


def _thresholded(aggregate: Aggregate, exact: ExactTable, policy: Policy) -> Measurement:
    """Counts below the threshold (zeros too) are hidden, others rounded; a sum follows its count.

    A sum is scaled by rounded count / true count, so that a mean from released parts is the true mean and the sum
    does not contradict the count beside it (the "perturbed estimates" of ABS TableBuilder).
    """
    values, counts = exact[aggregate], exact[contributors(aggregate)]
    hidden = counts < policy.minimum_count
    rounded = nearest(counts, policy.rounding_base)
    if values is not counts:
        safe = np.where(hidden, 1, counts)
        rounded = np.array(
            [round(int(v) * int(r) / int(n)) for v, r, n in zip(values.flat, rounded.flat, safe.flat, strict=True)],
            dtype=np.int64,
        ).reshape(values.shape)
    return Measurement(np.where(hidden, 0, rounded), 0.0, hidden)
