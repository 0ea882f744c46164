"""Quantiles of a number from counts of its bins; known to a bin, interpolated within it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from datasets.query import Measure
from datasets.statistics.recipe import (
    Draws,
    Statistic,
    Subject,
    Takes,
    half_range,
    in_units,
    number_decimals,
    number_unit,
    range_bounds,
)
from datasets.variables import Code
from disclosure.accuracy import Floats, deviations
from disclosure.aggregates import BinnedCount
from disclosure.tables import ProtectedTable


def _bins(subject: Subject) -> BinnedCount:
    """One bin per interval, without the "missing" atom."""
    intervals = len(subject.numbers.edges) - 1
    return BinnedCount(subject.named.name, tuple((i,) for i in range(intervals)))


def _quantiles(draws: Draws, subject: Subject) -> Floats:
    """Bins wholly below the target are counted rather than searched for, which noise pulls neither up nor down."""
    edges = np.asarray(subject.numbers.edges, dtype=np.float64)
    mass = draws[_bins(subject)]
    below = np.cumsum(mass, axis=-1)
    total = below[..., -1]
    found = []
    for p in subject.measure.probabilities:
        target = float(p) * total
        at = np.minimum((below < target[..., None]).sum(axis=-1), edges.size - 2)
        here = np.take_along_axis(mass, at[..., None], axis=-1)[..., 0]
        start = np.take_along_axis(below, at[..., None], axis=-1)[..., 0] - here
        inside = np.clip(np.where(here > 0, (target - start) / np.where(here > 0, here, 1), 0.5), 0, 1)
        found.append(np.where(total >= 1, edges[at] + inside * (edges[at + 1] - edges[at]), np.nan))
    return in_units(np.stack(found, axis=-1), subject)


def _ends(table: ProtectedTable, subject: Subject, alpha: float) -> tuple[Floats, Floats]:
    """From the first to the last bin that the quantile could lie in, by testing each bin.

    With F_b the count up to bin b (of B) and N the count of all, the quantile lies in bin b if F_b ≥ pN and
    F_(b−1) < pN. F_b − pN has noise of variance σ²(b(1−p)² + (B−b)p²), and a bin is possible unless one of the two
    is refuted at level alpha. Where data are thin this is wide, as it should be: noise is then all that is seen.
    """
    measured = table[_bins(subject)]
    edges = in_units(np.asarray(subject.numbers.edges, dtype=np.float64), subject)
    below = np.cumsum(measured.values, axis=1, dtype=np.float64)
    bins, z = below.shape[1], deviations(alpha, measured.noise)
    lower, upper = [], []
    for p in map(float, subject.measure.probabilities):
        b = np.arange(1, bins + 1)
        margin = z * measured.sigma * np.sqrt(b * (1 - p) ** 2 + (bins - b) * p**2)
        excess = below - p * below[:, -1:]
        reached, before = excess >= -margin, excess[:, :-1] <= margin[:-1]
        possible = reached & np.concatenate([np.ones((below.shape[0], 1), dtype=bool), before], axis=1)
        none = ~possible.any(axis=1)
        lower.append(np.where(none, edges[0], edges[possible.argmax(axis=1)]))
        upper.append(np.where(none, edges[-1], edges[bins - possible[:, ::-1].argmax(axis=1)]))
    return np.stack(lower, axis=1), np.stack(upper, axis=1)


QUANTILE = Statistic(
    name="quantile",
    summary="quantiles of a number at given probabilities",
    takes=Takes.BINNED_NUMBER,
    needs=lambda subject: (_bins(subject),),
    finish=_quantiles,
    unit=number_unit,
    decimals=number_decimals,
    bounds=range_bounds,
    outputs=lambda subject: tuple(
        Code(f"{p.normalize():f}", f"quantile {p.normalize():f}") for p in subject.measure.probabilities
    ),
    scale=half_range,
    interval=_ends,
)


def _halfway(measure: Measure) -> Measure:
    return replace(measure, probabilities=(Decimal("0.5"),))


MEDIAN = replace(
    QUANTILE,
    name="median",
    summary="median of a number",
    finish=lambda draws, subject: _quantiles(draws, replace(subject, measure=_halfway(subject.measure))),
    interval=lambda table, subject, alpha: _ends(table, replace(subject, measure=_halfway(subject.measure)), alpha),
    outputs=lambda subject: (Code("", ""),),
)
