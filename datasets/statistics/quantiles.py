"""Quantiles of a number from counts of its bins; known to a bin, interpolated within it.

Where bins are many, coarser bins are counted too, and all counts are put together by weighted least squares: a
cumulative count is then a sum of a few numbers rather than of all bins below (Hay, Rastogi, Miklau & Suciu, PVLDB
3(1), 2010).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

import numpy as np

from datasets.query import Measure
from datasets.statistics.recipe import (
    Behind,
    Draws,
    Ends,
    KnownTable,
    Statistic,
    Subject,
    Takes,
    half_range,
    in_units,
    number_decimals,
    number_unit,
    range_bounds,
    total,
)
from datasets.variables import Code
from disclosure.accuracy import deviations
from disclosure.aggregates import BinnedCount
from disclosure.consistency import consistent
from disclosure.margins import Chain, Margin
from disclosure.tables import Floats, Noise

WORTH_IT = 0.85
"""Coarser bins are counted where they bring the deviation of cumulative counts, at one price, down to this."""
WIDTHS = (4, 6, 8, 10, 12, 16, 24)
MANY = 400
"""Beyond so many bins the best width is taken to be that of so many."""


def _binned(subject: Subject, width: int) -> BinnedCount:
    """Bins of so many intervals each, without the "missing" atom."""
    intervals = len(subject.numbers.edges) - 1
    starts = range(0, intervals, width)
    return BinnedCount(subject.named.name, tuple(tuple(range(s, min(s + width, intervals))) for s in starts))


def _levels(subject: Subject) -> tuple[BinnedCount, ...]:
    """The bins, and coarser ones where those help; finest first."""
    width = _width(len(subject.numbers.edges) - 1)
    fine = _binned(subject, 1)
    return (fine,) if width == 1 else (fine, _binned(subject, width))


@lru_cache(maxsize=256)
def _width(bins: int) -> int:
    """The width of coarser bins that makes cumulative counts best known at one price; 1 for none."""
    few = min(bins, MANY)
    found = {width: _cumulative_deviation(few, width) for width in WIDTHS if 2 * width <= few}
    best = min(found, key=lambda width: found[width], default=1)
    return best if best in found and found[best] <= WORTH_IT * _cumulative_deviation(few, 1) else 1


def _cumulative_deviation(bins: int, width: int) -> float:
    """Root mean square over all bins, at the median, for one price in all."""
    levels = 1 if width == 1 else 2
    return float(np.sqrt(_excess_variances(bins, width, (float(levels),) * levels, 0.5).mean()))


def _chain(bins: int, width: int) -> Chain:
    if width == 1:
        return Chain(bins, ((0,) * bins,))
    coarse = tuple(i // width for i in range(bins))
    return Chain(bins, (coarse, (0,) * (coarse[-1] + 1)))


@lru_cache(maxsize=8)
def _operator(bins: int, width: int, variances: tuple[float, ...]) -> Floats:
    """Counts of all levels, finest first, → best counts of the bins: (bins, all numbers)."""
    if width == 1:
        return np.eye(bins)
    chain = _chain(bins, width)
    sizes = (bins, chain.parents[0][-1] + 1)
    unit = np.eye(sum(sizes))
    parts = np.split(unit, [bins])
    measured: dict[Margin, tuple[Floats, float]] = {
        (level,): (part, variances[level]) for level, part in enumerate(parts)
    }
    return np.asarray(consistent((chain,), measured)[(0,)].values)


@lru_cache(maxsize=64)
def _cumulative_variances(bins: int, width: int, variances: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    """Of F_b, the count up to and with bin b, for every b; its covariance with the count of all, N; variance of N."""
    upto = np.cumsum(_operator(bins, width, variances), axis=0)
    sizes = (bins,) if width == 1 else (bins, upto.shape[1] - bins)
    noise = np.repeat(variances, sizes)
    return upto**2 @ noise, (upto * upto[-1]) @ noise, upto[-1:] ** 2 @ noise


def _excess_variances(bins: int, width: int, variances: tuple[float, ...], p: float) -> Floats:
    """Of F_b − p·N, for every b."""
    own, shared, everybody = _cumulative_variances(bins, width, variances)
    return np.asarray(np.maximum(own - 2 * p * shared + p**2 * everybody, 0))


def _merged(draws: Draws, subject: Subject, variances: tuple[float, ...]) -> Floats:
    levels = _levels(subject)
    operator = _operator(len(levels[0].bins), _width(len(levels[0].bins)), variances)
    return np.concatenate([draws[level] for level in levels], axis=-1) @ operator.T


def _at_equal_price(draws: Draws, subject: Subject) -> Floats:
    return _quantiles(_merged(draws, subject, (1.0,) * len(_levels(subject))), subject)


def _quantiles(mass: Floats, subject: Subject) -> Floats:
    """Bins wholly below the target are counted rather than searched for, which noise pulls neither up nor down."""
    edges = np.asarray(subject.numbers.edges, dtype=np.float64)
    below = np.cumsum(mass, axis=-1)
    everybody = below[..., -1]
    found = []
    for p in subject.measure.probabilities:
        target = float(p) * everybody
        at = np.minimum((below < target[..., None]).sum(axis=-1), edges.size - 2)
        here = np.take_along_axis(mass, at[..., None], axis=-1)[..., 0]
        start = np.take_along_axis(below, at[..., None], axis=-1)[..., 0] - here
        inside = np.clip(np.where(here > 0, (target - start) / np.where(here > 0, here, 1), 0.5), 0, 1)
        found.append(np.where(everybody >= 1, edges[at] + inside * (edges[at + 1] - edges[at]), np.nan))
    return in_units(np.stack(found, axis=-1), subject)


def _estimate(known: KnownTable, subject: Subject, alpha: float) -> Ends:
    """Cells whose bins are known equally well are put together in one go."""
    levels = _levels(subject)
    deviations = np.concatenate([known[level].sd for level in levels], axis=1)
    alike, which = np.unique(deviations, axis=0, return_inverse=True)
    found = [np.zeros((deviations.shape[0], len(subject.measure.probabilities))) for _ in range(3)]
    for i, sd in enumerate(alike):
        cells = np.flatnonzero(which.ravel() == i)
        variances = tuple((sd**2).tolist()) if sd.all() else (1.0,) * len(levels)
        mass = _merged({level: known[level].values[cells][None] for level in levels}, subject, variances)
        found[0][cells] = _quantiles(mass, subject)[0]
        found[1][cells], found[2][cells] = _ends(
            mass[0], tuple((sd**2).tolist()), subject, alpha, known[levels[0]].noise
        )
    return found[0], found[1], found[2]


def _ends(
    mass: Floats, variances: tuple[float, ...], subject: Subject, alpha: float, noise: Noise
) -> tuple[Floats, Floats]:
    """From the first to the last bin that the quantile could lie in, by testing each bin.

    With F_b the count up to bin b and N the count of all, the quantile lies in bin b if F_b ≥ pN and F_(b−1) < pN. The
    variance of F_b − pN is known, and a bin is possible unless one of the two is refuted at level alpha. Where data
    are thin this is wide, as it should be: noise is then all that is seen.
    """
    edges = in_units(np.asarray(subject.numbers.edges, dtype=np.float64), subject)
    below = np.cumsum(mass, axis=1, dtype=np.float64)
    bins, z = below.shape[1], deviations(alpha, noise)
    lower, upper = [], []
    for p in map(float, subject.measure.probabilities):
        margin = z * np.sqrt(_excess_variances(bins, _width(bins), variances, p))
        excess = below - p * below[:, -1:]
        reached, before = excess >= -margin, excess[:, :-1] <= margin[:-1]
        possible = reached & np.concatenate([np.ones((below.shape[0], 1), dtype=bool), before], axis=1)
        none = ~possible.any(axis=1)
        lower.append(np.where(none, edges[0], edges[possible.argmax(axis=1)]))
        upper.append(np.where(none, edges[-1], edges[bins - possible[:, ::-1].argmax(axis=1)]))
    return np.stack(lower, axis=1), np.stack(upper, axis=1)


def _behind(known: KnownTable, subject: Subject) -> list[Behind]:
    """Everybody, as the level with fewest numbers has it."""
    return [total(known[_levels(subject)[-1]])]


QUANTILE = Statistic(
    name="quantile",
    summary="quantiles of a number at given probabilities",
    takes=Takes.BINNED_NUMBER_AND_PROBABILITIES,
    needs=_levels,
    finish=_at_equal_price,
    unit=number_unit,
    decimals=number_decimals,
    bounds=range_bounds,
    outputs=lambda subject: tuple(
        Code(f"{p.normalize():f}", f"quantile {p.normalize():f}") for p in subject.measure.probabilities
    ),
    scale=half_range,
    estimate=_estimate,
    behind=_behind,
    probabilities=lambda subject: subject.measure.probabilities,
)


def _halfway(subject: Subject) -> Subject:
    measure: Measure = replace(subject.measure, probabilities=(Decimal("0.5"),))
    return replace(subject, measure=measure)


MEDIAN = replace(
    QUANTILE,
    name="median",
    summary="median of a number",
    takes=Takes.BINNED_NUMBER,
    finish=lambda draws, subject: _at_equal_price(draws, _halfway(subject)),
    estimate=lambda known, subject, alpha: _estimate(known, _halfway(subject), alpha),
    outputs=lambda subject: (Code("", ""),),
    probabilities=lambda subject: (Decimal("0.5"),),
)
