"""The differencing guard: no two populations of released tables may differ by a few pupils.

A number of one population less the same number of another is the number of those in the first alone, where the second
lies within it. So before a table is released, its population is compared with that of every released table of the data
set: as decision diagrams, and where they overlap and differ, by counting those in one and not in the other, in every
cell that both tables (with all their totals) have. Pairs are compared, not sums of several tables.

A table by free school meals has the numbers of those who have them, too: so a population is compared as a whole, and
narrowed to the smallest element of each of its dimensions that holds the other population.

What a difference tells is a cell that everybody can work out: it counts as shown. Where it was hidden, or where it
would be several cells of a table at once (of which one more could be had from the others), the table is not released.

Tables of whole time periods need no comparison: cells of one period are cells of the table by period, and are hidden
alike (`datasets.official.cells`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.catalogue import DataSet
from datasets.official.cells import keys_of
from datasets.official.exact import rows_each
from datasets.official.gather import Aggregates, folded
from datasets.official.released import Keys
from datasets.official.table import OfficialTable
from datasets.official.trees import Tree, hierarchy, possible
from datasets.plan import Plan
from datasets.predicate import FALSE, Algebra, Predicate
from disclosure.aggregates import Count
from disclosure.cube import add_totals
from disclosure.official import shows_zeros
from disclosure.policy import Policy
from disclosure.tables import Integers


@dataclass(frozen=True, slots=True)
class Population:
    """Whose numbers a table has, and from which level on each of its variables is told apart: those of its dimensions,
    and those that its counts are split by, one at a time."""

    predicate: Predicate
    levels: tuple[tuple[str, str], ...]
    splits: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        paths = [[[level, hex(mask)] for level, mask in path] for path in self.predicate.paths()]
        return json.dumps({"paths": paths, "levels": dict(self.levels), "splits": dict(self.splits)}, sort_keys=True)

    @property
    def told_apart(self) -> tuple[tuple[str, str], ...]:
        return (*self.levels, *self.splits)

    @property
    def layouts(self) -> list[dict[str, str]]:
        """What is told apart at once."""
        return [dict(self.levels), *({**dict(self.levels), name: level} for name, level in self.splits)]


def population_of(table: OfficialTable) -> Population:
    dimensions, splits = (tuple((t.variable.name, t.reference) for t in trees) for trees in (table.trees, table.splits))
    return Population(table.population, dimensions, splits)


def read_population(text: str, data_set: DataSet) -> Population:
    value: Any = json.loads(text)
    algebra = Algebra([len(v.atoms) for v in data_set.domain])
    paths = [[algebra.member(level, int(mask, 16)) for level, mask in path] for path in value["paths"]]
    predicate = algebra.predicate(algebra.any_of(algebra.all_of(path) for path in paths))
    return Population(predicate, tuple(value["levels"].items()), tuple(value["splits"].items()))


@dataclass(frozen=True, slots=True)
class Few:
    """So many rows are too few; nobody is as well, where zeros are hidden."""

    rows: int
    zeros: bool

    @classmethod
    def of(cls, table: OfficialTable, policy: Policy) -> Few:
        return cls(policy.minimum_count * int(rows_each(table).max()), not shows_zeros(policy))


def differs_by_few(table: OfficialTable, others: Iterable[Population], few: Few, aggregate: Aggregates) -> bool:
    """Whether some cell of some other population differs from this table's by too few pupils."""
    return any(
        _few(pair, parts, trees, table.data_set, few, aggregate)
        for other in _compared(table, others)
        for pair in _pairs(population_of(table), other, table.data_set)
        if (parts := _differences(*pair))
        for trees in _shared(population_of(table), other, table.data_set)
    )


def worked_out(table: OfficialTable, others: Iterable[Population]) -> Keys | None:
    """Keys of the cells that this table's numbers less those of others tell; None where it tells several at once."""
    found = [np.zeros(0, np.uint64)]
    mine, data_set = population_of(table), table.data_set
    for other in _compared(table, others):
        trees = _shared(mine, other, data_set)
        for part in _differences(*_pairs(mine, other, data_set)[-1]):
            if not all(_is_a_cell(part, each, data_set) for each in (mine, other)):
                return None
            found += [keys_of(data_set, part, each).ravel() for each in trees]
    return np.unique(np.concatenate(found))


def _compared(table: OfficialTable, others: Iterable[Population]) -> list[Population]:
    mine, data_set = population_of(table).predicate, table.data_set
    different = {other.text: other for other in others if other.predicate != mine}
    return [o for o in different.values() if not (_is_periods(mine, data_set) and _is_periods(o.predicate, data_set))]


