"""How wrong a released number may be.

Counts: intervals that are right after masking and rounding, by inverting the two tails of what was actually released
(Neyman's construction with mid-P tails, conditional on the cell not being masked; Lee, Sun, Sun & Taylor,
arXiv 1311.6238v6, section 5). Everything else: `redraw` noise around the released aggregates, finish, take quantiles
(the parametric bootstrap). Both use public things and released numbers only, so neither costs privacy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import scipy

from disclosure.noise import scale_of_laplace
from disclosure.rounding import preimage
from disclosure.tables import Floats, Integers, Known, Noise

Key = TypeVar("Key", bound=Hashable)
DRAWS = 2000
FEW = 6
"""Columns up to which a lattice fills the space better than a hypercube does."""
_EXACT_BELOW = 30.0
"""Up to this σ the discrete Gaussian's tail is summed; beyond, the normal tail with continuity correction is
within 2e-5 of it."""


@lru_cache(maxsize=256)
def _tail_table(sigma: float) -> tuple[int, Floats]:
    reach = math.ceil(12 * sigma) + 2
    mass = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return reach, np.cumsum(mass[::-1])[::-1] / mass.sum()


def upper_tail(k: Integers, sigma: float, law: Noise = Noise.GAUSSIAN) -> Floats:
    """P(N ≥ k) for the discrete Gaussian N of scale sigma, or the discrete Laplace N of this standard deviation."""
    if law is Noise.LAPLACE:
        return _laplace_tail(k, scale_of_laplace(sigma))
    if sigma > _EXACT_BELOW:
        return np.asarray(scipy.special.ndtr(-(k - 0.5) / sigma))
    reach, tail = _tail_table(sigma)
    clipped = np.minimum(np.maximum(k + reach, 0), 2 * reach)  # np.clip takes longer than all the rest on few numbers
    return np.where(k > reach, 0.0, np.where(k < -reach, 1.0, tail[clipped]))


def _laplace_tail(k: Integers, scale: float) -> Floats:
    """P(N = k) is proportional to p^|k| with p = e^(−1/b), so P(N ≥ k) = p^k/(1 + p) for k ≥ 1; N is symmetric."""
    p = math.exp(-1 / scale)
    beyond = np.exp(-np.maximum(k, 1 - k) / scale) / (1 + p)
    return np.where(k >= 1, beyond, 1 - beyond)


def deviations(alpha: float, law: Noise) -> float:
    """Standard deviations that noise of this law, or a mix of several such, passes with probability alpha at most.

    A mix of independent Laplace noises lies between the Laplace and the normal law; so does its tail.
    """
    normal = float(-scipy.special.ndtri(alpha))
    return max(normal, -math.log(2 * alpha) / math.sqrt(2)) if law is Noise.LAPLACE else normal


def count_intervals(
    rounded: Integers, sigma: float, base: int, threshold: int, confidence: float, law: Noise = Noise.GAUSSIAN
) -> tuple[Integers, Integers]:
    """For each released number all true counts x ≥ 0 for which it is not in a tail of size (1 − confidence)/2.

    A released number is the nearest multiple of `base` to x + N, given that x + N ≥ threshold. Tails are mid-P tails
    (Lancaster, JASA 56, 1961), whose coverage averages to the confidence, where whole tails cover too much: numbers
    come in steps of the base. Tails are monotone in x, so bisection finds the ends, for all distinct numbers at once.
    """
    low, high = preimage(rounded, base)
    low = np.maximum(low, threshold) if threshold > 0 else low
    if sigma == 0:
        return np.maximum(low, 0), np.maximum(high, 0)
    distinct, back = np.unique(np.stack([low, high]), axis=1, return_inverse=True)
    lower, upper = _ends(distinct[0], distinct[1], sigma, threshold, (1 - confidence) / 2, law)
    # Just over the threshold a number may be unlikely whatever the truth; its interval still holds the number itself.
    lower, upper = lower[back].reshape(rounded.shape), upper[back].reshape(rounded.shape)
    # A number far under zero refutes every count; its interval is zero then.
    return np.minimum(lower, np.maximum(rounded, 0)), np.maximum(upper, np.maximum(rounded, 0))


def _ends(
    low: Integers, high: Integers, sigma: float, threshold: int, alpha: float, law: Noise
) -> tuple[Integers, Integers]:
    """The ends of the mid-P interval: half of the probability of what was seen counts to either tail."""
    memoryless = law is Noise.LAPLACE and threshold > 0

    def not_less(x: Integers) -> Floats:
        if memoryless:
            # Given that it passes a threshold above x, Laplace noise passes it by the same law wherever x is.
            x = np.maximum(x, threshold - 1)
        shown = upper_tail(threshold - x, sigma, law) if threshold > 0 else np.ones(x.shape)
        above = (upper_tail(low - x, sigma, law) + upper_tail(high + 1 - x, sigma, law)) / 2
        return np.asarray(above / np.maximum(shown, 1e-300))

    span = math.ceil((deviations(alpha, law) + 6) * sigma) + 2
    below, above = np.maximum(low - span, 0), np.maximum(high + span, 0)
    if memoryless:
        below = np.where(below < threshold, 0, below)  # or the search would start where all counts are alike
    lower = _first(lambda x: not_less(x) > alpha, below, above)
    upper = _first(lambda x: 1 - not_less(x) <= alpha, below, above + 1) - 1
    return lower, upper


def _first(holds: Callable[[Integers], npt.NDArray[np.bool_]], start: Integers, end: Integers) -> Integers:
    """Smallest x in [start, end] from which the monotone condition holds; end where it nowhere does."""
    while (start < end).any():
        middle = (start + end) // 2
        yes = holds(middle) | (start >= end)
        start, end = np.where(yes, start, middle + 1), np.where(yes, np.minimum(middle, end), end)
    return start


@lru_cache(maxsize=1024)
def count_margin(sigma: float, base: int, confidence: float, law: Noise = Noise.GAUSSIAN) -> int:
    """Half-width of the interval of a count that is far from zero and from the threshold."""
    far = np.array([base * math.ceil((12 * sigma + base) / base) * 2], dtype=np.int64)
    low, high = count_intervals(far, sigma, base, 0, confidence, law)
    return math.ceil((int(high[0]) - int(low[0])) / 2)


def redraw(table: Mapping[Key, Known], cells: slice) -> dict[Key, Floats]:
    """Noise drawn again around released numbers: float (DRAWS, cells, numbers) per key.

    Draws are shared between cells, since an interval speaks of one cell, and come from a fixed sequence, so the same
    release always shows the same interval.
    """
    stream = _normal_scores(tuple(known.values.shape[1] if known.sd.any() else 0 for known in table.values()))
    return {
        key: known.values[cells] + known.sd[cells] * _of_law(next(stream), known.noise)
        if known.sd.any()
        else known.values[cells][None]
        for key, known in table.items()
    }


def _of_law(scores: Floats, law: Noise) -> Floats:
    """Normal scores as quantiles of the law at unit standard deviation."""
    if law is not Noise.LAPLACE:
        return scores
    return np.asarray(-np.sign(scores) * (math.log(2) + scipy.special.log_ndtr(-np.abs(scores))) / math.sqrt(2))


def _normal_scores(columns: tuple[int, ...]) -> Iterator[Floats]:
    """Standard normal (DRAWS, 1, columns) blocks that fill the space evenly, each draw beside its mirror image."""
    total = sum(columns)
    half = _lattice(total) if total <= FEW else _hypercube(total)
    half = _uncorrelated(half) if total <= FEW else half
    scores, at = np.concatenate([half, -half]), 0
    for count in columns:
        if count:
            yield scores[:, None, at : at + count]
            at += count


def _uncorrelated(half: Floats) -> Floats:
    """With exactly the unit covariance that the noise has."""
    return np.asarray(half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / len(half))).T)


@lru_cache(maxsize=64)
def _lattice(columns: int) -> Floats:
    """The additive recurrence of the generalised golden ratio (Roberts 2018): low discrepancy in few dimensions."""
    root = 1.5
    for _ in range(60):
        root = (1 + root) ** (1 / (columns + 1))
    steps = root ** -np.arange(1, columns + 1)
    points = (0.5 + np.outer(np.arange(1, DRAWS // 2 + 1), steps)) % 1.0
    return np.asarray(scipy.special.ndtri(np.clip(points, 1e-12, 1 - 1e-12)))


@lru_cache(maxsize=8)
def _hypercube(columns: int) -> Floats:
    """Latin hypercube: every column a permutation of the same even scores."""
    rows = DRAWS // 2
    scores = np.repeat(np.asarray(scipy.special.ndtri((np.arange(rows) + 0.5) / rows))[:, None], columns, axis=1)
    generator = np.random.Generator(np.random.Philox(key=20261121))  # noqa: TID251 - simulation, not privacy noise
    return generator.permuted(scores, axis=0)
