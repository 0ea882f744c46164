"""Criteria → canonical predicate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from datasets.names import Names, some
from datasets.predicate import FALSE, TRUE, Algebra, Predicate, TooComplex
from datasets.query import And, Codes, Criteria, Not, Operator, Or, Period, Periods, Places
from datasets.variables import Code, Variable

MOST_CODES = 60_000
MOST_PATHS = 500
"""Conjunctions in the disjunction that the engine would run."""
MOST_ATOMS = 2_000
"""Codes compared in all of them together, runs of codes counting as two."""
MOST_FACETS = 1_000
MOST_PAIRS = 500_000
"""Twice what as many conditions of one path each may need: a second, where a variable has 20,000 codes."""


def predicate_of(criteria: Criteria | None, names: Names) -> Predicate:
    """Problems go to `names`; where there are any, the predicate means nothing."""
    reader = _Reader(names)
    try:
        found = reader.algebra.predicate(TRUE if criteria is None else reader.diagram(criteria))
        if found.path_count > MOST_PATHS or _compared_atoms(found) > MOST_ATOMS:
            raise TooComplex
    except TooComplex:
        names.refuse("CriteriaTooComplex", "The criteria combine too many conditions. Ask in parts.", "criteria")
        return reader.algebra.predicate(TRUE)
    if found.root == FALSE and not names.problems:
        names.refuse("CriteriaSelectNobody", "No pupil could meet these criteria, whatever the data.", "criteria")
    return found


def _compared_atoms(predicate: Predicate) -> int:
    return sum(min(mask.bit_count(), 2 * _runs(mask)) for path in predicate.paths() for _, mask in path)


def _runs(mask: int) -> int:
    return (mask & ~(mask << 1)).bit_count()


class _Reader:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._facets = 0
        self._levels = {v.name: i for i, v in enumerate(names.data_set.domain)}
        self.algebra = Algebra([len(v.atoms) for v in names.data_set.domain], pairs=MOST_PAIRS)

    def diagram(self, node: Criteria) -> int:
        self._facets += isinstance(node, Codes | Places | Periods)
        if self._facets > MOST_FACETS:
            raise TooComplex
        match node:
            case And(parts):
                return self.algebra.all_of([self.diagram(p) for p in parts])
            case Or(parts):
                return self.algebra.any_of([self.diagram(p) for p in parts])
            case Not(part):
                return self.algebra.negate(self.diagram(part))
            case Codes():
                return self._codes(node)
            case Places():
                return self._places(node)
            case Periods():
                return self._periods(node)
            case _:
                assert_never(node)

    def _member(self, variable: Variable, atoms: Iterable[int], operator: Operator) -> int:
        mask = sum(1 << atom for atom in set(atoms))
        everything = (1 << len(variable.atoms)) - 1
        return self.algebra.member(self._levels[variable.name], everything & ~mask if operator.is_negative else mask)

    def _codes(self, node: Codes) -> int:
        subject = self._names.domain(node.reference, node.path)
        if subject is None or not self._fits(node.operator, node.codes, node.path):
            return TRUE
        return self._member(subject.named, self._names.atoms(node.codes, subject, node.path), node.operator)

    def _places(self, node: Places) -> int:
        if not self._fits(node.operator, node.places, node.path):
            return TRUE
        levels = self._names.data_set.levels
        if any(p.level not in levels for p in node.places):
            self._names.refuse("LocationsNotFound", f"No such level. Accepted: {some(levels) or 'none'}.", node.path)
            return TRUE
        by_level: dict[str, list[str]] = {}
        for place in node.places:
            by_level.setdefault(place.level, []).append(place.code)
        parts = [self._codes(Codes(level, Operator.IN, tuple(c), node.path)) for level, c in by_level.items()]
        anywhere = self.algebra.any_of(parts)
        return self.algebra.negate(anywhere) if node.operator.is_negative else anywhere

    def _periods(self, node: Periods) -> int:
        time = self._names.data_set.time
        if time is None:
            self._names.refuse("TimePeriodsNotFound", "This data set has no time periods.", node.path)
            return TRUE
        self._names.used.setdefault(time.name, node.path)
        self._names.named.setdefault((time.name, None), node.path)
        if not self._fits(node.operator, node.periods, node.path, ordered=True):
            return TRUE
        places = [self._place(p) for p in node.periods]
        found = [p for p in places if p is not None]
        if len(found) < len(places):
            accepted = [f"{p.period}|{p.kind}" for p in self._names.data_set.time_periods]
            self._names.refuse("TimePeriodsNotFound", f"No such time period. Accepted: {some(accepted)}.", node.path)
            return TRUE
        return self._member(time, _compared(node.operator, found, time.atoms), node.operator)

    def _place(self, wanted: Period) -> int | None:
        periods = enumerate(self._names.data_set.time_periods)
        return next((i for i, p in periods if (p.period, p.kind) == (wanted.period, wanted.kind)), None)

    def _fits(self, operator: Operator, values: Sequence[object], path: str, ordered: bool = False) -> bool:
        several = operator in (Operator.IN, Operator.NOT_IN)
        if operator.is_ordered and not ordered:
            self._names.refuse("AllowedValue", "Only time periods are ordered. Accepted: eq, notEq, in, notIn.", path)
        elif not 1 <= len(values) <= MOST_CODES:
            self._names.refuse("InvalidValue", f"Wants 1 to {MOST_CODES} values.", path)
        elif not several and len(values) != 1:
            self._names.refuse("InvalidValue", f"{operator} wants one value.", path)
        else:
            return True
        return False


def _compared(operator: Operator, places: Sequence[int], atoms: Sequence[Code]) -> list[int]:
    """Atoms on the wanted side of the (single) place; the declared order is the order of time."""
    at, every = places[0], range(len(atoms))
    match operator:
        case Operator.GT:
            return [i for i in every if i > at]
        case Operator.GTE:
            return [i for i in every if i >= at]
        case Operator.LT:
            return [i for i in every if i < at]
        case Operator.LTE:
            return [i for i in every if i <= at]
        case Operator.EQ | Operator.NOT_EQ | Operator.IN | Operator.NOT_IN:
            return list(places)
        case _:
            assert_never(operator)
