"""Random rows, criteria and queries over any data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from typing import assert_never

from hypothesis import strategies as st

from datasets.catalogue import DataSet
from datasets.engines.memory import Row
from datasets.query import And, Codes, Criteria, Measure, Not, Operator, Or, Period, Periods, Place, Places, Query
from datasets.statistics import STATISTICS, Takes
from datasets.variables import Variable
from disclosure.aggregates import BinnedCount, Count, Sum
from disclosure.evidence import Evidence, Largest, RecordKeys
from tests.lib.school import score_atom

SET_OPERATORS = st.sampled_from([Operator.IN, Operator.NOT_IN])


def references(data_set: DataSet) -> list[tuple[str, list[str]]]:
    """Everything that criteria and groups can name, with its codes."""
    named = [(v.name, [a.code for a in v.atoms]) for v in data_set.domain]
    named += [(f"{v.name}.{b.name}", [c.code for c in b.codes]) for v in data_set.variables for b in v.bandings]
    return named


@st.composite
def leaves(draw: st.DrawFn, data_set: DataSet) -> Criteria:
    kind = draw(st.sampled_from(["codes", "codes", "codes", "places", "periods"]))
    if kind == "places" and data_set.levels:
        level = draw(st.sampled_from(sorted(data_set.levels)))
        codes = dict(references(data_set))[data_set.levels[level]]
        places = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=3))
        return Places(draw(SET_OPERATORS), tuple(Place(level, c) for c in places))
    if kind == "periods" and data_set.time_periods:
        operator = draw(st.sampled_from(list(Operator)))
        most = 3 if operator in (Operator.IN, Operator.NOT_IN) else 1
        periods = draw(st.lists(st.sampled_from(data_set.time_periods), min_size=1, max_size=most))
        return Periods(operator, tuple(Period(p.period, p.kind) for p in periods))
    name, codes = draw(st.sampled_from(references(data_set)))
    if draw(st.booleans()):
        return Codes(name, draw(st.sampled_from([Operator.EQ, Operator.NOT_EQ])), (draw(st.sampled_from(codes)),))
    return Codes(name, draw(SET_OPERATORS), tuple(draw(st.lists(st.sampled_from(codes), min_size=1, max_size=6))))


def criteria(data_set: DataSet) -> st.SearchStrategy[Criteria]:
    return st.recursive(
        leaves(data_set),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda p: And(tuple(p))),
            st.lists(inner, min_size=1, max_size=3).map(lambda p: Or(tuple(p))),
            inner.map(Not),
        ),
        max_leaves=6,
    )


@st.composite
def measures(draw: st.DrawFn, data_set: DataSet, name: str, place: int) -> Measure:
    """Any measure of a statistic that is well formed; criteria and groupings may still leave nothing of it."""
    takes = STATISTICS[name].takes
    measure = Measure(f"m{place}", name)
    numbers = [v.name for v in data_set.variables if v.numbers]
    binned = [v.name for v in data_set.domain if v.numbers]
    match takes:
        case Takes.ROWS:
            return measure
        case Takes.NUMBER:
            return replace(measure, variable=draw(st.sampled_from(numbers)))
        case Takes.TWO_NUMBERS:
            left, right = draw(st.permutations(numbers))[:2]
            return replace(measure, variable=left, other=right)
        case Takes.BINNED_NUMBER:
            return replace(measure, variable=draw(st.sampled_from(binned)))
        case Takes.BINNED_NUMBER_AND_PROBABILITIES:
            p = draw(st.lists(st.sampled_from(PROBABILITIES), min_size=1, unique=True))
            return replace(measure, variable=draw(st.sampled_from(binned)), probabilities=tuple(p))
        case Takes.DOMAIN:
            return replace(measure, variable=draw(st.sampled_from(_domains(data_set, name))))
        case Takes.DOMAIN_AND_CODES:
            return draw(_with_codes(data_set, measure))
        case Takes.TWO_MEASURES:
            inner = [draw(measures(data_set, draw(st.sampled_from(SINGLE)), i)) for i in range(2)]
            return replace(measure, of=tuple(inner))
        case Takes.MEASURE_AND_GROUPS:
            inner = [draw(measures(data_set, draw(st.sampled_from(PLAIN)), 0))]
            reference, codes = draw(st.sampled_from(_divided(data_set)))
            groups = draw(st.lists(st.sampled_from(codes), min_size=2, max_size=2, unique=True))
            return replace(measure, of=tuple(inner), variable=reference, codes=tuple(groups))
        case Takes.NUMBER_AND_TERMS:
            outcome = draw(st.sampled_from(numbers))
            terms = draw(_terms(data_set, outcome, [n for n in numbers if n != outcome]))
            return replace(measure, variable=outcome, terms=terms)
        case Takes.DOMAIN_CODES_AND_TERMS:
            outcome = draw(_with_codes(data_set, measure))
            named = (outcome.variable or "").split(".")[0]
            return replace(outcome, terms=draw(_terms(data_set, named, [n for n in binned if n != named])))
        case _:
            assert_never(takes)


PROBABILITIES = [Decimal("0.1"), Decimal("0.5"), Decimal("0.9")]
PLAIN = [s.name for s in STATISTICS.values() if s.estimate is None and s.name not in ("ratio", "gap")]
"""What a gap takes; a ratio takes those of one number."""
SINGLE = [name for name in PLAIN if name not in ("histogram", "distribution")]


def _domains(data_set: DataSet, name: str) -> list[str]:
    """Of what may be counted: distinct codes are of a variable, others of bandings too."""
    return [reference for reference, _ in references(data_set) if name != "distinct" or "." not in reference]


def _divided(data_set: DataSet) -> list[tuple[str, list[str]]]:
    return [(reference, codes) for reference, codes in references(data_set) if len(codes) > 1]


@st.composite
def _with_codes(draw: st.DrawFn, data_set: DataSet, measure: Measure) -> Measure:
    reference, codes = draw(st.sampled_from(_divided(data_set)))
    chosen = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=len(codes) - 1, unique=True))
    return replace(measure, variable=reference, codes=tuple(chosen))


@st.composite
def _terms(draw: st.DrawFn, data_set: DataSet, outcome: str, numbers: list[str]) -> tuple[str, ...]:
    """Numbers and groupings, no variable twice, in any order, and sometimes an interaction of two."""
    groupings = [r for r, _ in _divided(data_set) if r.split(".")[0] not in (outcome, *numbers)]
    mains = draw(
        st.lists(
            st.sampled_from([*numbers, *groupings]), min_size=1, max_size=3, unique_by=lambda name: name.split(".")[0]
        )
    )
    pairs = [f"{a}:{b}" for a, b in combinations(mains, 2) if not {a, b} <= set(numbers)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=1)) if pairs else []
    return tuple(draw(st.permutations([*mains, *chosen])))


@st.composite
def totals(draw: st.DrawFn, data_set: DataSet, group_by: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Coarser tables: each grouping kept, summed over, or by a banding of its own."""
    coarser = {by: [None, by, *_bandings(data_set, by)] for by in group_by}

    @st.composite
    def total(draw: st.DrawFn) -> tuple[str, ...]:
        chosen = [draw(st.sampled_from(levels)) for levels in coarser.values()]
        return tuple(draw(st.permutations([name for name in chosen if name is not None])))

    return tuple(draw(st.lists(total(), max_size=3)))


