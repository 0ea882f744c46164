"""The one entry point of noise: price, shape, and agreement with OpenDP's own map."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure import noise
from disclosure.accounting import NANO, epsilon, nano_rho, split
from disclosure.noise import discrete_gaussian, sigma


@given(l2=st.integers(1, 10**12), price=st.integers(1, 10 * NANO))
def test_the_privacy_map_never_exceeds_the_price(l2: int, price: int) -> None:
    assert discrete_gaussian(np.zeros((1, 1), np.int64), l2, price).shape == (1, 1)


def test_too_little_noise_is_refused_before_any_value_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control: scale the noise down, as a planted bug would, and the map must refuse."""
    honest: Callable[[int, int], float] = sigma
    monkeypatch.setattr(noise, "sigma", lambda l2, price: honest(l2, price) / 4)
    with pytest.raises(RuntimeError, match="privacy map exceeds"):
        discrete_gaussian(np.zeros((3, 1), np.int64), 1, 5_000_000)


@pytest.mark.parametrize("price", [0, -1])
def test_noise_is_never_free(price: int) -> None:
    with pytest.raises(ValueError, match="price above zero"):
        discrete_gaussian(np.zeros((1, 1), np.int64), 1, price)


def test_the_noise_has_the_spread_that_was_bought() -> None:
    noisy = discrete_gaussian(np.zeros((20_000, 1), np.int64), 9, nano_rho(Decimal("0.02")))
    assert noisy.std() == pytest.approx(15.0, rel=0.03)
    assert abs(noisy.mean()) < 0.6


@given(total=st.integers(1, 10**12), parts=st.integers(1, 50))
def test_splitting_a_price_loses_nothing(total: int, parts: int) -> None:
    shares = split(total, parts)
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


def test_rho_is_rounded_against_the_spender() -> None:
    assert nano_rho(Decimal("0.0000000011")) == 2


@pytest.mark.parametrize(("rho", "delta", "expected"), [("0.1", 1e-6, 2.14), ("0.0202", 1e-7, 1.00), ("1", 1e-6, 7.77)])
def test_epsilon_is_opendps(rho: str, delta: float, expected: float) -> None:
    assert epsilon(nano_rho(Decimal(rho)), delta) == pytest.approx(expected, abs=0.01)