Pair = tuple[Predicate, Predicate]


def _pairs(one: Population, two: Population, data_set: DataSet) -> list[Pair]:
    """The populations as a whole, and each narrowed to what holds the other."""
    whole = (one.predicate, two.predicate)
    narrowed = (_narrowed(one, two.predicate, data_set), _narrowed(two, one.predicate, data_set))
    return [whole] if whole == narrowed else [whole, narrowed]


def _narrowed(population: Population, to: Predicate, data_set: DataSet) -> Predicate:
    algebra = Algebra(to.sizes)
    root = _rebuilt(algebra, population.predicate)
    for tree in _trees(dict(population.told_apart), data_set):
        level = data_set.domain.index(tree.variable)
        admitted = to.admitted(level)
        holder = min((m for m in tree.masks if admitted & ~m == 0), key=int.bit_count)
        root = algebra.both(root, algebra.member(level, holder))
    return algebra.predicate(root)


def _few(
    pair: Pair, parts: list[Predicate], trees: list[Tree], data_set: DataSet, few: Few, aggregate: Aggregates
) -> bool:
    counts = [_counted(part, trees, data_set, aggregate) for part in parts]
    if any(((rows > 0) & (rows < few.rows)).any() for rows in counts):
        return True
    if not few.zeros or all(rows.all() for rows in counts):
        return False
    common = _counted(_both(*pair), trees, data_set, aggregate)
    return any(
        ((rows == 0) & (common >= few.rows) & possible(part, trees, data_set.domain)).any()
        for part, rows in zip(parts, counts, strict=True)
    )


def _counted(population: Predicate, trees: list[Tree], data_set: DataSet, aggregate: Aggregates) -> Integers:
    exact = aggregate(Plan(data_set, population, tuple(tree.scan for tree in trees), (Count(),)))
    return add_totals(folded(trees, exact[Count()]), [tree.dimension for tree in trees])


def _is_periods(predicate: Predicate, data_set: DataSet) -> bool:
    time = data_set.time
    return all(time is not None and data_set.domain[node.level].name == time.name for node in predicate.nodes)


def _is_a_cell(part: Predicate, population: Population, data_set: DataSet) -> bool:
    """Or outside of all that the population's table tells apart."""
    paths = [dict(path) for path in part.paths()]
    for tree in _trees(dict(population.told_apart), data_set):
        level = data_set.domain.index(tree.variable)
        own = population.predicate.admitted(level)
        masks = {mask & own for mask in tree.masks}
        named = {path[level] & own for path in paths if level in path}
        if named - {0} and (len(paths) > 1 or not named <= masks):
            return False
    return True


def _shared(one: Population, two: Population, data_set: DataSet) -> list[list[Tree]]:
    """Variables that both tell apart at once, each from the coarser of the two levels on."""
    found: dict[str, dict[str, str]] = {}
    for mine in one.layouts:
        for theirs in two.layouts:
            both = {name: _coarser(name, mine[name], theirs[name], data_set) for name in mine.keys() & theirs.keys()}
            found[json.dumps(both, sort_keys=True)] = both
    return [_trees(levels, data_set) for levels in found.values()]


def _coarser(name: str, one: str, two: str, data_set: DataSet) -> str:
    references = [level.axis.reference for level in hierarchy(data_set.by_name[name])]
    return references[max(references.index(one), references.index(two))]


def _trees(levels: Mapping[str, str], data_set: DataSet) -> list[Tree]:
    found = []
    for variable in data_set.domain:
        if variable.name in levels:
            every = hierarchy(variable)
            start = [level.axis.reference for level in every].index(levels[variable.name])
            found.append(Tree(variable, every[start:]))
    return found


def _differences(one: Predicate, two: Predicate) -> list[Predicate]:
    """One without two and two without one, where they overlap; those that nobody could be in are left out."""
    algebra = Algebra(one.sizes)
    first, second = (_rebuilt(algebra, predicate) for predicate in (one, two))
    if algebra.both(first, second) == FALSE:
        return []
    parts = [algebra.both(first, algebra.negate(second)), algebra.both(second, algebra.negate(first))]
    return [algebra.predicate(part) for part in parts if part != FALSE]


def _both(one: Predicate, two: Predicate) -> Predicate:
    algebra = Algebra(one.sizes)
    return algebra.predicate(algebra.both(_rebuilt(algebra, one), _rebuilt(algebra, two)))


def _rebuilt(algebra: Algebra, predicate: Predicate) -> int:
    paths = ([algebra.member(level, mask) for level, mask in path] for path in predicate.paths())
    return algebra.any_of(algebra.all_of(path) for path in paths)
