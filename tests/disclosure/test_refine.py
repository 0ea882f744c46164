"""Several measurements of one question are as good as one that cost as much, and no better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.noise import discrete_gaussian, sigma
from disclosure.refine import ROUNDING_VARIANCE, Paid, combine
from disclosure.tables import Integers, Measurement, Noise

PRICES = st.lists(st.integers(1, 10**11), min_size=2, max_size=5)


def paid(values: Integers, price: int, l2_squared: int = 1) -> Paid:
    return Paid(Measurement(values, sigma(l2_squared, price), np.zeros(values.shape, bool)), price)


@given(prices=PRICES, l2_squared=st.integers(1, 10**9))
def test_the_scale_is_that_of_the_whole_price(prices: list[int], l2_squared: int) -> None:
    whole = combine([paid(np.zeros((1, 1), np.int64), price, l2_squared) for price in prices])
    assert whole.nano_rho == sum(prices)
    at_once = sigma(l2_squared, sum(prices)) ** 2 + ROUNDING_VARIANCE
    assert whole.measurement.sigma**2 == pytest.approx(at_once, rel=1e-9)


@given(prices=PRICES, value=st.integers(-(2**61), 2**61))
def test_equal_values_stay_what_they_are(prices: list[int], value: int) -> None:
    whole = combine([paid(np.full((2, 1), value, np.int64), price) for price in prices])
    assert (whole.measurement.values == value).all()


def test_weights_are_prices() -> None:
    whole = combine([paid(np.array([[0]], np.int64), 1), paid(np.array([[100]], np.int64), 3)])
    assert whole.measurement.values[0, 0] == 75


def test_one_part_is_left_alone() -> None:
    only = paid(np.array([[5]], np.int64), 7)
    assert combine([only]) is only


def test_the_error_is_what_is_said() -> None:
    """20,000 cells in two parts, 0.002 and then 0.008 more: sigma 15.8 and 7.9 make 7.07."""
    zeros = np.zeros((20_000, 1), np.int64)
    parts = [paid(discrete_gaussian(zeros, 1, price), price) for price in (2_000_000, 8_000_000)]
    whole = combine(parts)
    assert whole.measurement.values.std() == pytest.approx(whole.measurement.sigma, rel=0.03)
    assert abs(whole.measurement.values.mean()) < 0.3
    plain_mean = (parts[0].measurement.values + parts[1].measurement.values) / 2
    assert plain_mean.std() > 1.15 * whole.measurement.values.std(), "the positive control: equal weights are worse"


def test_laplace_measurements_are_never_combined() -> None:
    gaussian = paid(np.zeros((1, 1), np.int64), 1)
    laplace = Paid(replace(gaussian.measurement, noise=Noise.LAPLACE), 1)
    assert combine([laplace]) is laplace
    for parts in ([laplace, laplace], [laplace, gaussian], [gaussian, laplace]):
        with pytest.raises(ValueError, match="stands alone"):
            combine(parts)


def test_the_deviation_of_a_mean_is_right_where_sensitivities_were_claimed_differently() -> None:
    """A claim may be tightened between versions: then prices are not in proportion to precisions."""
    generator, shape = np.random.default_rng(0), (200_000, 1)
    parts = [
        Paid(
            Measurement(np.rint(generator.normal(0, sigma, shape)).astype(np.int64), sigma, np.zeros(shape, bool)),
            1_000_000,
        )
        for sigma in (60.0, 20.0)
    ]
    together = combine(parts).measurement
    assert together.values.std() == pytest.approx(together.sigma, rel=0.02)
