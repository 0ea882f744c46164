"""The numbers of a query as they are and as the policy would show them, and which cells of the cube each tells of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from datasets.answer import Answer, near_an_end
from datasets.known import known_tables
from datasets.official.exact import exact_of
from datasets.official.gather import Aggregates
from datasets.official.measurements import elements, measurements, parts_of
from datasets.official.table import OfficialTable
from datasets.plan import Axis
from datasets.statistics.recipe import KnownTable, aggregate_of
from datasets.validate import ValidMeasure, ValidQuery, cells_in
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount
from disclosure.official import Exact, unhidden, unprotected
from disclosure.policy import Policy
from disclosure.rules import MinimumDenominator, QuantileSides
from disclosure.tables import Flags, Floats, Secret

Array = TypeVar("Array", Floats, Flags)

Cells = npt.NDArray[np.intp]
"""Flat places in a cube."""


@dataclass(frozen=True, slots=True)
class Tells:
    """What one number of a measure tells of in each of its cells: elements of the counts' last dimension, and numbers
    of tables beside the counts. itself: it is one count, no more and no less.
    """

    parts: tuple[int, ...]
    beside: tuple[Aggregate, ...]
    itself: bool


@dataclass(frozen=True, eq=False, repr=False)
class Recomputed(Secret):
    """truth, as_shown: of each measure by its id, float64 (rows, outputs), rows as in an answer. few: by rule and
    measure, bool of the same shape or one that broadcasts to it: numbers of too few, judged as an answer is.
    """

    valid: ValidQuery
    table: OfficialTable
    exact: Exact
    truth: Mapping[str, Floats]
    as_shown: Mapping[str, Floats]
    few: Mapping[str, Mapping[str, Flags]]

    @cached_property
    def rows(self) -> Mapping[tuple[str, ...], int]:
        """Place of each key in the answer's rows, "" for what is summed over."""
        keys = Answer(self.valid.tables, ()).keys
        return {tuple(code or "" for code in key.values()): place for place, key in enumerate(keys)}

    @cached_property
    def places(self) -> Cells:
        """Of each row, the place among the cells of all dimensions but the last."""
        return np.concatenate([_places(self.table, table.axes) for table in self.valid.tables])

    @property
    def rows_of_tables(self) -> list[range]:
        """Of each table of the query in turn."""
        ends = [0, *accumulate(cells_in(table) for table in self.valid.tables)]
        return [range(start, end) for start, end in pairwise(ends)]

    def measure(self, name: str) -> ValidMeasure | None:
        return next((m for m in self.valid.measures if m.id == name), None)

    @cached_property
    def tells(self) -> Mapping[str, tuple[Tells, ...]]:
        """For each output of each measure."""
        return {m.id: tuple(_tells(m, self.valid, self.table)) for m in self.valid.measures}

    def cells(self, row: int, tells: Tells) -> Cells:
        """Flat places in the cube of counts."""
        return np.asarray(self.places[row] * self.table.shape[-1] + np.array(tells.parts, np.intp))


def recompute(valid: ValidQuery, table: OfficialTable, policy: Policy, aggregate: Aggregates) -> Recomputed:
    """Raises EngineFailed, and CannotProtect where a rule's evidence is not to be had."""
    exact = exact_of(table, policy, aggregate)
    true, shown = (
        known_tables(valid, measurements(table, numbers, valid))
        for numbers in (unprotected(exact), unhidden(exact, policy))
    )
    few = {
        MinimumDenominator.name: {
            m.id: _stacked(shown, m, lambda m, k: _small_shares(m, k, policy)) for m in valid.measures
        },
        QuantileSides.name: {m.id: _stacked(shown, m, lambda m, k: _at_ends(m, k, policy)) for m in valid.measures},
    }
    truth, as_shown = ({m.id: _stacked(t, m, _finish) for m in valid.measures} for t in (true, shown))
    return Recomputed(valid, table, exact, truth, as_shown, few)


def _stacked(
    tables: Sequence[KnownTable], measure: ValidMeasure, of: Callable[[ValidMeasure, KnownTable], Array]
) -> Array:
    return np.concatenate([of(measure, {need: known[need] for need in measure.needs}) for known in tables])


def _small_shares(measure: ValidMeasure, known: KnownTable, policy: Policy) -> Flags:
    """Shares of too few, (cells, outputs)."""
    statistic, subject = measure.statistic, measure.subject
    rule = policy.rule(MinimumDenominator)
    shape = (next(iter(known.values())).values.shape[0], len(statistic.outputs(subject)))
    found = np.zeros(shape, np.bool_)
    if rule is not None and (statistic.is_share or any(part.statistic.is_share for part in subject.of)):
        for behind in statistic.behind(known, subject):
            found |= rule.sensitive(behind.values.astype(np.int64))[:, None]
    return found


def _at_ends(measure: ValidMeasure, known: KnownTable, policy: Policy) -> Flags:
    """Quantiles with too few on one side, (cells, outputs)."""
    shape = (next(iter(known.values())).values.shape[0], len(measure.statistic.outputs(measure.subject)))
    return np.broadcast_to(near_an_end(measure.statistic, measure.subject, known, policy), shape)


def _finish(measure: ValidMeasure, known: KnownTable) -> Floats:
    draws = {need: each.values[None] for need, each in known.items()}
    value = measure.statistic.finish(draws, measure.subject)[0]
    return np.asarray(np.clip(value, *measure.statistic.bounds(measure.subject)))


def _places(table: OfficialTable, axes: Sequence[Axis]) -> Cells:
    """Cells in the order of the axes as they were asked for, the last fastest."""
    own = [elements(table, place, axes) for place in range(len(table.trees))]
    grid = np.ravel_multi_index(np.ix_(*own), table.shape[:-1]) if own else np.zeros((), np.intp)
    asked = [next(i for i, t in enumerate(table.trees) if t.variable.name == a.variable.name) for a in axes]
    rest = [i for i in range(len(table.trees)) if i not in asked]
    return np.asarray(grid).transpose([*asked, *rest]).ravel()


def _tells(measure: ValidMeasure, valid: ValidQuery, table: OfficialTable) -> list[Tells]:
    """A count, a bin of a histogram or of a distribution tells of its own part; all else of all that it needs. Whatever
    is said of a cell's pupils tells of their count."""
    aggregates = [valid.measured[aggregate_of(need)] for need in measure.needs]
    outputs = len(measure.statistic.outputs(measure.subject))
    positions = measure.statistic.probabilities is not None
    bins = [] if positions else [bin_ for a in aggregates for bin_ in _bins(table, a)]
    if measure.statistic.is_count and not isinstance(aggregates[0], DistinctCount):
        return [Tells(tuple(bin_), (), len(bin_) == 1) for bin_ in bins]
    if len(aggregates) == 1 and len(bins) == outputs > 1:
        return [Tells((*bin_, table.total), (), False) for bin_ in bins]
    parts = dict.fromkeys([*(part for bin_ in bins for part in bin_), table.total])
    beside = tuple(a for a in aggregates if a in table.present or a in table.sums)
    return [Tells(tuple(parts), beside, False)] * outputs


def _bins(table: OfficialTable, aggregate: Aggregate) -> list[list[int]]:
    """Elements of the counts' last dimension; none for numbers beside the counts."""
    counted = isinstance(aggregate, BinnedCount) or aggregate == Count()
    return parts_of(table, aggregate) if counted else []
