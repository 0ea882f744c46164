"""How wrong a released number may be.

Counts: exact intervals, right after masking and rounding, by inverting the two tails of what was actually released
(Neyman's construction, conditional on the cell not being masked; the truncated case is Lee, Sun, Sun & Taylor,
arXiv 1311.6238v6, section 5). Everything else: `redraw` noise around the released aggregates, finish, take quantiles
(the parametric bootstrap). Both use public things and released numbers only, so neither costs privacy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from disclosure.aggregates import Aggregate
from disclosure.rounding import preimage
from disclosure.tables import Integers, ProtectedTable

Floats = npt.NDArray[np.float64]
DRAWS = 1000
_EXACT_BELOW = 30.0
"""Up to this σ the discrete Gaussian's tail is summed; beyond, the normal tail with continuity correction is
within 2e-5 of it."""


@lru_cache(maxsize=256)
def _tail_table(sigma: float) -> tuple[int, Floats]:
    reach = math.ceil(12 * sigma) + 2
    mass = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return reach, np.cumsum(mass[::-1])[::-1] / mass.sum()


def upper_tail(k: Integers, sigma: float) -> Floats:
    """P(N ≥ k) for the discrete Gaussian N of scale sigma."""
    if sigma > _EXACT_BELOW:
        return np.asarray(ndtr(-(k - 0.5) / sigma))
    reach, tail = _tail_table(sigma)
    clipped = np.clip(k + reach, 0, 2 * reach)
    return np.where(k > reach, 0.0, np.where(k < -reach, 1.0, tail[clipped]))


@lru_cache(maxsize=65536)
def count_interval(rounded: int, sigma: float, base: int, threshold: int, confidence: float) -> tuple[int, int]:
    """All true counts x ≥ 0 for which this released number is not in a tail of size (1 − confidence)/2.

    The released number is the nearest multiple of `base` to x + N, given that x + N ≥ threshold.
    """
    low, high = preimage(rounded, base)
    if sigma == 0:
        return max(low, threshold, 0), max(high, 0)
    low = max(low, threshold) if threshold > 0 else low
    alpha = (1 - confidence) / 2
    span = math.ceil((float(ndtri(1 - alpha)) + 6) * sigma) + base + 2
    x = np.arange(max(0, low - span), max(0, high + span) + 1, dtype=np.int64)
    seen = upper_tail(threshold - x, sigma) if threshold > 0 else np.ones(x.shape)
    seen = np.maximum(seen, 1e-300)
    at_least = upper_tail(low - x, sigma) / seen
    at_most = 1 - upper_tail(high + 1 - x, sigma) / seen
    fits = x[(at_least > alpha) & (at_most > alpha)]
    if fits.size == 0:
        return 0, max(high, 0)
    return int(fits[0]), int(fits[-1])


def _far(sigma: float, base: int, confidence: float) -> tuple[int, int, int]:
    """A released number so large that the threshold plays no part, and its interval."""
    far = base * math.ceil((12 * sigma + base) / base) * 2
    return far, *count_interval(far, sigma, base, 0, confidence)


def count_intervals(
    rounded: Integers, sigma: float, base: int, threshold: int, confidence: float
) -> tuple[Integers, Integers]:
    """`count_interval` of every number; far from the threshold the interval only shifts."""
    far, low, high = _far(sigma, base, confidence)
    lower, upper = rounded + (low - far), rounded + (high - far)
    near = rounded < threshold + far
    for value in np.unique(rounded[near]):
        ends = count_interval(int(value), sigma, base, threshold, confidence)
        lower[rounded == value], upper[rounded == value] = ends
    return lower, upper


def count_margin(sigma: float, base: int, confidence: float) -> int:
    """Half-width of the interval of a count that is far from the threshold."""
    _, low, high = _far(sigma, base, confidence)
    return math.ceil((high - low) / 2)


def redraw(table: ProtectedTable, cells: slice, bins: Mapping[Aggregate, int]) -> dict[Aggregate, Floats]:
    """Noise drawn again around released numbers: float (DRAWS, cells, bins) per aggregate.

    Draws are shared between cells, since an interval speaks of one cell. Latin hypercube samples from a fixed
    stream, so the same release always shows the same interval.
    """
    stream = _normal_scores(tuple((bins[a] if m.sigma else 0) for a, m in table.items()))
    return {
        aggregate: m.values[cells].astype(np.float64) + m.sigma * next(stream)
        if m.sigma
        else m.values[cells].astype(np.float64)[None]
        for aggregate, m in table.items()
    }


def _normal_scores(columns: tuple[int, ...]) -> Iterator[Floats]:
    scores = np.asarray(ndtri((np.arange(DRAWS) + 0.5) / DRAWS))
    generator = np.random.Generator(np.random.Philox(key=20261121))  # noqa: TID251 - simulation, not privacy noise
    for count in columns:
        if count:
            block = np.repeat(scores[:, None], count, axis=1)
            yield generator.permuted(block, axis=0)[:, None, :]
