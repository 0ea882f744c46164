"""What is protected together for one question in `official` mode: whose numbers, and the table that holds them.

Criteria do not narrow the population: a variable that they speak of becomes a dimension of the table, whose rules are
judged on all of it, and the answer takes the cells that were asked for. So nobody gets round a rule by filtering, and
no two answers differ by a filter. Only the time period is a population of its own: a table of one period, or of all
periods one by one. (An officer who registers a table chooses its population in so many words.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import assert_never

from datasets.catalogue import DataSet
from datasets.official.trees import NotInHierarchy, Tree, hierarchy, mask_of, tree_of
from datasets.predicate import Algebra, Predicate
from datasets.query import Display, InvalidQuery, Problem
from datasets.statistics import recipe
from datasets.validate import ValidQuery
from datasets.variables import Variable
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.cube import Dimension, Line
from disclosure.policy import Policy

MOST_CELLS = 50_000
"""Of the whole table, with every total: what can be protected in a minute or two."""
MOST_DIMENSIONS = 4


@dataclass(frozen=True)
class OfficialTable:
    """trees: the dimensions in the order of the data set's domain; splits: the ways in which each of their counts is
    split, side by side in one last dimension. selected: the atoms that criteria admit, of variables that they name.
    present: counts of the rows that have a value of a number, which add up by themselves. positions: bins that
    quantiles are read from, which are no cells of the table and are not shown.
    """

    data_set: DataSet
    population: Predicate
    trees: tuple[Tree, ...]
    splits: tuple[Tree, ...]
    selected: Mapping[str, int]
    sums: tuple[Sum | SumOfProducts, ...]
    distinct: tuple[DistinctCount, ...]
    present: tuple[Count, ...] = ()
    positions: tuple[BinnedCount, ...] = ()

    @cached_property
    def dimensions(self) -> tuple[Dimension, ...]:
        """Of the counts: one for each tree, and that of the splits."""
        return (*(tree.dimension for tree in self.trees), stacked(self.splits))

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(dimension.size for dimension in self.dimensions)

    @property
    def total(self) -> int:
        """The element of the last dimension that is not split."""
        return self.shape[-1] - 1

    def start(self, place: int) -> int:
        """The first element of a split in the last dimension."""
        return sum(each.dimension.size - 1 for each in self.splits[:place])

    def parts(self, variable: str, mask: int) -> list[int]:
        """The elements of the last dimension that make up these atoms."""
        place = next((i for i, split in enumerate(self.splits) if split.variable.name == variable), None)
        if place is None:  # all rows have the same code
            return [self.total]
        own = self.splits[place].dimension.size - 1
        found = self.splits[place].cover(mask)
        return [self.total if element == own else self.start(place) + element for element in found]

    @property
    def identity(self) -> list[object]:
        """A JSON value that is equal exactly for tables of the same cells."""
        dimensions = [
            [t.variable.name, t.levels[0].axis.reference, self.selected.get(t.variable.name)] for t in self.trees
        ]
        splits = [[s.variable.name, [hex(mask) for mask in s.masks]] for s in self.splits]
        measured = (*self.sums, *self.distinct, *self.present, *self.positions)
        return [self.population.canonical(), dimensions, splits, [str(a) for a in measured]]


def stacked(splits: Iterable[Tree]) -> Dimension:
    """Several hierarchies with one common total."""
    sizes = [split.dimension.size - 1 for split in splits]
    total, lines, start = sum(sizes), list[Line](), 0
    for split, size in zip(splits, sizes, strict=True):
        for line in split.dimension.lines:
            at = total if line.total == size else start + line.total
            lines.append(Line(at, tuple(start + part for part in line.parts)))
        start += size
    return Dimension(total + 1, tuple(lines))


def official_table(valid: ValidQuery, policy: Policy, registered: bool) -> OfficialTable:
    """Raises InvalidQuery where a question is not one that hiding can protect. registered: its criteria are the
    population, as an officer wrote it."""
    problems: list[Problem] = []
    if valid.query.display is Display.UNBIASED:
        problems.append(Problem("InvalidValue", "Here numbers are shown as they are published.", "display"))
    selected = {} if registered else _selected(valid, problems)
    _refuse(problems)
    population = valid.predicate if registered else _population(valid, selected)
    wanted = _wanted(valid, selected, population, problems)
    bins, sums, distinct = _measured(valid, wanted, problems)
    _either_binned_or_ranked(valid, bins, problems)
    _refuse(problems)
    trees = _trees(wanted, valid.data_set, problems, "groupBy")
    binned = _trees(bins, valid.data_set, problems, "measures")
    _refuse(problems)
    splits = tuple(tree for tree in binned if tree.dimension.size > 1)
    present = tuple(dict.fromkeys(Count(p) for p in _present(valid) if p))
    table = OfficialTable(
        valid.data_set, population, trees, splits, selected, sums, distinct, present, _positions(valid)
    )
    _check_size(table, policy)
    return table


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise InvalidQuery(tuple(problems))


def _selected(valid: ValidQuery, problems: list[Problem]) -> dict[str, int]:
    """Variable → atoms admitted, where the criteria say anything of it."""
    paths = list(valid.predicate.paths()) if valid.predicate.path_count <= 1 else []
    if len(paths) != 1:
        message = "Here criteria name one set of codes for each variable: no alternatives across variables."
        problems.append(Problem("CriteriaNotSeparate", message, "criteria"))
        return {}
    return {valid.data_set.domain[level].name: mask for level, mask in paths[0]}


def _population(valid: ValidQuery, selected: Mapping[str, int]) -> Predicate:
    domain = valid.data_set.domain
    algebra = Algebra([len(v.atoms) for v in domain])
    time = valid.data_set.time
    mask = selected.get(time.name, 0) if time else 0
    fixed = time is not None and mask.bit_count() == 1
    return algebra.predicate(algebra.member(domain.index(time), mask) if fixed and time else algebra.all_of(()))


def _wanted(
    valid: ValidQuery, selected: Mapping[str, int], population: Predicate, problems: list[Problem]
) -> dict[str, list[int]]:
    """Variables of the dimensions, each with the sets of atoms that are asked for."""
    wanted: dict[str, list[int]] = {name: [mask] for name, mask in selected.items()}
    for table in valid.tables:
        for axis in table.axes:
            name = axis.variable.name
            wanted.setdefault(name, []).extend(within(group, selected.get(name)) for group in axis.groups)
    names = [axis.variable.name for axis in valid.tables[0].axes]
    for name in {name for name in names if names.count(name) > 1}:
        problems.append(Problem("RepeatedGroup", f"Here {name} can be grouped by once.", "groupBy"))
    time = valid.data_set.time
    if time is not None:
        if population.admitted(valid.data_set.domain.index(time)).bit_count() == 1:
            wanted.pop(time.name, None)
        elif time.name not in names:
            message = f"Here {time.name} is not added up: choose one time period, or group by {time.name}."
            problems.append(Problem("TimePeriodRequired", message, "criteria"))
    return wanted


def within(group: Iterable[int], selected: int | None) -> int:
    """The atoms of a group that are asked for."""
    return mask_of(group) if selected is None else mask_of(group) & selected


def _measured(
    valid: ValidQuery, wanted: Mapping[str, list[int]], problems: list[Problem]
) -> tuple[dict[str, list[int]], tuple[Sum | SumOfProducts, ...], tuple[DistinctCount, ...]]:
    bins: dict[str, list[int]] = {}
    sums: dict[Sum | SumOfProducts, None] = {}
    distinct: dict[DistinctCount, None] = {}
    for measure in valid.measures:
        path = measure.subject.measure.path
        for need in measure.needs:
            if isinstance(need, recipe.Split) or not is_simple(need):
                problems.append(Problem("StatisticNotFound", "Not given where protection is by hiding.", path))
                return {}, (), ()
            aggregate = valid.measured[need]
            if measure.statistic.probabilities is not None:
                continue
            if isinstance(aggregate, Sum | SumOfProducts):
                sums[aggregate] = None
            elif isinstance(aggregate, DistinctCount):
                distinct[aggregate] = None
            for name, masks in bins_of(need).items():
                bins.setdefault(name, []).extend(masks)
                if name in wanted:
                    message = f"Here {name} is either grouped or filtered by, or measured."
                    problems.append(Problem("RepeatedGroup", message, path))
    return bins, tuple(sums), tuple(distinct)


def _either_binned_or_ranked(valid: ValidQuery, bins: Mapping[str, list[int]], problems: list[Problem]) -> None:
    """Both are counts in bins, and are protected in two ways."""
    for measure in valid.measures:
        needs = measure.needs if measure.statistic.probabilities is not None else ()
        for name in {need.variable for need in needs if isinstance(need, BinnedCount)} & bins.keys():
            message = f"Here a question has either counts of {name} or its quantiles: ask two questions."
            problems.append(Problem("RepeatedGroup", message, measure.subject.measure.path))


def _positions(valid: ValidQuery) -> tuple[BinnedCount, ...]:
    """Of one variable only the finest bins: coarser ones are sums of theirs."""
    finest: dict[str, BinnedCount] = {}
    for measure in valid.measures:
        for need in measure.needs if measure.statistic.probabilities is not None else ():
            if isinstance(need, BinnedCount) and len(need.bins) > len(_bins(finest.get(need.variable))):
                finest[need.variable] = need
    return tuple(finest.values())


def _present(valid: ValidQuery) -> list[tuple[str, ...]]:
    found = []
    for measure in valid.measures:
        for need in measure.needs:
            if isinstance(need, Count | Sum | SumOfProducts):
                found.append(need.present)
    return found


def _bins(found: BinnedCount | None) -> tuple[tuple[int, ...], ...]:
    return found.bins if found else ()


def is_simple(aggregate: Aggregate) -> bool:
    """Whether a table has it: of at most one number."""
    match aggregate:
        case Count() | Sum() | SumOfProducts():
            return len(aggregate.present) <= 1
        case BinnedCount() | DistinctCount():
            return True
        case _:
            assert_never(aggregate)


def bins_of(aggregate: Aggregate) -> dict[str, list[int]]:
    """The splits of the count that a number of this kind speaks of: variable → sets of its atoms."""
    match aggregate:
        case BinnedCount(variable, bins):
            return {variable: [mask_of(group) for group in bins]}
        case Count() | Sum() | SumOfProducts() | DistinctCount():
            return {}
        case _:
            assert_never(aggregate)


def _trees(wanted: Mapping[str, list[int]], data_set: DataSet, problems: list[Problem], path: str) -> tuple[Tree, ...]:
    found = []
    for variable in data_set.domain:
        if variable.name in wanted:
            try:
                tree = tree_of(variable, wanted[variable.name])
                if path == "groupBy":
                    [tree.element(mask) for mask in wanted[variable.name]]
                found.append(tree)
            except NotInHierarchy:
                message = (
                    f"Codes of {variable.name} must be single codes or bands of its one hierarchy: "
                    f"{', '.join(_levels(variable))}."
                )
                problems.append(Problem("NotInHierarchy", message, path))
    return tuple(found)


def _levels(variable: Variable) -> list[str]:
    return [level.axis.reference for level in hierarchy(variable)]


def _check_size(table: OfficialTable, policy: Policy) -> None:
    dimensions = sum(size > 1 for size in table.shape)
    if dimensions > MOST_DIMENSIONS:
        message = (
            f"Groups, criteria and measures make {dimensions} dimensions; at most {MOST_DIMENSIONS} can be protected."
        )
        raise InvalidQuery((Problem("TooManyGroups", message, "groupBy"),))
    most = policy.secondary.most_cells or MOST_CELLS
    if prod(table.shape) > most:
        message = (
            f"The table with its totals has {prod(table.shape)} cells; at most {most} can be protected. "
            "Group by less or coarser."
        )
        raise InvalidQuery((Problem("TooManyCells", message, "groupBy"),))
