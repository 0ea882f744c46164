"""The one entry point of noise: price, shape, and agreement with OpenDP's own map."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from disclosure import noise
from disclosure.accounting import NANO, epsilon, guess_accuracy, nano_rho, pure_epsilon, share_out
from disclosure.noise import (
    CHUNK,
    add_noise,
    discrete_gaussian,
    discrete_laplace,
    laplace_scale,
    laplace_sd,
    noised,
    scale_of_laplace,
    sigma,
)
from disclosure.tables import Integers, Noise


@given(l2=st.integers(1, 10**12), price=st.integers(1, 10 * NANO))
def test_the_privacy_map_never_exceeds_the_price(l2: int, price: int) -> None:
    assert discrete_gaussian(np.zeros((1, 1), np.int64), l2, price).shape == (1, 1)


def test_too_little_noise_is_refused_before_any_value_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control: scale the noise down, as a planted bug would, and the map must refuse."""
    honest: Callable[[int, int], float] = sigma
    monkeypatch.setattr(noise, "sigma", lambda l2, price: honest(l2, price) / 4)
    with pytest.raises(RuntimeError, match="privacy map exceeds"):
        discrete_gaussian(np.zeros((3, 1), np.int64), 1, 5_000_001)  # a price that nobody has asked a mechanism for


@pytest.mark.parametrize("price", [0, -1])
def test_noise_is_never_free(price: int) -> None:
    with pytest.raises(ValueError, match="price above zero"):
        discrete_gaussian(np.zeros((1, 1), np.int64), 1, price)


def test_the_noise_has_the_spread_that_was_bought() -> None:
    noisy = discrete_gaussian(np.zeros((20_000, 1), np.int64), 9, nano_rho(Decimal("0.02")))
    assert noisy.std() == pytest.approx(15.0, rel=0.03)
    assert abs(noisy.mean()) < 0.6


@given(total=st.integers(1, 10**12), weights=st.lists(st.floats(0.01, 1), min_size=1, max_size=50))
def test_sharing_out_a_price_loses_nothing(total: int, weights: list[float]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - total * weight / sum(weights)) <= len(weights) + 1


def test_rho_is_rounded_against_the_spender() -> None:
    assert nano_rho(Decimal("0.0000000011")) == 2


@pytest.mark.parametrize(("rho", "delta", "expected"), [("0.1", 1e-6, 2.14), ("0.0202", 1e-7, 1.00), ("1", 1e-6, 7.77)])
def test_epsilon_is_opendps(rho: str, delta: float, expected: float) -> None:
    assert epsilon(nano_rho(Decimal(rho)), delta) == pytest.approx(expected, abs=0.01)


# Laplace


@given(l1=st.integers(1, 10**12), price=st.integers(1, 10 * NANO))
def test_the_pure_privacy_map_never_exceeds_the_price(l1: int, price: int) -> None:
    assert discrete_laplace(np.zeros((1, 1), np.int64), l1, price).shape == (1, 1)


