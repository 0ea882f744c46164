"""How many rows one pupil can have in a table: from the declared key (checked at ingest) and the question alone.

Theorem (docs/theorems.md). Let the key be (pupil, time, …) with at most r rows of a pupil in one period. Group the
periods that the criteria admit by the bands of a time grouping; without one they form one block. A pupil has at
most r·(periods in band j) rows in block j, and the blocks are disjoint sets of cells. Without time in the key all
(at most r) rows of a pupil form one block; where each row is one pupil there is one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from datasets.catalogue import DataSet
from datasets.plan import Axis
from datasets.predicate import Predicate
from disclosure.sensitivity import Contribution


def contribution(data_set: DataSet, predicate: Predicate, axes: Sequence[Axis]) -> Contribution:
    key, time = data_set.key, data_set.time
    cells = prod(len(axis.codes) for axis in axes)
    if key.unit is None:
        return Contribution((1,), cells)
    if key.time is None or time is None:
        return Contribution((key.rows_per_period,), cells)
    admitted = predicate.admitted(data_set.domain.index(time))
    over_time = [axis for axis in axes if axis.variable == time]
    if not over_time:
        return Contribution((key.rows_per_period * admitted.bit_count(),), cells)
    finest = max(over_time, key=lambda axis: len(axis.codes))
    blocks = [sum(admitted >> atom & 1 for atom in group) for group in finest.groups]
    return Contribution(tuple(key.rows_per_period * n for n in blocks), cells // len(finest.codes))


def one_row_each(data_set: DataSet) -> bool:
    """Whether rows and pupils are the same thing in this data set."""
    key = data_set.key
    return key.unit is None or (key.time is None and key.rows_per_period == 1)
