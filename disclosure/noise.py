"""The only source of noise: OpenDP's discrete Gaussian on one integer vector.

`make_gaussian(vector_domain(i64), l2_distance)` is the discrete Gaussian of Canonne, Kamath & Steinke,
arXiv 2004.00010v5, Theorem 4: sensitivity Δ and scale σ give Δ²/(2σ²)-zCDP. OpenDP's own privacy map is asked,
before any value is passed in, whether it agrees with the price.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from disclosure.accounting import NANO
from disclosure.tables import Integers

HEADROOM = 1 + 1e-9
"""OpenDP rounds its privacy map upwards; this much extra noise keeps the map at or below the price."""


class NoiseSource(Protocol):
    def __call__(self, values: Integers, l2_squared: int, nano_rho: int) -> Integers:
        """Noisy copy of `values`, at a cost of at most `nano_rho`, for L2 sensitivity √l2_squared."""
        ...


@lru_cache(maxsize=1)
def _opendp() -> Any:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    return dp


def sigma(l2_squared: int, nano_rho: int) -> float:
    """Scale of the noise that this price buys: Δ / √(2ρ)."""
    if nano_rho <= 0:
        raise ValueError("noise needs a price above zero")
    return math.sqrt(l2_squared * NANO / (2 * nano_rho)) * HEADROOM


def discrete_gaussian(values: Integers, l2_squared: int, nano_rho: int) -> Integers:
    dp = _opendp()
    mechanism = dp.m.make_gaussian(
        dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=sigma(l2_squared, nano_rho)
    )
    distance = math.nextafter(math.sqrt(l2_squared), math.inf)
    cost = Fraction(mechanism.map(distance))
    if not 0 < cost <= Fraction(nano_rho, NANO):
        raise RuntimeError("the privacy map exceeds the price that was charged")
    noisy = np.array(mechanism(values.ravel()), dtype=np.int64)
    if noisy.size != values.size:
        raise RuntimeError("the mechanism changed the shape of the table")
    return noisy.reshape(values.shape)


def zcdp_to_epsilon(nano_rho: int, delta: float) -> float:
    dp = _opendp()
    unit = dp.m.make_gaussian(
        dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=math.sqrt(NANO / (2 * nano_rho))
    )
    return float(dp.c.make_zCDP_to_approxDP(unit).map(1.0).epsilon(delta))