def _bandings(data_set: DataSet, reference: str) -> list[str]:
    if "." in reference:
        return []
    return [f"{reference}.{banding.name}" for banding in data_set.by_name[reference].bandings]


@st.composite
def queries(draw: st.DrawFn, data_set: DataSet) -> Query:
    names = draw(st.lists(st.sampled_from(sorted(STATISTICS)), min_size=1, max_size=3))
    chosen = tuple(draw(measures(data_set, n, i)) for i, n in enumerate(names))
    by = tuple(draw(st.lists(st.sampled_from([r for r, _ in references(data_set)]), max_size=3, unique=True)))
    criterion = draw(st.none() | criteria(data_set))
    added = draw(totals(data_set, by)) if draw(st.booleans()) else ()
    return Query(data_set.id, chosen, by, criterion, totals=added)


def counted(data_set: DataSet, by: Sequence[str] = (), criteria: Criteria | None = None) -> Query:
    """A count: what is drawn or chosen beside it is asked over its cells."""
    return Query(data_set.id, (Measure("n", "count"),), tuple(by), criteria)


RECORD_KEYS = st.integers(0, 2**64 - 1)


@st.composite
def evidence(draw: st.DrawFn, data_set: DataSet) -> tuple[Evidence, ...]:
    """Of any kind, about any variables, with bounds on either side of zero."""
    kinds = st.sampled_from(list(EVIDENCE.values()))
    return tuple(draw(st.lists(kinds.flatmap(lambda kind: kind(data_set)), max_size=3, unique=True)))


@st.composite
def _largest(draw: st.DrawFn, data_set: DataSet) -> Largest:
    variable = draw(st.sampled_from([v for v in data_set.variables if v.numbers]))
    lower, origin, upper = sorted(draw(st.tuples(*[st.integers(-30, 30)] * 3)))
    optional = variable.numbers is not None and variable.numbers.optional
    return Largest(Sum(variable.name, lower, upper, origin, (variable.name,) * optional), draw(st.integers(1, 4)))


@st.composite
def _record_keys(draw: st.DrawFn, data_set: DataSet) -> RecordKeys:
    present = tuple(v.name for v in data_set.variables if v.numbers and v.numbers.optional)
    variable = draw(st.sampled_from(data_set.domain))
    atoms = draw(st.permutations(range(len(variable.atoms))))
    bins = BinnedCount(variable.name, (tuple(atoms[:2]), tuple(atoms[2:3])))
    return RecordKeys(draw(st.sampled_from([Count(), Count(present), bins])))


EVIDENCE: dict[type, Callable[[DataSet], st.SearchStrategy[Evidence]]] = {
    Largest: _largest,
    RecordKeys: _record_keys,
}


def _ticks(variable: Variable) -> st.SearchStrategy[int | None]:
    numbers = variable.numbers
    assert numbers is not None
    inside = st.integers(numbers.lowest, numbers.highest)
    return st.none() | inside if numbers.optional else inside


@st.composite
def rows(draw: st.DrawFn, data_set: DataSet, units: int = 8, most: int = 25) -> list[Row]:
    """Any rows, whether or not they keep the declared key: engines must agree on all."""

    @st.composite
    def row(draw: st.DrawFn) -> Row:
        ticks = {v.name: draw(_ticks(v)) for v in data_set.variables if v.numbers}
        atoms = {
            v.name: score_atom(ticks[v.name], v) if v.numbers else draw(st.integers(0, len(v.atoms) - 1))
            for v in data_set.domain
        }
        return Row(draw(st.integers(1, units)), atoms, ticks, draw(RECORD_KEYS) if data_set.record_keys else 0)

    return draw(st.lists(row(), max_size=most))
