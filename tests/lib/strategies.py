"""Random rows, criteria and queries over any data set."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from datasets.catalogue import DataSet
from datasets.engines.memory import Row
from datasets.query import And, Codes, Criteria, Measure, Not, Operator, Or, Period, Periods, Place, Places, Query
from datasets.statistics import STATISTICS, Takes
from datasets.variables import Variable
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
    statistic = STATISTICS[name]
    numbers = [v.name for v in data_set.variables if v.numbers and (v.atoms or statistic.takes is Takes.NUMBER)]
    match statistic.takes:
        case Takes.ROWS:
            return Measure(f"m{place}", name)
        case Takes.NUMBER:
            return Measure(f"m{place}", name, draw(st.sampled_from(numbers)))
        case Takes.BINNED_NUMBER:
            p = draw(
                st.lists(st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal("0.9")]), min_size=1, unique=True)
            )
            return Measure(
                f"m{place}", name, draw(st.sampled_from(numbers)), probabilities=tuple(p) if name == "quantile" else ()
            )
        case Takes.DOMAIN:
            return Measure(f"m{place}", name, draw(st.sampled_from(references(data_set)))[0])
        case Takes.DOMAIN_AND_CODES:
            reference, codes = draw(st.sampled_from([r for r in references(data_set) if len(r[1]) > 1]))
            chosen = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=len(codes) - 1, unique=True))
            return Measure(f"m{place}", name, reference, codes=tuple(chosen))


@st.composite
def queries(draw: st.DrawFn, data_set: DataSet) -> Query:
    names = draw(st.lists(st.sampled_from(sorted(STATISTICS)), min_size=1, max_size=3))
    chosen = tuple(draw(measures(data_set, n, i)) for i, n in enumerate(names))
    by = draw(st.lists(st.sampled_from([r for r, _ in references(data_set)]), max_size=3, unique=True))
    return Query(data_set.id, chosen, tuple(by), draw(st.none() | criteria(data_set)))


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
        return Row(draw(st.integers(1, units)), atoms, ticks)

    return draw(st.lists(row(), max_size=most))
