"""What a model may ask of a hosted data set: pupils by some columns, one row of each, through plan and engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.plan import Axis
from datasets.query import Criteria, InvalidQuery, Measure, Problem, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.aggregates import Count
from disclosure.sensitivity import l2_squared
from privacy_api.ports import Engine, Project
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import population
from privacy_api.service.project_terms import scope_in
from privacy_api.service.synthetic_rules import follows_from, zeros_of
from synthetic.drawn.file import column_name, plain, refuse_columns
from synthetic.fidelity.margins import Variable
from synthetic.model import Clique, Domain, Settings
from synthetic.model.artefact import ModelRefused


@dataclass(frozen=True, slots=True)
class Wish:
    """columns: variables, bandings or geographic levels, as a query would group by them. nano_rho: the price of
    the whole fit. impossible: codes of two columns or more, by column, that no pupil has together."""

    columns: tuple[str, ...]
    criteria: Criteria | None
    nano_rho: int
    settings: Settings
    impossible: tuple[Mapping[str, tuple[str, ...]], ...] = ()


class HostedCounter:
    """The port `synthetic.model.Counter` on a hosted data set: question, valid question, plan, engine.

    Raises InvalidQuery for columns that cannot be counted so, before anything is counted.
    """

    def __init__(self, hosted: HostedDataSet, wish: Wish, project: Project, engine: Engine) -> None:
        self._hosted, self._wish, self._grants, self._engine = hosted, wish, project.grants, engine
        self._scope = scope_in(hosted, project)
        alone = {name: self._valid((name,)) for name in wish.columns}
        for index, (name, valid) in enumerate(alone.items()):
            _refuse_holes(valid, name, f"columns[{index}]")
        self.population = next(iter(alone.values())).predicate.canonical()
        self.told = _in_words(population(next(iter(alone.values()))))
        self.columns = {name: _column(name, alone[name].layouts[0].axes[0]) for name in alone}
        axes = {name: valid.layouts[0].axes[0] for name, valid in alone.items()}
        self.empty = {column_name(n): code for n, a in axes.items() if (code := _for_no_value(n, a)) is not None}
        self.codes = {name: column.codes for name, column in self.columns.items()}
        order = {v.name: place for place, v in enumerate(hosted.data_set.domain)}
        names = sorted(alone, key=lambda name: (order[name.partition(".")[0]], alone[name].layouts[0].axes[0].groups))
        self.domain = Domain(names, (len(self.codes[name]) for name in names))
        self.zeros = zeros_of(wish.impossible, hosted.data_set, self.domain, axes)
        self.derived = tuple(follows_from(hosted.data_set, axes))
        try:
            refuse_columns([self.columns[name] for name in names], self.derived)
        except ModelRefused as refused:
            raise InvalidQuery((Problem("InvalidValue", f"No model can say this: {refused}.", "columns"),)) from None

    def count_cells(self, clique: Clique, domain: Domain) -> Any:
        valid = self._valid(clique)
        table = self._engine.aggregate(valid.plan(0, [Count()]))
        return np.array(table[Count()]).reshape(domain.shape(clique))

    def _valid(self, clique: Clique) -> ValidQuery:
        query = Query(self._hosted.data_set.id, (Measure("n", "count"),), clique, self._wish.criteria)
        largest = max(self._wish.settings.largest, 1 << 16)
        limits = Limits(largest, self._wish.settings.width)
        valid = validate(query, self._hosted.data_set, self._grants, limits, scope=self._scope)
        if l2_squared(Count(), valid.layouts[0].contribution) != 1:
            message = "A pupil may have more than one row here: add criteria that leave one, such as one period."
            raise InvalidQuery((Problem("ManyRows", message, "criteria"),))
        return valid


def _refuse_holes(valid: ValidQuery, name: str, path: str) -> None:
    """Each pupil must be in a cell of every table, or tables would not add up to the same pupils."""
    axis = valid.layouts[0].axes[0]
    covered = sum(1 << atom for group in axis.groups for atom in group)
    admitted = valid.predicate.admitted(valid.data_set.domain.index(axis.variable))
    if admitted & ~covered:
        message = f"{name} leaves some codes in no band: take the variable itself, or another banding."
        raise InvalidQuery((Problem("InvalidValue", message, path),))


def _column(reference: str, axis: Axis) -> Variable:
    banding = axis.variable.banding(reference.partition(".")[2])
    label = plain(f"{axis.variable.label}: {banding.label}" if banding else axis.variable.label)
    meanings = tuple(plain(c.label) or c.code for c in axis.codes)
    return Variable(column_name(reference), label, tuple(c.code for c in axis.codes), meanings)


def _for_no_value(reference: str, axis: Axis) -> str | None:
    """The code of a variable itself, not of a banding, that stands for no value in its files."""
    missing = axis.variable.missing
    return missing if "." not in reference and missing in {code.code for code in axis.codes} else None


def _in_words(alternatives: list[dict[str, list[str]]]) -> str:
    """Which rows, by the codes that the criteria leave: a long list by its number alone."""
    several = [" and ".join(f"{name} {_listed(codes)}" for name, codes in each.items()) for each in alternatives]
    return plain(" or ".join(several)) or "all"


def _listed(codes: list[str]) -> str:
    return ", ".join(codes) if len(codes) <= 6 else f"in {len(codes)} codes"
