"""Consistent margins are the least squares ones, with the variances that they say, and add up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.consistency import Estimate, consistent, variances
from disclosure.margins import Chain, Margin, fold, shape
from disclosure.tables import Floats
from tests.lib.dense import least_squares, margins_of, tables

Measured = dict[Margin, tuple[Floats, float]]
VARIANCES = st.floats(-3, 3).map(lambda x: 10**x)
LA = Chain(7, ((0, 2, 0, 1, 0, 0, 2), (0, 0, 0)))
SOME = (Chain.plain(3), LA, Chain.plain(2))
SOME_VARIANCES = {(0, 0, 0): 4.0, (0, 2, 1): 30.0, (1, 1, 0): 7.0, (0, 1, 1): 2.0, (1, 0, 1): 9.0, (1, 2, 1): 50.0}


@st.composite
def problems(draw: st.DrawFn) -> tuple[tuple[Chain, ...], Measured]:
    """Margins that were measured with any errors whatever: least squares does not ask where they come from."""
    chains = draw(tables())
    batch = draw(st.sampled_from([(), (1,), (3,), (2, 2)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return chains, {
        margin: (rng.normal(0, 100, shape(chains, margin) + batch), draw(VARIANCES))
        for margin in draw(margins_of(chains))
    }


def off(chains: Sequence[Chain], measured: Measured, found: dict[Margin, Estimate]) -> float:
    """The largest relative deviation from the oracle, in values or variances."""
    worst = 0.0
    for margin, (values, variance) in least_squares(chains, measured).items():
        estimate = found[margin]
        assert estimate.values.shape == measured[margin][0].shape
        assert estimate.variance.shape == shape(chains, margin)
        # The oracle inverts a matrix; values are of the order of the largest that was measured.
        scale = max(float(np.abs(values).max()) for values, _ in measured.values())
        worst = max(worst, float(np.abs(estimate.values - values).max()) / scale)
        worst = max(worst, float(np.abs(estimate.variance.ravel() / variance - 1).max()))
    return worst


@given(problem=problems())
def test_values_and_variances_are_those_of_least_squares(problem: tuple[tuple[Chain, ...], Measured]) -> None:
    chains, measured = problem
    found = consistent(chains, measured)
    assert list(found) == list(measured)
    assert off(chains, measured, found) < 1e-6
    public = variances(chains, {margin: variance for margin, (_, variance) in measured.items()})
    for margin, estimate in found.items():
        assert np.array_equal(estimate.variance, public[margin])
        assert (estimate.variance <= measured[margin][1] * (1 + 1e-9)).all(), "never worse than asked alone"


@given(problem=problems())
def test_every_total_is_the_sum_of_its_parts(problem: tuple[tuple[Chain, ...], Measured]) -> None:
    chains, measured = problem
    found = consistent(chains, measured)
    size = sum(float(np.abs(estimate.values).max()) for estimate in found.values())
    for fine, coarse in itertools.permutations(found, 2):
        if all(a <= b for a, b in zip(fine, coarse, strict=True)):
            above = [Chain(c.sizes[level], c.parents[level:]) for c, level in zip(chains, fine, strict=True)]
            totals = fold(found[fine].values, above, tuple(b - a for a, b in zip(fine, coarse, strict=True)))
            assert np.abs(totals - found[coarse].values).max() <= 1e-12 * size


@pytest.mark.parametrize("margin", SOME_VARIANCES)
def test_the_oracle_sees_a_wrong_weight(margin: Margin) -> None:
    """The positive control: one variance is a tenth more than what was said."""
    _, measured = simulated(3)
    assert off(SOME, measured, consistent(SOME, measured)) < 1e-9
    values, variance = measured[margin]
    assert off(SOME, measured, consistent(SOME, {**measured, margin: (values, variance * 1.1)})) > 1e-3


def test_the_oracle_sees_equal_groups_where_they_are_not() -> None:
    """The positive control: the same margins, one code in another group."""
    _, measured = simulated(3)
    other = (Chain.plain(3), Chain(7, ((0, 2, 0, 1, 1, 0, 2), (0, 0, 0))), Chain.plain(2))
    assert off(SOME, measured, consistent(other, measured)) > 1e-3


def simulated(repeats: int) -> tuple[Floats, Measured]:
    rng = np.random.default_rng(20261121)
    truth = rng.integers(0, 1000, shape(SOME, (0, 0, 0))).astype(np.float64)
    return truth, {
        margin: (
            fold(truth, SOME, margin)[..., None] + rng.normal(0, variance**0.5, (*shape(SOME, margin), repeats)),
            variance,
        )
        for margin, variance in SOME_VARIANCES.items()
    }


def test_the_error_is_what_is_said() -> None:
    """40,000 tables as one batch. A variance is then known to 0.7 % (one σ), a mean to 0.5 % of one σ."""
    truth, measured = simulated(40_000)
    for margin, estimate in consistent(SOME, measured).items():
        errors = estimate.values - fold(truth, SOME, margin)[..., None]
        assert np.abs(errors.var(axis=-1) / estimate.variance - 1).max() < 6 * math.sqrt(2 / 40_000)
        assert np.abs(errors.mean(axis=-1) / np.sqrt(estimate.variance)).max() < 6 / math.sqrt(40_000)
        assert (errors.var(axis=-1) < measured[margin][1] * 0.9).all(), "and clearly better than asked alone"


def test_the_simulation_sees_a_wrong_weight() -> None:
    """The positive control: noise a quarter stronger than said, in one margin."""
    truth, measured = simulated(40_000)
    values, _ = measured[0, 1, 1]
    exact = fold(truth, SOME, (0, 1, 1))[..., None]
    measured[0, 1, 1] = (exact + 1.12 * (values - exact), measured[0, 1, 1][1])
    estimate = consistent(SOME, measured)[0, 1, 1]
    spread = (estimate.values - exact).var(axis=-1)
    assert np.abs(spread / estimate.variance - 1).max() > 10 * math.sqrt(2 / 40_000)


def test_batch_entries_do_not_touch_each_other() -> None:
    _, measured = simulated(6)
    together = consistent(SOME, {m: (y.reshape(*y.shape[:-1], 2, 3), v) for m, (y, v) in measured.items()})
    for i in range(6):
        alone = consistent(SOME, {m: (y[..., i], v) for m, (y, v) in measured.items()})
        for margin, estimate in alone.items():
            assert estimate.values == pytest.approx(together[margin].values[..., i // 3, i % 3], rel=1e-12)
            assert np.array_equal(estimate.variance, together[margin].variance)


def test_one_margin_is_left_as_it_is() -> None:
    values = np.arange(42.0).reshape(3, 7, 2)
    found = consistent(SOME, {(0, 0, 0): (values, 3.0)})[0, 0, 0]
    assert found.values == pytest.approx(values)
    assert found.variance == pytest.approx(np.full((3, 7, 2), 3.0))


def test_two_measurements_of_a_total_in_closed_form() -> None:
    """Four cells of variance 1 and their total of variance 4: the total's is halved."""
    found = variances((Chain.plain(4),), {(0,): 1.0, (1,): 4.0})
    assert found[1,] == pytest.approx([2.0])
    assert found[0,] == pytest.approx([1 - 4 / 16 + 2 / 16] * 4)


@pytest.mark.parametrize("variance", [0.0, -1.0, math.inf, math.nan])
def test_noise_has_a_variance(variance: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        variances(SOME, {(0, 0, 0): variance})
    with pytest.raises(ValueError, match="positive and finite"):
        consistent(SOME, {(0, 0, 0): (np.zeros((3, 7, 2)), variance)})


@pytest.mark.parametrize("size", [(3, 3, 1), (3, 7, 2, 4), (3, 3, 2, 5), (3, 3)])
def test_tables_have_the_shape_of_their_margin(size: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="want"):
        consistent(SOME, {(0, 0, 0): (np.zeros((3, 7, 2, 4)), 1.0), (0, 1, 0): (np.zeros(size), 1.0)})


def test_the_finest_margin_is_needed() -> None:
    with pytest.raises(ValueError, match="finest"):
        consistent(SOME, {(0, 1, 0): (np.zeros((3, 3, 2)), 1.0)})
