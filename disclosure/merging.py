"""Bins merged with their neighbours until each holds enough: what a quantile may be read from in `official` mode.

A quantile that is computed from the merged bins is a function of counts that are each at least the threshold (or of
everybody), rounded as all counts are; within a merged bin its place is that of an even spread.
"""

from __future__ import annotations

import numpy as np

from disclosure.rounding import nearest
from disclosure.tables import Integers


def merged(counts: Integers, least: int, base: int) -> Integers:
    """(cells, bins) → the same, each run of merged bins with its rounded count spread evenly over its bins."""
    runs = _runs(counts, least)
    masses, lengths = np.zeros_like(counts), np.zeros_like(counts)
    rows = np.broadcast_to(np.arange(counts.shape[0])[:, None], counts.shape)
    np.add.at(masses, (rows, runs), counts)
    np.add.at(lengths, (rows, runs), 1)
    mass, length = nearest(masses, base)[rows, runs], lengths[rows, runs]
    return np.asarray(mass // length + (_places(runs) < mass % length))


def _runs(counts: Integers, least: int) -> Integers:
    """The run that each bin is part of, from the lowest bin up; what is left over joins the last run."""
    held, run = np.zeros(counts.shape[0], np.int64), np.zeros(counts.shape[0], np.int64)
    runs = np.zeros_like(counts)
    for place in range(counts.shape[1]):
        runs[:, place] = run
        held += counts[:, place]
        full = held >= least
        run, held = run + full, np.where(full, 0, held)
    last = np.maximum(run - 1, 0)[:, None]
    return np.minimum(runs, last)


def _places(runs: Integers) -> Integers:
    """Of each bin within its run."""
    starts = np.diff(runs, axis=1, prepend=-1) != 0
    first = np.maximum.accumulate(np.where(starts, np.arange(runs.shape[1]), 0), axis=1)
    return np.arange(runs.shape[1], dtype=np.int64) - first
