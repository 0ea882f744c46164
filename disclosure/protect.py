"""From exact aggregates to noisy ones, in `dp` mode. (In `official` mode a table is protected whole: `official.py`.)"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from disclosure.accounting import Event
from disclosure.aggregates import Aggregate
from disclosure.noise import NoiseSource, standard_deviation
from disclosure.policy import Mode, Policy
from disclosure.sensitivity import Contribution, distance, l1, l2_squared
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
    """`prices` in nano-ρ, one per aggregate of `exact`. Raises ValueError for a policy without noise."""
    if policy.mode is not Mode.DP:
        raise ValueError("an official policy adds no noise")
    law = policy.noise
    return {a: _noisy(exact[a], distance(a, contribution, law), prices[a], law, noise) for a in exact.aggregates}


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
