"""How many rows one pupil can have in a table: from the declared key (checked at ingest) and the question alone.

Theorem (docs/theorems.md). Let the key be (pupil, time, also) with at most r rows of a pupil in one period. For each
variable, let its parts be the non-empty intersections of its groupings (all its values, where it is not grouped), each
counted by the atoms that the criteria admit.

Blocks are the parts of time. Within one period, no two rows of a pupil agree in all categories of `also`, so there
are at most min(r, Π all atoms) rows of a pupil in the table and min(r, Π atoms of the largest part) in one cell; a
block of n periods has n times as many. A pupil reaches one part of a fixed variable, and any of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from datasets.catalogue import DataSet
from datasets.plan import Axis
from datasets.predicate import Predicate
from datasets.variables import Variable
from disclosure.sensitivity import Contribution


def contribution(data_set: DataSet, predicate: Predicate, axes: Sequence[Axis]) -> Contribution:
    key = data_set.key
    if key.unit is None:
        return Contribution((1,), 1)
    grouped = {axis.variable.name for axis in axes}
    wanted = [v for v in data_set.domain if v.name in grouped | {key.time, *key.also}]
    parts = {v.name: _parts(v, data_set, predicate, axes) for v in wanted}
    # A table that no row can fall into (two groupings that share no value) has no block; it is measured as any other.
    blocks = (parts[key.time] if key.time else [1]) or [1]
    rows, most = _in_one_period(data_set, parts)
    cells = max(1, prod(len(parts[name]) for name in grouped - {key.time, *data_set.fixed}))
    return Contribution(tuple(rows * n for n in blocks), cells, tuple(most * n for n in blocks))


def _parts(variable: Variable, data_set: DataSet, predicate: Predicate, axes: Sequence[Axis]) -> list[int]:
    """Admitted atoms in each non-empty intersection of the variable's groupings."""
    groupings = [
        {atom: place for place, group in enumerate(axis.groups) for atom in group}
        for axis in axes
        if axis.variable.name == variable.name
    ]
    admitted = predicate.admitted(data_set.domain.index(variable))
    if not groupings:
        return [admitted.bit_count()]
    shown = [atom for atom in groupings[0] if admitted >> atom & 1 and all(atom in g for g in groupings)]
    return list(Counter(tuple(g[atom] for g in groupings) for atom in shown).values())


def _in_one_period(data_set: DataSet, parts: dict[str, list[int]]) -> tuple[int, int]:
    """Most rows of one pupil in one period: in the table, and in one cell."""
    key = data_set.key
    rest = [data_set.by_name[name] for name in set(key.also) - {key.time, *data_set.fixed}]
    # A bin holds many values of a number, so a number in the key bounds nothing.
    if not key.also or any(v.numbers for v in rest):
        return key.rows_per_period, key.rows_per_period
    table = prod(sum(parts[v.name]) for v in rest)
    cell = prod(max(parts[v.name], default=0) for v in rest)
    return max(1, min(key.rows_per_period, table)), max(1, min(key.rows_per_period, cell))


def one_row_each(data_set: DataSet) -> bool:
    """Whether rows and pupils are the same thing in this data set."""
    key = data_set.key
    return key.unit is None or (key.time is None and key.rows_per_period == 1)
