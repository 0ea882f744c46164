"""The differencing guard: no two populations of released tables may differ by a few pupils.

A number of one population less the same number of another is the number of those in the first alone, where the second
lies within it. So before a table is released, its population is compared with that of every released table of the data
set: as decision diagrams, and where they overlap and differ, by counting those in one and not in the other, in every
cell that both tables (with all their totals) have. Pairs are compared, not sums of several tables.

Tables of whole time periods need no comparison: cells of one period are cells of the table by period, and are hidden
alike (`datasets.official.cells`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datasets.catalogue import DataSet
from datasets.official.gather import Aggregates, folded
from datasets.official.table import OfficialTable
from datasets.official.trees import Tree, hierarchy
from datasets.plan import Plan
from datasets.predicate import FALSE, Algebra, Predicate
from disclosure.aggregates import Count
from disclosure.cube import add_totals


@dataclass(frozen=True, slots=True)
class Population:
    """Whose numbers a table has, and from which level on each of its variables is told apart."""

    predicate: Predicate
    levels: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        paths = [[[level, hex(mask)] for level, mask in path] for path in self.predicate.paths()]
        return json.dumps({"paths": paths, "levels": dict(self.levels)}, sort_keys=True)


def population_of(table: OfficialTable) -> Population:
    return Population(table.population, tuple((t.variable.name, t.levels[0].axis.reference) for t in table.trees))


def read_population(text: str, data_set: DataSet) -> Population:
    value: Any = json.loads(text)
    algebra = Algebra([len(v.atoms) for v in data_set.domain])
    paths = [[algebra.member(level, int(mask, 16)) for level, mask in path] for path in value["paths"]]
    predicate = algebra.predicate(algebra.any_of(algebra.all_of(path) for path in paths))
    return Population(predicate, tuple(value["levels"].items()))


def differs_by_few(
    table: OfficialTable, others: Iterable[Population], least: int, rows_each: int, aggregate: Aggregates
) -> bool:
    """Whether some cell of some other population differs from this table's by 1 … least − 1 pupils."""
    mine = population_of(table)
    compared = {other.text: other for other in others if other.predicate != mine.predicate}
    return any(_few(table, mine, other, least * rows_each, aggregate) for other in compared.values())


def _few(table: OfficialTable, mine: Population, other: Population, least: int, aggregate: Aggregates) -> bool:
    data_set = table.data_set
    if _is_periods(mine.predicate, data_set) and _is_periods(other.predicate, data_set):
        return False
    trees = _shared(table, other)
    for difference in _differences(mine.predicate, other.predicate):
        exact = aggregate(Plan(data_set, difference, tuple(tree.scan for tree in trees), (Count(),)))
        rows = add_totals(folded(trees, exact[Count()]), [tree.dimension for tree in trees])
        if ((rows > 0) & (rows < least)).any():
            return True
    return False


def _is_periods(predicate: Predicate, data_set: DataSet) -> bool:
    time = data_set.time
    return all(time is not None and data_set.domain[node.level].name == time.name for node in predicate.nodes)


def _shared(table: OfficialTable, other: Population) -> list[Tree]:
    """Variables of both, each from the coarser of the two levels on."""
    found = []
    for tree in table.trees:
        reference = dict(other.levels).get(tree.variable.name)
        theirs = [level.axis.reference for level in hierarchy(tree.variable)]
        if reference in theirs:
            start = max(theirs.index(reference), theirs.index(tree.levels[0].axis.reference))
            found.append(Tree(tree.variable, hierarchy(tree.variable)[start:]))
    return found


def _differences(one: Predicate, two: Predicate) -> list[Predicate]:
    """One without two and two without one, where they overlap; those that nobody could be in are left out."""
    algebra = Algebra(one.sizes)
    first, second = (_rebuilt(algebra, predicate) for predicate in (one, two))
    if algebra.both(first, second) == FALSE:
        return []
    parts = [algebra.both(first, algebra.negate(second)), algebra.both(second, algebra.negate(first))]
    return [algebra.predicate(part) for part in parts if part != FALSE]


def _rebuilt(algebra: Algebra, predicate: Predicate) -> int:
    paths = ([algebra.member(level, mask) for level, mask in path] for path in predicate.paths())
    return algebra.any_of(algebra.all_of(path) for path in paths)
