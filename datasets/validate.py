"""Query × data set × grants → ValidQuery, or every problem at once. Pure, and a function of public things only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from datasets.catalogue import DataSet
from datasets.contribution import contribution, one_row_each
from datasets.criteria import predicate_of
from datasets.groupings import Grouping, Table, grouping_of
from datasets.listed import refuse_shape
from datasets.measures import Context, read_measure
from datasets.names import Names
from datasets.plan import Axis, Layout, Plan, Quantity
from datasets.predicate import Predicate
from datasets.query import Groups, InvalidQuery, Measure, Query
from datasets.scope import DataSetScope, check_scope
from datasets.statistics import Statistic, Subject
from datasets.statistics.recipe import Need, Part, aggregate_of, by_of
from disclosure.aggregates import Aggregate, Count, DistinctCount, as_json, bins_of
from disclosure.evidence import Evidence
from disclosure.margins import Chain

MOST_WORK = 100_000
"""Coefficients squared × groups of a model: about five seconds. A model takes as long as one of LEAST_WIDTH."""
LEAST_WIDTH = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Public limits of a request. cells: numbers in all aggregates together, and in the answer; listed: cells of a key
    space from which groups are listed, 0 where none are.
    """

    cells: int
    group_by: int
    measures: int = 20
    probabilities: int = 99
    listed: int = 0


@dataclass(frozen=True, slots=True)
class ValidMeasure:
    """needs: what is measured for it over every table, in the order of the recipe's needs."""

    subject: Subject
    statistic: Statistic
    needs: tuple[Need, ...]

    @property
    def id(self) -> str:
        return self.subject.measure.id


@dataclass(frozen=True, slots=True, eq=False)
class ValidQuery:
    """A question that may be asked.

    tables: groupBy itself, then its totals; chains: how each axis of the first adds up to those of the others.
    layouts: the cells of everything measured, each in canonical order, so that the order of asking changes nothing
    that is measured; places: for each table and split, which of them. measured: aggregates as they are measured.
    """

    query: Query
    data_set: DataSet
    predicate: Predicate
    tables: tuple[Table, ...]
    chains: tuple[Chain, ...]
    measures: tuple[ValidMeasure, ...]
    layouts: tuple[Layout, ...]
    places: Mapping[tuple[int, tuple[str, ...]], int]
    measured: Mapping[Aggregate, Aggregate]

    def quantity(self, table: int, need: Need) -> Quantity:
        return Quantity(self.places[table, by_of(need)], self.measured[aggregate_of(need)])

    @property
    def needs(self) -> tuple[Need, ...]:
        """Of all measures, each once."""
        return tuple(dict.fromkeys(need for measure in self.measures for need in measure.needs))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Everything that is measured, each once, in canonical order."""
        every = {self.quantity(t, need) for t in range(len(self.tables)) for need in self.needs}
        return tuple(sorted(every, key=lambda q: (q.layout, str(as_json(q.aggregate)))))

    def plan(self, layout: int, aggregates: Iterable[Aggregate], evidence: Iterable[Evidence] = ()) -> Plan:
        return Plan(self.data_set, self.predicate, self.layouts[layout].axes, tuple(aggregates), tuple(evidence))

    @property
    def most_rows(self) -> int:
        """Of one pupil, in all of the answer's cells together."""
        return max(sum(layout.contribution.blocks) for layout in self.layouts)


def validate(
    query: Query,
    data_set: DataSet,
    grants: frozenset[str],
    limits: Limits,
    official: bool = False,
    scope: DataSetScope | None = None,
) -> ValidQuery:
    """Raises InvalidQuery with all problems found. official: the policy of the cut adds no noise. scope: None for all
    of the data set.
    """
    names = Names(data_set)
    if data_set.public:
        names.refuse("DataSetIsPublic", "A public data set answers no questions: ask those that link to it.", "dataSet")
        _refuse(names)
    predicate = predicate_of(query.criteria, names)
    grouping = grouping_of(query.group_by, query.totals, predicate, names, limits.group_by)
    if query.groups is Groups.LISTED:
        refuse_shape(query, limits.listed > 0, names)
    context = Context(names, predicate, grouping.tables[0].axes, limits.probabilities, official)
    measures = _measures(query.measures, context, limits)
    names.check_grants(grants)
    if scope is not None:
        check_scope(scope, names, predicate)
    _refuse(names)
    valid = _valid(query, predicate, grouping, measures, data_set)
    _check_size(valid, names, limits, official)
    _refuse(names)
    return valid


def _refuse(names: Names) -> None:
    if names.problems:
        raise InvalidQuery(tuple(names.problems))