def test_too_little_laplace_noise_is_refused_before_any_value_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control: noise that is too small by one part in a million."""
    honest: Callable[[int, int], float] = laplace_scale
    monkeypatch.setattr(noise, "laplace_scale", lambda l1, price: honest(l1, price) * (1 - 1e-6))
    with pytest.raises(RuntimeError, match="privacy map exceeds"):
        discrete_laplace(np.zeros((3, 1), np.int64), 1, 5_000_001)


def test_the_price_of_pure_dp_is_opendps() -> None:
    """ε = √(2ρ) costs ρ by make_pureDP_to_zCDP, and by no other of its steps."""
    import opendp.prelude as dp

    for price in (1_000, 5_000_000, 500_000_000, 10 * NANO):
        scale = laplace_scale(3, price)
        pure = dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale)
        assert Fraction(pure.map(3)) ** 2 / 2 <= Fraction(price, NANO)
        assert pure.map(3) == pytest.approx(pure_epsilon([price]), rel=1e-8)
        assert dp.c.make_pureDP_to_zCDP(pure).map(3) == pytest.approx(price / NANO, rel=1e-8)
    assert pure_epsilon([5_000_000] * 3) == pytest.approx(0.3)


@pytest.mark.parametrize("price", [0, -1])
def test_laplace_noise_is_never_free(price: int) -> None:
    with pytest.raises(ValueError, match="price above zero"):
        discrete_laplace(np.zeros((1, 1), np.int64), 1, price)


@given(scale=st.floats(0.05, 1e9))
def test_scale_and_spread_are_one_another(scale: float) -> None:
    assert scale_of_laplace(laplace_sd(scale)) == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize("scale", [0.3, 2.0, 10.0])
def test_the_spread_is_that_of_the_law(scale: float) -> None:
    k = np.arange(-2000, 2001)
    mass = np.exp(-np.abs(k) / scale)
    assert laplace_sd(scale) == pytest.approx(np.sqrt((mass * k**2).sum() / mass.sum()), rel=1e-9)


def test_where_there_is_no_law_there_is_no_noise() -> None:
    with pytest.raises(ValueError, match="no noise"):
        add_noise(np.zeros((1, 1), np.int64), 1, 1_000, law=Noise.NONE)


# Vectors drawn in parts, side by side

LAWS = {
    Noise.GAUSSIAN: lambda k, price: np.exp(-0.5 * (k / sigma(1, price)) ** 2),
    Noise.LAPLACE: lambda k, price: np.exp(-np.abs(k) / laplace_scale(1, price)),
}
PRICE = 20_000_000


def p_value(drawn: Integers, expected: Noise) -> float:
    """Of a chi-squared test against the law at PRICE, in cells that expect 20 or more."""
    k = np.arange(-200, 201)
    share = LAWS[expected](k, PRICE) / LAWS[expected](k, PRICE).sum()
    inside = share * drawn.size >= 20
    seen = np.array([(drawn == each).sum() for each in k[inside]])
    observed = np.append(seen, drawn.size - seen.sum())
    wanted = drawn.size * np.append(share[inside], 1 - share[inside].sum())
    return float(stats.chisquare(observed, wanted).pvalue)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("size", [CHUNK, 20_003])
def test_the_law_is_the_same_whole_or_in_parts(law: Noise, size: int) -> None:
    """A false alarm has probability 1e-6 each."""
    drawn = add_noise(np.zeros((size, 1), np.int64), 1, PRICE, law=law)
    assert drawn.shape == (size, 1)
    assert p_value(drawn, law) > 1e-6


def test_another_law_would_be_caught() -> None:
    """The positive controls: the other law of the same price, and one part that was left without noise."""
    drawn = add_noise(np.zeros((20_003, 1), np.int64), 1, PRICE)
    assert p_value(drawn, Noise.LAPLACE) < 1e-9
    drawn[: 20_003 // 4] = 0
    assert p_value(drawn, Noise.GAUSSIAN) < 1e-9


@pytest.mark.parametrize("law", LAWS)
def test_parts_come_back_in_their_order_and_shape(law: Noise) -> None:
    values = np.arange(3 * CHUNK + 6, dtype=np.int64).reshape(-1, 6) * 10_000_000
    drawn = add_noise(values, 1, 10 * NANO, law=law)
    assert drawn.shape == values.shape
    assert np.abs(drawn - values).max() < 1_000


def test_parts_are_not_copies_of_one_draw() -> None:
    parts = discrete_gaussian(np.zeros((4 * CHUNK, 1), np.int64), 1, PRICE).reshape(4, CHUNK)
    # 6 pairs; a correlation has standard error 1/√4000, so 0.1 is 6.3 of them: 2e-9
    assert np.abs(np.corrcoef(parts)[np.triu_indices(4, 1)]).max() < 0.1


@pytest.mark.parametrize("at", [0, 5_000, 11_999])
def test_a_part_that_fails_fails_all(at: int) -> None:
    def failing(part: Integers) -> list[int]:
        if at in part:
            raise OSError("no randomness")
        return part.tolist()

    with pytest.raises(OSError, match="no randomness"):
        noised(failing, np.arange(12_000, dtype=np.int64))


@pytest.mark.parametrize("size", [10, 12_000])
def test_a_mechanism_that_loses_values_is_refused(size: int) -> None:
    with pytest.raises(RuntimeError, match="changed the shape"):
        noised(lambda part: part.tolist()[1:] if 3 in part else part.tolist(), np.arange(size, dtype=np.int64))


@pytest.mark.parametrize("rho", ["0.005", "0.1", "0.5", "3"])
def test_no_guess_is_better_on_average_than_is_said(rho: str) -> None:
    """The Gaussian mechanism of this ρ lets a coin-flip fact be guessed right Φ(√(ρ/2)) of the time; it is within."""
    price = nano_rho(Decimal(rho))
    best = stats.norm.cdf(1 / (2 * sigma(1, price)))
    assert best < guess_accuracy(price) < 1
    assert guess_accuracy(price) < 0.5 + 1.6 * (best - 0.5)
