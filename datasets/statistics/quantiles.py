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
    number_bounds,
    number_decimals,
    number_unit,
)
from datasets.variables import Code
from disclosure.accuracy import Floats
from disclosure.aggregates import BinnedCount


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


def _to_bin_ends(low: Floats, high: Floats, subject: Subject) -> tuple[Floats, Floats]:
    """A quantile is known to a bin: the interval runs to the ends of the bins it touches."""
    edges = in_units(np.asarray(subject.numbers.edges, dtype=np.float64), subject)
    first = np.clip(np.searchsorted(edges, low, side="right") - 1, 0, edges.size - 1)
    last = np.clip(np.searchsorted(edges, high, side="left"), 0, edges.size - 1)
    return np.where(np.isnan(low), np.nan, edges[first]), np.where(np.isnan(high), np.nan, edges[last])


QUANTILE = Statistic(
    name="quantile",
    summary="quantiles of a number at given probabilities",
    takes=Takes.BINNED_NUMBER,
    needs=lambda subject: (_bins(subject),),
    finish=_quantiles,
    unit=number_unit,
    decimals=number_decimals,
    bounds=number_bounds,
    outputs=lambda subject: tuple(
        Code(f"{p.normalize():f}", f"quantile {p.normalize():f}") for p in subject.measure.probabilities
    ),
    scale=half_range,
    widen=_to_bin_ends,
)


def _halfway(measure: Measure) -> Measure:
    return replace(measure, probabilities=(Decimal("0.5"),))


MEDIAN = replace(
    QUANTILE,
    name="median",
    summary="median of a number",
    finish=lambda draws, subject: _quantiles(draws, replace(subject, measure=_halfway(subject.measure))),
    outputs=lambda subject: (Code("", ""),),
)
