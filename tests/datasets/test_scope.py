"""What a project may ask about: judged on who is meant, however the question says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.query import (
    And,
    Codes,
    Criteria,
    InvalidQuery,
    Measure,
    Not,
    Operator,
    Or,
    Period,
    Periods,
    Place,
    Places,
    Query,
)
from datasets.scope import DataSetScope
from datasets.validate import Limits, ValidQuery, validate
from tests.lib import school

CENSUS = school.census()
YEARS = frozenset({"202122", "202223"})
SCOPE = DataSetScope(frozenset({"la.region", "sex", "score"}), {"year": YEARS})
COUNT = (Measure("n", "count", path="measures[0]"),)
IN_SCOPE = Codes("year", Operator.IN, ("202122",), "criteria.year")


def check(
    criteria: Criteria | None = IN_SCOPE,
    group_by: tuple[str, ...] = (),
    measures: tuple[Measure, ...] = COUNT,
    scope: DataSetScope = SCOPE,
) -> ValidQuery:
    query = Query(CENSUS.id, measures, group_by, criteria)
    return validate(query, CENSUS, school.GRANTS, Limits(10_000, 4), scope=scope)


def problems(**asked: object) -> set[tuple[str, str]]:
    try:
        check(**asked)  # type: ignore[arg-type]
    except InvalidQuery as invalid:
        return {(p.code, p.path) for p in invalid.problems}
    return set()


def test_what_is_in_scope_is_answered() -> None:
    assert problems() == set()
    assert problems(group_by=("la.region", "sex", "year")) == set()
    assert problems(group_by=("REG", "score.wide")) == set()
    assert problems(measures=(Measure("m", "mean", "score"),)) == set()
    assert problems(criteria=Periods(Operator.IN, (Period("2021/2022", "AY"), Period("2022/2023", "AY")))) == set()


NOT_IN_SCOPE = {
    "a variable": (dict(group_by=("need",)), "VariableNotInScope", "groupBy[0]"),
    "a finer grouping": (dict(group_by=("la",)), "VariableNotInScope", "groupBy[0]"),
    "a level that is the finer one": (dict(group_by=("LA",)), "VariableNotInScope", "groupBy[0]"),
    "another banding": (dict(group_by=("need.some",)), "VariableNotInScope", "groupBy[0]"),
    "a criterion": (
        dict(criteria=And((IN_SCOPE, Codes("need", Operator.EQ, ("a",), "criteria.need")))),
        "VariableNotInScope",
        "criteria.need",
    ),
    "places": (
        dict(criteria=And((IN_SCOPE, Places(Operator.IN, (Place("LA", "A1"),), "criteria.locations")))),
        "VariableNotInScope",
        "criteria.locations",
    ),
    "a number to be averaged": (
        dict(measures=(Measure("m", "mean", "days", path="measures[0]"),)),
        "VariableNotInScope",
        "measures[0].variable",
    ),
    "everybody": (dict(criteria=None), "PeriodNotInScope", "criteria"),
    "another year": (
        dict(criteria=Codes("year", Operator.EQ, ("202324",), "criteria.year")),
        "PeriodNotInScope",
        "criteria.year",
    ),
    "all but a year": (dict(criteria=Not(IN_SCOPE)), "PeriodNotInScope", "criteria.year"),
    "one year or anybody of a region": (
        dict(criteria=Or((IN_SCOPE, Codes("la.region", Operator.EQ, ("N",), "criteria.la")))),
        "PeriodNotInScope",
        "criteria.year",
    ),
    "a later period": (
        dict(criteria=Periods(Operator.GTE, (Period("2021/2022", "AY"),), "criteria.timePeriods")),
        "PeriodNotInScope",
        "criteria.timePeriods",
    ),
}


@pytest.mark.parametrize("way", NOT_IN_SCOPE)
def test_what_is_not_in_scope_is_refused_by_name(way: str) -> None:
    asked, code, path = NOT_IN_SCOPE[way]
    assert (code, path) in problems(**asked)


def test_what_would_be_accepted_is_said() -> None:
    with pytest.raises(InvalidQuery) as refused:
        check(criteria=None, group_by=("la", "need"))
    told = [p.message for p in refused.value.problems]
    assert any("la in bands only. Accepted: la.region." in each for each in told)
    assert any(
        "need is not in the scope of this project. Accepted: la.region, score, sex, year." in each for each in told
    )
    assert any("takes in year 202324" in each and "Accepted: 202122, 202223." in each for each in told)


def test_a_cohort_is_kept_to_as_years_are() -> None:
    scope = DataSetScope(frozenset({"la"}), {"year": YEARS, "sex": frozenset({"F"})})
    assert problems(scope=scope) == {("CodesNotInScope", "criteria")}
    girls = And((IN_SCOPE, Codes("sex", Operator.EQ, ("F",), "criteria.sex")))
    assert problems(scope=scope, criteria=girls, group_by=("la",)) == set()


def test_a_scope_that_no_question_could_keep_to_is_none() -> None:
    with pytest.raises(ValueError, match="has codes"):
        DataSetScope(frozenset({"la"}), {"year": frozenset()})


CRITERIA = st.recursive(
    st.builds(
        lambda name, codes, positive: Codes(name, Operator.IN if positive else Operator.NOT_IN, tuple(codes)),
        st.just("year"),
        st.lists(st.sampled_from(["202122", "202223", "202324"]), min_size=1, unique=True),
        st.booleans(),
    )
    | st.just(Codes("sex", Operator.EQ, ("F",))),
    lambda parts: (
        st.builds(lambda several: And(tuple(several)), st.lists(parts, min_size=1, max_size=3))
        | st.builds(lambda several: Or(tuple(several)), st.lists(parts, min_size=1, max_size=3))
        | st.builds(Not, parts)
    ),
    max_leaves=6,
)


@given(CRITERIA)
def test_whatever_is_accepted_admits_nobody_of_another_year(criteria: Criteria) -> None:
    try:
        valid = check(criteria)
    except InvalidQuery:
        return
    level = CENSUS.levels_of["year"]
    row = [0] * len(CENSUS.domain)
    for sex in range(3):
        row[CENSUS.levels_of["sex"]], row[level] = sex, 2
        assert not valid.predicate.holds(row)
