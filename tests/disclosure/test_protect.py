"""From exact to noisy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from disclosure.aggregates import BinnedCount, Count, Sum
from disclosure.evidence import Largest, RecordKeys
from disclosure.policy import load_policy
from disclosure.protect import event, protect
from disclosure.sensitivity import Contribution
from disclosure.tables import ExactTable, Integers, Measurement, Noise
from privacy_api.cli.cuts import preset

ONE = Contribution((1,), 4)
SCORE = Sum("score", 0, 100, 50)


def exact() -> ExactTable:
    counts = np.array([[3], [10], [12], [200]], np.int64)
    bins = np.array([[3, 0], [5, 5], [11, 1], [100, 100]], np.int64)
    sums = np.array([[30], [-100], [240], [1000]], np.int64)
    return ExactTable({Count(): counts, SCORE: sums, BinnedCount("b", ((0,), (1,))): bins}, 4)


def test_an_official_policy_adds_no_noise() -> None:
    with pytest.raises(ValueError, match="no noise"):
        protect(exact(), {}, ONE, load_policy(preset("dfe-draft")), _no_noise)


def test_evidence_is_protected_by_nobody_and_stays_behind() -> None:
    evidence = {RecordKeys(): np.array([[7]]), Largest(SCORE, 1): np.array([[9]])}
    held = ExactTable({Count(): np.array([[40]])}, 1, evidence)
    table = protect(held, {Count(): 10}, ONE, load_policy(preset("dp-default")), lambda values, *_: values)
    assert set(table) == {Count()}


def test_dp_pays_for_each_aggregate_and_hides_nothing_by_true_counts() -> None:
    seen: list[tuple[int, int]] = []

    def record(values: Integers, l2_squared: int, nano_rho: int) -> Integers:
        seen.append((l2_squared, nano_rho))
        return values

    policy = load_policy(preset("dp-default"))
    prices = {Count(): 10, SCORE: 20, BinnedCount("b", ((0,), (1,))): 30}
    table = protect(exact(), prices, replace(ONE, blocks=(2, 1)), policy, record)
    assert seen == [(5, 10), (50 * 50 * 5, 20), (5, 30)]
    assert not any(m.masked.any() for m in table.values())
    assert all(m.sigma > 0 for m in table.values())


def test_laplace_noise_is_scaled_to_the_l1_distance() -> None:
    seen: list[tuple[int, int, Noise]] = []

    def record(values: Integers, distance: int, nano_rho: int, *, law: Noise) -> Integers:
        seen.append((distance, nano_rho, law))
        return values

    policy = load_policy(preset("dp-default").replace('"gaussian"', '"laplace"'))
    prices = {Count(): 10, SCORE: 20, BinnedCount("b", ((0,), (1,))): 30}
    table = protect(exact(), prices, replace(ONE, blocks=(2, 1)), policy, record)
    assert seen == [(3, 10, Noise.LAPLACE), (50 * 3, 20, Noise.LAPLACE), (3, 30, Noise.LAPLACE)]
    assert {m.noise for m in table.values()} == {Noise.LAPLACE}
    assert table[Count()].sigma == pytest.approx(3 * np.sqrt(10**9 / 10), rel=1e-6), "√2 Δ₁/√(2ρ)"
    told = event(Count(), replace(ONE, blocks=(2, 1)), 10, "q", policy)
    assert (told.mechanism, told.l2_squared, told.l1) == ("discrete_laplace", 5, 3)


def test_a_measurement_says_truly_whether_it_has_noise() -> None:
    cell, shown = np.array([[1]], np.int64), np.zeros((1, 1), bool)
    assert Measurement(cell, 0.0, shown).noise is Noise.NONE
    with pytest.raises(ValueError, match="has a law"):
        Measurement(cell, 1.0, shown, Noise.NONE)


def test_an_aggregate_without_a_price_is_not_released() -> None:
    with pytest.raises(KeyError):
        protect(exact(), {Count(): 10}, ONE, load_policy(preset("dp-default")), lambda v, l2, rho: v)


def _no_noise(values: Integers, l2_squared: int, nano_rho: int) -> Integers:
    raise AssertionError("official mode draws no noise")
