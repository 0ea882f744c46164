"""The only source of noise: OpenDP's discrete Gaussian and discrete Laplace on one integer vector.

`make_gaussian(vector_domain(i64), l2_distance)` is the discrete Gaussian of Canonne, Kamath & Steinke,
arXiv 2004.00010v5, Theorem 4: L2 sensitivity Δ and scale σ give Δ²/(2σ²)-zCDP.
`make_laplace(vector_domain(i64), l1_distance)` is the discrete Laplace (Ghosh, Roughgarden & Sundararajan,
arXiv 0811.2841): L1 sensitivity Δ and scale b give Δ/b-DP, which is (Δ/b)²/2-zCDP (Bun & Steinke,
arXiv 1605.02065v1, Proposition 1.4). `make_gaussian_threshold(map_domain(i64, i64), l02inf_distance)` is the discrete
Gaussian on the groups that are there, of which those over a threshold are told: δ-approximate ρ-zCDP
(`disclosure.listing`). OpenDP's own privacy map is asked, before any value is passed in, whether it agrees with the
price.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, assert_never

import numpy as np

from disclosure.accounting import ATTO, NANO
from disclosure.sensitivity import Moves
from disclosure.tables import Integers, Noise

HEADROOM = 1 + 1e-9
"""OpenDP rounds its privacy map upwards; this much extra noise keeps the map at or below the price."""
CHUNK = 4_000
"""Numbers above which more than one thread is worth starting: 40 ms of noise."""
THREADS = 4
"""At most, for one measurement. OpenDP works outside Python's lock, so they share whatever cores there are."""


