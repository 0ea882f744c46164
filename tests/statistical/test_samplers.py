"""Both kinds of noise against the law that they claim: the discrete Gaussian or Laplace, exactly, cell by cell.

Their randomness is the operating system's and cannot be seeded, so every threshold is a bound on a false alarm. Counts
of bins of at least 100 expected values: chi-square, with a p-value below `ALARM`. Distribution functions: the
inequality of Dvoretzky, Kiefer, Wolfowitz and Massart (Annals of Probability 18, 1990), which holds for discrete laws
too. Correlations of n independent pairs: 7 standard errors, 3e-12 by the normal law and under 1e-10 with the skewness
of sizes (squares of Laplace noise would have too heavy a tail), n being 30,000 or more. All tests of this file together
alarm on a right sampler less than once in 10,000,000 runs.

The power of each is known beforehand: the test of the law tells σ from σ/1.1 and b from b/1.2 with a probability that
the test works out, and the positive controls are the wrong samplers that one could write by accident.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import chi2, ncx2

from disclosure.accounting import NANO
from disclosure.noise import discrete_gaussian, discrete_laplace

pytestmark = pytest.mark.statistical
ALARM = 1e-9
SIGMAS = (0.5, 1.0, 3.0, 10.0, 60.0, 1000.0)
N = 30_000
ERRORS = 7
"""Standard errors of a correlation that are an alarm."""
Sampler = Callable[[np.ndarray, int, int], np.ndarray]
Law = Callable[[float], tuple[np.ndarray, np.ndarray]]
"""Of a scale: whole numbers and their probabilities, out to where less than 1e-30 is left."""
STREAM = np.random.default_rng(11)


def price_of(sigma: float) -> int:
    """nano-ρ that buys about this scale for a sensitivity of one; `scale_of` says which exactly."""
    return round(NANO / (2 * sigma**2))


def scale_of(l2_squared: int, nano_rho: int) -> float:
    """Δ/√(2ρ), from Theorem 4 and not from the code under test; of a Laplace too, where Δ = 1 in both norms."""
    return math.sqrt(l2_squared / (2 * nano_rho / NANO))


def gaussian(sigma: float) -> tuple[np.ndarray, np.ndarray]:
    reach = math.ceil(12 * sigma) + 3
    support = np.arange(-reach, reach + 1)
    mass = np.exp(-0.5 * (support / sigma) ** 2)
    return support, mass / mass.sum()


def laplace(scale: float) -> tuple[np.ndarray, np.ndarray]:
    reach = math.ceil(70 * scale)
    support = np.arange(-reach, reach + 1)
    mass = np.exp(-np.abs(support) / scale)
    return support, mass / mass.sum()


LAWS: dict[Sampler, Law] = {discrete_gaussian: gaussian, discrete_laplace: laplace}
BOTH = pytest.mark.parametrize("sampler", LAWS)


def bins(sigma: float, size: int = N, law: Law = gaussian) -> tuple[np.ndarray, np.ndarray]:
    """Upper ends of at most 60 runs of whole numbers that expect 100 draws or more each, and their probabilities."""
    support, mass = law(sigma)
    least = max(100 / size, 1 / 60)
    below, ends, before = np.cumsum(mass), [], 0.0
    while (at := int(np.searchsorted(below, before + least))) < below.size and 1 - below[at] >= least:
        ends.append(at)
        before = below[at]
    return support[ends], np.diff(below[ends], prepend=0.0, append=1.0)


def misfit(draws: np.ndarray, sigma: float, law: Law = gaussian) -> float:
    """p-value of the chi-square test of the law."""
    ends, expected = bins(sigma, draws.size, law)
    seen = np.bincount(np.searchsorted(ends, draws), minlength=expected.size)
    statistic = float(((seen - draws.size * expected) ** 2 / (draws.size * expected)).sum())
    return float(chi2.sf(statistic, expected.size - 1))


def furthest(draws: np.ndarray, sigma: float, law: Law = gaussian) -> float:
    """Largest distance between the two distribution functions."""
    support, mass = law(sigma)
    seen = np.searchsorted(np.sort(draws), support, side="right") / draws.size
    return float(np.abs(seen - np.cumsum(mass)).max())


def drawn(sampler: Sampler, sigma: float, size: int = N) -> np.ndarray:
    return sampler(np.zeros((size, 1), np.int64), 1, price_of(sigma)).ravel()


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """In standard errors of independent pairs."""
    return float(np.corrcoef(one, other)[0, 1]) * math.sqrt(one.size)


def dependence(sampler: Sampler, sigma: float) -> float:
    """Largest correlation, in standard errors, between neighbours, columns and calls; of sizes too."""
    table = sampler(np.zeros((N, 2), np.int64), 1, price_of(sigma))
    flat, again = table.ravel(), sampler(np.zeros((N, 2), np.int64), 1, price_of(sigma)).ravel()
    pairs = [(table[:, 0], table[:, 1]), (flat, again)]
    pairs += [(flat[lag:], flat[:-lag]) for lag in (1, 2, 3, 7, 64)]
    if table.std() == 0 or flat[:100].std() == 0:
        return math.inf
    return max(abs(correlation(f(a), f(b))) for a, b in pairs for f in (lambda x: x, np.abs))


def repeats(sampler: Sampler, calls: int = 200) -> int:
    """Calls whose eight draws were drawn before; two calls at σ = 1000 agree with probability below 1e-26."""
    seen = {sampler(np.zeros((8, 1), np.int64), 1, price_of(1000.0)).tobytes() for _ in range(calls)}
    return calls - len(seen)


def values_that_show(sampler: Sampler, sigma: float, law: Law = gaussian) -> list[int]:
    """Values around which the noise does not have the law."""
    places = [0, 1, -1, 5, 10**6 + 1, -(10**12) - 1, 2**53 + 1, 2**62]
    values = np.repeat(np.array(places, np.int64), N // 5).reshape(len(places), -1)
    noise = sampler(values, 1, price_of(sigma)) - values
    return [place for place, draws in zip(places, noise, strict=True) if misfit(draws, scale(sigma), law) < ALARM]


def scale(sigma: float) -> float:
    return scale_of(1, price_of(sigma))


@BOTH
@pytest.mark.parametrize("sigma", SIGMAS)
def test_noise_has_the_law_that_it_claims(sampler: Sampler, sigma: float) -> None:
    draws = drawn(sampler, sigma)
    assert misfit(draws, scale(sigma), LAWS[sampler]) > ALARM
    assert furthest(draws, scale(sigma), LAWS[sampler]) < math.sqrt(math.log(2 / ALARM) / (2 * N))


@pytest.mark.parametrize("l2_squared", [12, 9_216, 10**6])
def test_the_law_holds_for_every_sensitivity(l2_squared: int) -> None:
    draws = discrete_gaussian(np.zeros((N, 1), np.int64), l2_squared, 5_000_000).ravel()
    assert misfit(draws, scale_of(l2_squared, 5_000_000)) > ALARM


@pytest.mark.parametrize("l1", [6, 96, 1000])
def test_the_law_holds_for_every_l1_sensitivity(l1: int) -> None:
    draws = discrete_laplace(np.zeros((N, 1), np.int64), l1, 5_000_000).ravel()
    assert misfit(draws, l1 * scale_of(1, 5_000_000), laplace) > ALARM


@BOTH
@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_test_of_the_law_has_power(sampler: Sampler, sigma: float) -> None:
    """The chance of missing noise of σ/1.1 or b/1.2, by the noncentral chi-square law of the statistic."""
    law, less = LAWS[sampler], 1.2 if sampler is discrete_laplace else 1.1
    ends, expected = bins(scale(sigma), N, law)
    support, mass = law(scale(sigma) / less)
    wrong = np.bincount(np.searchsorted(ends, support), weights=mass, minlength=expected.size)
    distance = N * float(((wrong - expected) ** 2 / expected).sum())
    assert ncx2.cdf(chi2.isf(ALARM, expected.size - 1), expected.size - 1, distance) < 1e-9


@BOTH
@pytest.mark.parametrize("sigma", [0.5, 10.0])
def test_draws_are_independent_of_each_other(sampler: Sampler, sigma: float) -> None:
    assert dependence(sampler, sigma) < ERRORS
    assert repeats(sampler) == 0


@BOTH
@pytest.mark.parametrize("sigma", [0.5, 10.0])
def test_noise_does_not_depend_on_the_value(sampler: Sampler, sigma: float) -> None:
    assert values_that_show(sampler, sigma, LAWS[sampler]) == []


def understated(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    """σ/1.1: the sensitivity a little too small."""
    return discrete_gaussian(values, l2_squared, round(1.21 * nano_rho))


def understated_laplace(values: np.ndarray, l1: int, nano_rho: int) -> np.ndarray:
    """b/1.2"""
    return discrete_laplace(values, l1, round(1.44 * nano_rho))


def rounded(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    """A continuous Gaussian, rounded: too wide at small σ, and open to attacks on floating point."""
    return values + np.rint(STREAM.normal(0, scale_of(l2_squared, nano_rho), values.shape)).astype(np.int64)


def shared(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    """One draw per row for all of its cells."""
    one = discrete_gaussian(np.zeros((values.shape[0], 1), np.int64), l2_squared, nano_rho)
    return values + one


def seeded(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    """A generator that starts anew at every call."""
    sigma = scale_of(l2_squared, nano_rho)
    return values + np.rint(np.random.default_rng(5).normal(0, sigma, values.shape)).astype(np.int64)


def through_floats(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    """Added in double precision, which has no odd numbers above 2^53."""
    return (values.astype(float) + discrete_gaussian(np.zeros_like(values), l2_squared, nano_rho)).astype(np.int64)


def none_for_zero(values: np.ndarray, l2_squared: int, nano_rho: int) -> np.ndarray:
    return np.where(values == 0, 0, discrete_gaussian(values, l2_squared, nano_rho))


@pytest.mark.parametrize("sigma", SIGMAS)
def test_noise_that_is_a_little_small_would_be_caught(sigma: float) -> None:
    assert misfit(drawn(understated, sigma), scale(sigma)) < ALARM
    assert misfit(drawn(understated_laplace, sigma), scale(sigma), laplace) < ALARM


@pytest.mark.parametrize("sigma", SIGMAS)
def test_one_law_is_not_taken_for_the_other(sigma: float) -> None:
    assert misfit(drawn(discrete_laplace, sigma), scale(sigma)) < ALARM
    assert misfit(drawn(discrete_gaussian, sigma), scale(sigma), laplace) < ALARM


def test_a_rounded_continuous_gaussian_would_be_caught() -> None:
    """Where the two laws differ at all: at σ = 10 they agree to 1e-40."""
    assert misfit(drawn(rounded, 0.5), scale(0.5)) < ALARM
    assert furthest(drawn(rounded, 0.5), scale(0.5)) > math.sqrt(math.log(2 / ALARM) / (2 * N))


@pytest.mark.parametrize("sampler", [shared, seeded])
def test_noise_that_is_shared_between_cells_or_calls_would_be_caught(sampler: Sampler) -> None:
    assert dependence(sampler, 10.0) > ERRORS
    assert (repeats(sampler) > 0) == (sampler is seeded)


@pytest.mark.parametrize(("sampler", "where"), [(through_floats, 2**53 + 1), (none_for_zero, 0)])
def test_noise_that_depends_on_the_value_would_be_caught(sampler: Sampler, where: int) -> None:
    assert where in values_that_show(sampler, 0.5)
