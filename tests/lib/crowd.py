"""Millions of pupils in an instant: every combination of codes of the small school with a weight, each row a pupil."""

from __future__ import annotations

from itertools import product

import numpy as np

from datasets.catalogue import DataSet
from datasets.plan import Plan
from datasets.predicate import Predicate
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.tables import ExactTable, Flags, Integers
from tests.lib import school


class Crowd:
    """An engine over `least` to `most` pupils of each combination of codes; numbers go with their atoms."""

    def __init__(self, data_set: DataSet, least: int, most: int, seed: int = 1) -> None:
        stream = np.random.default_rng(seed)
        places = np.array(list(product(*(range(len(v.atoms)) for v in data_set.domain))))
        self.data_set = data_set
        self.atoms = {v.name: places[:, i] for i, v in enumerate(data_set.domain)}
        self.weights = stream.integers(least, most + 1, len(places))
        self.ticks = {v.name: self._ticks(v.name, stream) for v in data_set.variables if v.numbers}
        self._rows = [tuple(row) for row in places.tolist()]
        self._admitted: dict[Predicate, Flags] = {}

    def _ticks(self, name: str, stream: np.random.Generator) -> Integers:
        """Missing is below every valid value."""
        numbers = self.data_set.by_name[name].numbers
        assert numbers is not None
        if name not in self.atoms:
            return stream.integers(numbers.lowest, numbers.highest + 1, len(self.weights))
        edges = np.array(numbers.edges)
        last = len(edges) - 1
        inside = edges[np.minimum(self.atoms[name], last - 1)]
        return np.where(self.atoms[name] == last, numbers.lowest - 1, inside)

    def aggregate(self, plan: Plan) -> ExactTable:
        cell = self._cells(plan)
        return ExactTable({a: self._table(a, cell, plan.cells) for a in plan.aggregates}, plan.cells)

    def _cells(self, plan: Plan) -> Integers:
        """Of each combination; −1 for those that the criteria or an axis leave out."""
        cell = np.zeros(len(self.weights), np.int64)
        for axis in plan.axes:
            places = np.full(len(axis.variable.atoms), -1)
            for place, group in enumerate(axis.groups):
                places[list(group)] = place
            here = places[self.atoms[axis.variable.name]]
            cell = np.where((cell < 0) | (here < 0), -1, cell * len(axis.groups) + here)
        return np.where(self._holds(plan.predicate), cell, -1)

    def _holds(self, predicate: Predicate) -> Flags:
        if predicate not in self._admitted:
            self._admitted[predicate] = np.array([predicate.holds(row) for row in self._rows])
        return self._admitted[predicate]

    def _table(self, aggregate: Aggregate, cell: Integers, cells: int) -> Integers:
        if isinstance(aggregate, BinnedCount):
            atoms = self.atoms[aggregate.variable]
            columns = [self.weights * np.isin(atoms, group) for group in aggregate.bins]
        else:
            columns = [self._numbers(aggregate)]
        return np.stack([self._summed(c, cell, cells) for c in columns], axis=1)

    @staticmethod
    def _summed(column: Integers, cell: Integers, cells: int) -> Integers:
        found = np.zeros(cells, np.int64)
        np.add.at(found, cell[cell >= 0], column[cell >= 0])
        return found

    def _numbers(self, aggregate: Aggregate) -> Integers:
        match aggregate:
            case Count(present):
                return self.weights * self._has(present)
            case DistinctCount(None):
                return self.weights
            case Sum():
                return self.weights * self._centred(aggregate) * self._has(aggregate.present)
            case SumOfProducts(left, right, origin):
                products = self._centred(left) * self._centred(right) - origin
                return self.weights * products * self._has(aggregate.present)
        raise NotImplementedError(aggregate)

    def _has(self, present: tuple[str, ...]) -> Integers:
        found = np.ones(len(self.weights), bool)
        for name in present:
            numbers = self.data_set.by_name[name].numbers
            assert numbers is not None
            found &= self.ticks[name] >= numbers.lowest
        return found.astype(np.int64)

    def _centred(self, part: Sum) -> Integers:
        return np.clip(self.ticks[part.variable], part.lower, part.upper) - part.origin

    def close(self) -> None:
        """Nothing is open."""


def school_crowd(least: int = 400, most: int = 2000) -> Crowd:
    return Crowd(school.census(), least, most)
