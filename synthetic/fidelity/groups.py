"""Shares of an outcome by group, and where pupils of one code go in another variable: both from margins alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic.fidelity.margins import Floats, Margin, Source, Variable


@dataclass(frozen=True, slots=True)
class Outcome:
    """A share of pupils: those with one of the codes of a variable. `label` completes "share with …"."""

    label: str
    variable: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Shares from 0 to 1; None where a source has nobody in the group or does not tell. pupils: in the source."""

    code: str
    pupils: int
    source: float | None
    reference: float | None

    @property
    def difference(self) -> float | None:
        return None if self.source is None or self.reference is None else self.source - self.reference


@dataclass(frozen=True, slots=True)
class GroupTable:
    by: Variable
    outcome: Outcome
    groups: tuple[Group, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Transition:
    """Shares of each row that have each column's code. A row that nobody has is NaN."""

    rows: Variable
    columns: Variable
    source: Floats
    reference: Floats

    @property
    def differences(self) -> Floats:
        return self.source - self.reference


def group_table(source: Source, reference: Source, by: str, outcome: Outcome) -> GroupTable | None:
    """None where the reference does not tell the outcome by that variable."""
    names = (by, outcome.variable)
    mine, theirs = source.margin(names), reference.margin(names)
    if mine is None or theirs is None:
        return None
    variables = {v.name: v for v in source.variables}
    places = [variables[outcome.variable].codes.index(code) for code in outcome.codes]
    both = zip(
        variables[by].codes, mine.counts.sum(axis=1), _shares(mine, places), _shares(theirs, places), strict=True
    )
    groups = tuple(Group(code, round(pupils), ours, told) for code, pupils, ours, told in both)
    return GroupTable(variables[by], outcome, groups)


def _shares(margin: Margin, places: list[int]) -> list[float | None]:
    kept = np.maximum(margin.counts, 0)
    total = kept.sum(axis=1)
    return [
        float(part / all_) if all_ > 0 else None for part, all_ in zip(kept[:, places].sum(axis=1), total, strict=True)
    ]


def transition(source: Source, reference: Source, rows: str, columns: str) -> Transition | None:
    """None where the reference does not tell the two together."""
    mine, theirs = source.margin((rows, columns)), reference.margin((rows, columns))
    if mine is None or theirs is None:
        return None
    variables = {v.name: v for v in source.variables}
    return Transition(variables[rows], variables[columns], _rows(mine), _rows(theirs))


def _rows(margin: Margin) -> Floats:
    kept = np.maximum(margin.counts, 0)
    total = kept.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(kept, total, out=np.full(kept.shape, np.nan), where=total > 0))