def _measures(measures: Sequence[Measure], context: Context, limits: Limits) -> tuple[ValidMeasure, ...]:
    if not 1 <= len(measures) <= limits.measures:
        context.names.refuse("RequiredValue", f"Wants 1 to {limits.measures} measures.", "measures")
        return ()
    if len({m.id for m in measures}) < len(measures):
        context.names.refuse("InvalidValue", "Two measures have the same id.", "measures")
    parts = [read_measure(measure, context) for measure in measures]
    return tuple(ValidMeasure(p.subject, p.statistic, p.needs) for p in parts if p is not None)


class _Layouts:
    """Collects layouts, each set of cells once."""

    def __init__(self, data_set: DataSet, predicate: Predicate) -> None:
        self._data_set, self._predicate = data_set, predicate
        self.found: list[Layout] = []
        self._places: dict[str, int] = {}

    def place(self, axes: Iterable[Axis]) -> int:
        domain = self._data_set.domain
        ranked = tuple(sorted(axes, key=lambda axis: (domain.index(axis.variable), axis.groups)))
        key = str(cells_of(ranked, self._predicate, self._data_set))
        if key not in self._places:
            self._places[key] = len(self.found)
            self.found.append(Layout(ranked, contribution(self._data_set, self._predicate, ranked)))
        return self._places[key]


def cells_of(axes: Sequence[Axis], predicate: Predicate, data_set: DataSet) -> list[object]:
    """How a population is cut into cells: the atoms that can occur, and no axis that leaves everything in one."""
    found: list[object] = []
    for axis in axes:
        admitted = predicate.admitted(data_set.domain.index(axis.variable))
        groups = [[atom for atom in group if admitted >> atom & 1] for group in axis.groups]
        if len(groups) > 1 or sum(1 << atom for atom in groups[0]) != admitted:
            found.append([axis.variable.name, groups])
    return found


def _valid(
    query: Query, predicate: Predicate, grouping: Grouping, measures: tuple[ValidMeasure, ...], data_set: DataSet
) -> ValidQuery:
    layouts, places = _Layouts(data_set, predicate), {}
    for table, each in enumerate(grouping.tables):
        for measure in measures:
            for by in dict.fromkeys(by_of(need) for need in measure.needs):
                places[table, by] = layouts.place((*each.axes, *(measure.subject.axis(r) for r in by)))
    aggregates = {aggregate_of(need) for measure in measures for need in measure.needs}
    most = max(sum(layout.contribution.blocks) for layout in layouts.found)
    measured = {a: _as_measured(a, one_row_each(data_set) or most == 1) for a in aggregates}
    return ValidQuery(
        query, data_set, predicate, grouping.tables, grouping.chains, measures, tuple(layouts.found), places, measured
    )


def _as_measured(aggregate: Aggregate, one_row: bool) -> Aggregate:
    """Where no pupil has more than one row in the answer, pupils and rows are one question."""
    return Count() if aggregate == DistinctCount() and one_row else aggregate


def _check_size(valid: ValidQuery, names: Names, limits: Limits, official: bool) -> None:
    """What is measured, and what is shown: both are bounded. In `official` mode the table is bounded, as a whole."""
    if valid.query.groups is Groups.LISTED:
        if valid.layouts[0].cells > limits.listed:
            message = f"There could be {valid.layouts[0].cells} groups; at most {limits.listed} are looked through."
            names.refuse("TooManyCells", message, "groupBy")
        return
    measured = sum(valid.layouts[q.layout].cells * bins_of(q.aggregate) for q in valid.quantities)
    outputs = sum(len(m.statistic.outputs(m.subject)) for m in valid.measures)
    shown = sum(cells_in(table) for table in valid.tables) * outputs
    numbers = shown if official else max(measured, shown)
    if numbers > limits.cells:
        message = (
            f"The answer would have {numbers} numbers; at most {limits.cells} are given. Group by less or coarser."
        )
        names.refuse("TooManyCells", message, "groupBy")
    for measure in valid.measures:
        estimated = measure.statistic.estimated
        wide = 0 if estimated is None else max(LEAST_WIDTH, estimated(measure.subject))
        if wide**2 * sum(cells_in(table) for table in valid.tables) > MOST_WORK:
            message = "The model has too many coefficients for so many groups. Take fewer terms, codes or groups."
            names.refuse("TooManyCells", message, f"{measure.subject.measure.path}.terms")


def cells_in(table: Table) -> int:
    cells = 1
    for axis in table.axes:
        cells *= len(axis.codes)
    return cells


__all__ = ["Limits", "Part", "ValidMeasure", "ValidQuery", "cells_in", "cells_of", "validate"]