class NoiseSource(Protocol):
    def __call__(self, values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        """Noisy copy of `values`, at a cost of at most `nano_rho`.

        distance: the sensitivity as the law measures it (`sensitivity.distance`): squared L2, or L1.
        """
        ...


@lru_cache(maxsize=1)
def _opendp() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp


def sigma(l2_squared: int, nano_rho: int) -> float:
    """Scale of the Gaussian noise that this price buys: Δ / √(2ρ)."""
    if nano_rho <= 0:
        raise ValueError("noise needs a price above zero")
    return math.sqrt(l2_squared * NANO / (2 * nano_rho)) * HEADROOM


def laplace_scale(l1: int, nano_rho: int) -> float:
    """Scale of the Laplace noise that this price buys: Δ₁ / ε, where ε = √(2ρ)."""
    if nano_rho <= 0:
        raise ValueError("noise needs a price above zero")
    return l1 * math.sqrt(NANO / (2 * nano_rho)) * HEADROOM


def laplace_sd(scale: float) -> float:
    """Of the discrete Laplace, whose probabilities are proportional to e^(−|k|/b): 1 / (√2 sinh(1/(2b)))."""
    return 1 / (math.sqrt(2) * math.sinh(0.5 / scale))


def scale_of_laplace(sd: float) -> float:
    """The inverse of `laplace_sd`."""
    return 0.5 / math.asinh(1 / (math.sqrt(2) * sd))


def standard_deviation(distance: int, nano_rho: int, law: Noise) -> float:
    """Of the noise that this price buys."""
    match law:
        case Noise.GAUSSIAN:
            return sigma(distance, nano_rho)
        case Noise.LAPLACE:
            return laplace_sd(laplace_scale(distance, nano_rho))
        case Noise.NONE:
            return 0.0
        case _:
            assert_never(law)


def add_noise(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
    """The `NoiseSource` of a running service."""
    match law:
        case Noise.GAUSSIAN:
            return discrete_gaussian(values, distance, nano_rho)
        case Noise.LAPLACE:
            return discrete_laplace(values, distance, nano_rho)
        case Noise.NONE:
            raise ValueError("there is no noise to draw")
        case _:
            assert_never(law)


def discrete_gaussian(values: Integers, l2_squared: int, nano_rho: int) -> Integers:
    return noised(_gaussian(l2_squared, nano_rho), values)


def discrete_laplace(values: Integers, l1: int, nano_rho: int) -> Integers:
    return noised(_laplace(l1, nano_rho), values)


@lru_cache(maxsize=256)
def _gaussian(l2_squared: int, nano_rho: int) -> Any:
    """OpenDP's mechanism, whose map agrees with the price. It keeps nothing of what it is invoked on."""
    dp = _opendp()
    mechanism = dp.m.make_gaussian(
        dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=sigma(l2_squared, nano_rho)
    )
    distance = math.nextafter(math.sqrt(l2_squared), math.inf)
    _refuse_more_than(Fraction(mechanism.map(distance)), nano_rho)
    return mechanism


@lru_cache(maxsize=256)
def _laplace(l1: int, nano_rho: int) -> Any:
    dp = _opendp()
    mechanism = dp.m.make_laplace(
        dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale=laplace_scale(l1, nano_rho)
    )
    _refuse_more_than(Fraction(mechanism.map(l1)) ** 2 / 2, nano_rho)
    return mechanism


def _refuse_more_than(cost: Fraction, nano_rho: int) -> None:
    if not 0 < cost <= Fraction(nano_rho, NANO):
        raise RuntimeError("the privacy map exceeds the price that was charged")


def threshold_loss(moves: Moves, nano_rho: int, threshold: int) -> tuple[Fraction, Fraction]:
    """(ρ, δ) by OpenDP's map of telling the noisy counts that are at least `threshold`, which is above linf."""
    mechanism = _thresholded(moves, nano_rho, threshold)
    cost, delta = mechanism.map((moves.l0, math.nextafter(math.sqrt(moves.l2_squared), math.inf), float(moves.linf)))
    return Fraction(cost), Fraction(delta)


def gaussian_threshold(
    cells: Integers, counts: Integers, moves: Moves, nano_rho: int, atto_delta: int, threshold: int
) -> tuple[Integers, Integers]:
    """Cells, ascending, and noisy counts of those whose noisy count is at least `threshold`; all others are dropped."""
    cost, delta = threshold_loss(moves, nano_rho, threshold)
    _refuse_more_than(cost, nano_rho)
    if not 0 < delta <= Fraction(atto_delta, ATTO):
        raise RuntimeError("the privacy map exceeds the delta that was charged")
    mechanism = _thresholded(moves, nano_rho, threshold)
    parts = range(0, cells.size, CHUNK)

    def drawn(start: int) -> dict[int, int]:
        part = slice(start, start + CHUNK)
        found: dict[int, int] = mechanism(dict(zip(cells[part].tolist(), counts[part].tolist(), strict=True)))
        return found

    # Noise is independent from key to key, so parts drawn side by side are the mechanism on the whole.
    with ThreadPoolExecutor(THREADS) as pool:
        told = {cell: noisy for part in pool.map(drawn, parts) for cell, noisy in part.items() if noisy >= threshold}
    keys = np.array(sorted(told), dtype=np.int64)
    return keys, np.array([told[key] for key in keys.tolist()], dtype=np.int64)


def _thresholded(moves: Moves, nano_rho: int, threshold: int) -> Any:
    """OpenDP's mechanism at one below the threshold.

    It tells counts that are equal to its own threshold too, but its δ is the tail of the continuous Gaussian beyond
    it, which bounds P(N > t) for the discrete N, and not P(N ≥ t) (0.16: at scale 1, threshold 4, linf 1 it claims
    0.00135 where the truth is 0.00457). So counts equal to its threshold are left out here, which makes its map hold:
    P(N ≥ m) ≤ P(Y ≥ m − 1) for the normal Y of the same scale (`disclosure.listing`).
    """
    dp = _opendp()
    return dp.m.make_gaussian_threshold(
        dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64")),
        dp.l02inf_distance(dp.absolute_distance(T="f64")),
        scale=sigma(moves.l2_squared, nano_rho),
        threshold=threshold - 1,
    )


def noised(mechanism: Callable[[Integers], list[int]], values: Integers) -> Integers:
    """`values` with independent noise in each, in their order; all of them or an exception.

    The mechanism adds independent noise of one scale to each coordinate, so parts of the vector drawn side by side
    are the mechanism on the whole vector, for which its map was asked.
    """
    flat = values.ravel()
    parts = np.array_split(flat, max(1, min(THREADS, math.ceil(flat.size / CHUNK))))
    if len(parts) == 1:
        return _drawn(mechanism, flat).reshape(values.shape)
    # A pool for each measurement: its threads cost nothing beside the noise, and none can be lost by a fork.
    with ThreadPoolExecutor(len(parts)) as pool:
        return np.concatenate(list(pool.map(lambda part: _drawn(mechanism, part), parts))).reshape(values.shape)


def _drawn(mechanism: Callable[[Integers], list[int]], part: Integers) -> Integers:
    noisy = np.array(mechanism(part), dtype=np.int64)
    if noisy.shape != part.shape:
        raise RuntimeError("the mechanism changed the shape of the table")
    return noisy


def noisy_max(scores: Integers, linf: int, nano_rho: int) -> int:
    """Place of (about) the largest score, where one pupil moves each score by at most `linf`.

    `make_noisy_max(vector_domain(i64), linf_distance)` under zero-concentrated divergence: the exponential mechanism
    by Gumbel noise. Scale s and distance d give (2d/s)²/8-zCDP by OpenDP's map (bounded range: Cesar & Rogers, arXiv
    2004.07223, Lemma 3.2).
    """
    found = int(_selection(linf, nano_rho)(scores))
    if not 0 <= found < scores.size:
        raise RuntimeError("the mechanism chose what is not there")
    return found


@lru_cache(maxsize=256)
def _selection(linf: int, nano_rho: int) -> Any:
    dp = _opendp()
    if nano_rho <= 0:
        raise ValueError("a choice needs a price above zero")
    mechanism = dp.m.make_noisy_max(
        dp.vector_domain(dp.atom_domain(T="i64")),
        dp.linf_distance(T="i64"),
        dp.zero_concentrated_divergence(),
        scale=linf * math.sqrt(NANO / (2 * nano_rho)) * HEADROOM,
    )
    _refuse_more_than(Fraction(mechanism.map(linf)), nano_rho)
    return mechanism


def zcdp_to_epsilon(nano_rho: int, delta: float) -> float:
    dp = _opendp()
    unit = dp.m.make_gaussian(
        dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=math.sqrt(NANO / (2 * nano_rho))
    )
    return float(dp.c.make_zCDP_to_approxDP(unit).map(1.0).epsilon(delta))
