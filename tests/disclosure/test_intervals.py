"""Intervals of counts hold what they say, by exact enumeration of the noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.signal import fftconvolve

from disclosure.accuracy import count_intervals, count_margin, deviations, upper_tail
from disclosure.noise import scale_of_laplace
from disclosure.rounding import nearest, preimage
from disclosure.tables import Noise

LAWS = (Noise.GAUSSIAN, Noise.LAPLACE)


def noise(sigma: float, law: Noise = Noise.GAUSSIAN) -> tuple[np.ndarray, np.ndarray]:
    reach = int((30 if law is Noise.LAPLACE else 12) * sigma) + 2
    k = np.arange(-reach, reach + 1)
    mass = np.exp(-np.abs(k) / scale_of_laplace(sigma) if law is Noise.LAPLACE else -0.5 * (k / sigma) ** 2)
    return k, mass / mass.sum()


def coverage(
    true: int, sigma: float, base: int, threshold: int, confidence: float, law: Noise = Noise.GAUSSIAN
) -> float:
    """Probability that the interval holds `true`, given that the cell was shown."""
    k, mass = noise(sigma, law)
    noisy = true + k
    shown = noisy >= threshold if threshold else np.ones(k.shape, bool)
    if mass[shown].sum() < 1e-9:
        return 1.0  # never shown
    rounded = nearest(noisy[shown].astype(np.int64), base)
    lower, upper = count_intervals(rounded, sigma, base, threshold, confidence, law)
    covers = (lower <= true) & (true <= upper)
    return float(mass[shown][covers].sum() / mass[shown].sum())


@pytest.mark.parametrize("sigma", [0.7, 3.0, 10.0, 29.0, 55.5])
@pytest.mark.parametrize(("base", "threshold"), [(1, 0), (5, 0), (5, 10), (10, 20), (3, 5)])
@pytest.mark.parametrize("law", LAWS)
def test_coverage_for_every_true_count(sigma: float, base: int, threshold: int, law: Noise) -> None:
    """A single count may fall a little short of 95 %, as mid-P intervals do; any run of counts does not."""
    found = [coverage(true, sigma, base, threshold, 0.95, law) for true in range(300)]
    assert min(found) >= 0.9
    assert min(np.convolve(found, np.full(30, 1 / 30), "valid")) >= 0.93


@pytest.mark.parametrize("sigma", [7.07, 10.0, 22.4])
@pytest.mark.parametrize("law", LAWS)
def test_coverage_is_not_much_more_either(sigma: float, law: Noise) -> None:
    found = [coverage(true, sigma, 5, 10, 0.95, law) for true in range(40, 300)]
    assert np.mean(found) <= 0.965


def test_an_interval_that_forgets_rounding_would_be_caught() -> None:
    """The positive control: ±1.96 σ around the rounded number covers too little where the base is not small."""
    k, mass = noise(2.0)
    rounded = nearest((1004 + k).astype(np.int64), 10)
    assert mass[np.abs(rounded - 1004) <= 1.96 * 2.0].sum() < 0.1


def test_an_interval_that_forgets_masking_would_be_caught() -> None:
    k, mass = noise(10.0)
    shown = k >= 10
    rounded = nearest(k[shown].astype(np.int64), 5)
    (low,), (high,) = count_intervals(np.array([1000]), 10.0, 5, 0, 0.95)
    naive = (rounded + low - 1000 <= 0) & (rounded + high - 1000 >= 0)
    assert mass[shown][naive].sum() / mass[shown].sum() < 0.93
    assert coverage(0, 10.0, 5, 10, 0.95) >= 0.94


@pytest.mark.parametrize("sigma", [2.0, 12.0, 300.0])
@pytest.mark.parametrize("law", LAWS)
def test_the_ends_are_those_of_a_search_through_every_count(sigma: float, law: Noise) -> None:
    rounded = np.arange(10, 400, 5, dtype=np.int64)
    lower, upper = count_intervals(rounded, sigma, 5, 10, 0.95, law)
    x = np.arange(0, int(400 + 10 * sigma), dtype=np.int64)
    shown = np.maximum(upper_tail(10 - x, sigma, law), 1e-300)
    for value, low, high in zip(rounded, lower, upper, strict=True):
        first, last = max(int(value) - 2, 10), int(value) + 2
        not_less = (upper_tail(first - x, sigma, law) + upper_tail(last + 1 - x, sigma, law)) / 2 / shown
        not_too_high = x[1 - not_less > 0.025]
        assert low == min(x[not_less > 0.025][0], value)
        assert high == max(not_too_high[-1] if not_too_high.size else 0, value)


def test_ten_thousand_cells_of_huge_noise_take_no_time() -> None:
    """A price of next to nothing must not buy minutes of work."""
    rounded = np.arange(10, 10_000_010, 1000, dtype=np.int64) // 5 * 5
    lower, upper = count_intervals(rounded, 1e6, 5, 10, 0.95)
    assert (lower <= upper).all()


@pytest.mark.parametrize("sigma", [0.4, 3.0, 55.5])
def test_the_laplace_tail_is_the_sum_of_its_probabilities(sigma: float) -> None:
    k, mass = noise(sigma, Noise.LAPLACE)
    np.testing.assert_allclose(upper_tail(k, sigma, Noise.LAPLACE), np.cumsum(mass[::-1])[::-1], atol=1e-9)


def test_intervals_of_the_other_law_would_be_caught() -> None:
    """The positive control: the two laws of one spread differ where it is cheap, far out."""
    far = upper_tail(np.array([50]), 10.0, Noise.LAPLACE) / upper_tail(np.array([50]), 10.0)
    assert far > 1_000
    k, mass = noise(10.0, Noise.LAPLACE)
    (low,), (high,) = count_intervals(np.array([1000]), 10.0, 1, 0, 0.99)
    assert mass[(k >= low - 1000) & (k <= high - 1000)].sum() < 0.98
    assert coverage(1000, 10.0, 1, 0, 0.99, Noise.LAPLACE) >= 0.989


def test_a_laplace_count_just_over_the_threshold_says_nothing_of_how_far_below_the_truth_is() -> None:
    """Memoryless: having passed the threshold, the noise tells nothing of where it came from."""
    lower, upper = count_intervals(np.array([100, 105, 400]), 0.3, 5, 100, 0.95, Noise.LAPLACE)
    assert lower.tolist()[0] == 0
    assert lower.tolist()[2] > 390
    assert (upper >= [100, 105, 400]).all()


@pytest.mark.parametrize("parts", [(1.0,), (1.0, 1.0), (1.0, 0.3), (1.0,) * 5])
@pytest.mark.parametrize("alpha", [0.0005, 0.025, 0.1, 0.25])
def test_a_mix_of_laplace_noises_passes_the_deviations_no_more_often(parts: tuple[float, ...], alpha: float) -> None:
    """By the exact law of the mix, on a grid."""
    grid = np.arange(-40_000, 40_001) / 1_000
    density = np.ones(1)
    for part in parts:
        one = np.exp(-np.abs(grid) * np.sqrt(2) / part)
        density = fftconvolve(density, one / one.sum(), "same" if density.size > 1 else "full")
    sd = np.sqrt(sum(part**2 for part in parts))
    assert density[grid > deviations(alpha, Noise.LAPLACE) * sd].sum() <= alpha * 1.02


def test_the_normal_tail_takes_over_without_a_step() -> None:
    k = np.arange(-120, 121)
    exact, normal = upper_tail(k, 30.0), stats.norm.sf((k - 0.5) / 30.0)
    assert np.abs(exact - normal).max() < 2e-5


@pytest.mark.parametrize("base", [1, 2, 3, 5, 10])
def test_preimage_is_what_nearest_undoes(base: int) -> None:
    for value in range(-40, 60):
        low, high = preimage(nearest(np.array([value]), base), base)
        assert low <= value <= high
        assert high - low == base - 1


def test_margin_without_rounding_is_that_of_the_normal() -> None:
    assert count_margin(100.0, 1, 0.95) == pytest.approx(196, abs=1)
    assert count_margin(100.0, 1, 0.95, Noise.LAPLACE) == pytest.approx(100 / np.sqrt(2) * np.log(20), abs=1)
