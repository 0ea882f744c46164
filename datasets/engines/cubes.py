"""Count cubes in front of another engine: what they can answer needs no scan; everything else is handed on.

Which of the two answers is decided by the plan and the axes of the cubes, so by public things; so is how much a cube
adds up. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from datasets.contribution import contribution
from datasets.cubes import Cube, Shown, edges, tabulate, work
from datasets.plan import EngineFailed, Plan
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, bins_of
from disclosure.tables import ExactGroups, ExactTable, Integers

MOST_WORK = 32_000_000
"""Numbers that a cube reads or adds for one aggregate; beyond, a scan may be less. It bounds the time, too."""
MOST_LISTED = 4_000_000
"""Cells that a cube lays out to list those that have rows."""


class Engine(Protocol):
    def aggregate(self, plan: Plan) -> ExactTable: ...
    def listed(self, plan: Plan) -> ExactGroups: ...
    def close(self) -> None: ...


class CubeEngine:
    """cubes: by data set. They are read only, so any number of queries may share them."""

    def __init__(self, behind: Engine, cubes: Mapping[str, Sequence[Cube]]) -> None:
        self._behind, self._cubes = behind, dict(cubes)

    def aggregate(self, plan: Plan) -> ExactTable:
        cube = self.cube_for(plan)
        if cube is None:
            return self._behind.aggregate(plan)
        try:
            return ExactTable({a: _numbers(cube, plan, a) for a in plan.aggregates}, plan.cells)
        except MemoryError:
            raise EngineFailed from None

    def listed(self, plan: Plan) -> ExactGroups:
        if self.cube_for(plan) is None or plan.cells > MOST_LISTED:
            return self._behind.listed(plan)
        table = self.aggregate(plan)
        (counts,) = (table[a][:, 0] for a in plan.aggregates)
        cells = np.flatnonzero(counts).astype(np.int64)
        return ExactGroups(cells, counts[cells])

    def close(self) -> None:
        self._cubes.clear()
        self._behind.close()

    def cube_for(self, plan: Plan) -> Cube | None:
        """The smallest that has all that the plan speaks of; None where there is none, or a scan must be."""
        if plan.evidence or not all(_counts_rows(aggregate, plan) for aggregate in plan.aggregates):
            return None
        wanted = _spoken_of(plan)
        able = [cube for cube in self._cubes.get(plan.data_set.id, ()) if wanted <= set(cube.axes)]
        smallest = min(able, key=lambda cube: cube.counts.size, default=None)
        return smallest if smallest is not None and _affordable(smallest, plan) else None


def _affordable(cube: Cube, plan: Plan) -> bool:
    whole = edges(plan.predicate) * cube.counts.size
    return whole <= MOST_WORK or work(cube, plan.data_set, plan.predicate) <= MOST_WORK


def _counts_rows(aggregate: Aggregate, plan: Plan) -> bool:
    """Whether it is told by how many rows there are of each combination of atoms."""
    match aggregate:
        case Count(present):
            return not present
        case DistinctCount(None):
            of_pupil = contribution(plan.data_set, plan.predicate, plan.axes)
            return max(of_pupil.most_per_cell or of_pupil.blocks) == 1
        case BinnedCount() | DistinctCount():
            return True
        case _:
            return False


def _spoken_of(plan: Plan) -> set[str]:
    """Variables that criteria, groupings and aggregates name."""
    tested = {plan.data_set.domain[node.level].name for node in plan.predicate.nodes}
    return tested | {axis.variable.name for axis in plan.axes} | set(_further(plan.aggregates))


def _further(aggregates: Iterable[Aggregate]) -> Iterable[str]:
    return (a.variable for a in aggregates if isinstance(a, BinnedCount | DistinctCount) and a.variable)


def _numbers(cube: Cube, plan: Plan, aggregate: Aggregate) -> Integers:
    """int64 of shape (cells, bins)."""
    shown = [Shown(axis.variable.name, axis.groups) for axis in plan.axes]
    match aggregate:
        case BinnedCount(variable, bins):
            shown.append(Shown(variable, bins))
        case DistinctCount(str(variable)):
            shown.append(Shown(variable, tuple((atom,) for atom in range(len(plan.data_set.by_name[variable].atoms)))))
        case _:
            pass
    table = tabulate(cube, plan.data_set, plan.predicate, shown)
    if isinstance(aggregate, DistinctCount) and aggregate.variable:
        table = np.count_nonzero(table, axis=-1).astype(np.int64)
    return table.reshape(plan.cells, bins_of(aggregate))
