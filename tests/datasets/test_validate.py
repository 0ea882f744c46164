"""What is wrong with a question, by code and path; and what is right about a good one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from datasets.catalogue import Key
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
from datasets.validate import Limits, ValidQuery, validate
from datasets.variables import Code
from disclosure.aggregates import Count
from tests.lib import school
from tests.lib.plans import only_plan

CENSUS = school.census()
LIMITS = Limits(cells=300, group_by=3)
COUNT = (Measure("n", "count", path="measures[0]"),)


def check(
    measures: tuple[Measure, ...] = COUNT,
    group_by: tuple[str, ...] = (),
    criteria: Criteria | None = None,
    grants: frozenset[str] = school.GRANTS,
) -> ValidQuery:
    return validate(Query(CENSUS.id, measures, group_by, criteria), CENSUS, grants, LIMITS)


def is_in(name: str, *codes: str, operator: Operator = Operator.IN) -> Codes:
    return Codes(name, operator, codes, "criteria.x")


def measure(statistic: str, variable: str | None = None, **parts: tuple[object, ...]) -> tuple[Measure, ...]:
    return (Measure("m", statistic, variable, path="measures[0]", **parts),)  # type: ignore[arg-type]


BAD = [
    (dict(group_by=("nothing",)), "VariableNotFound", "groupBy[0]"),
    (dict(group_by=("la.nothing",)), "BandingNotFound", "groupBy[0]"),
    (dict(group_by=("days",)), "NotBanded", "groupBy[0]"),
    (dict(group_by=("la", "LA")), "RepeatedGroup", "groupBy"),
    (dict(group_by=("la", "sex", "need", "year")), "TooManyGroups", "groupBy"),
    (dict(group_by=("la", "need", "score")), "TooManyCells", "groupBy"),
    (dict(group_by=("sex",), grants=frozenset()), "VariableNotGranted", "groupBy[0]"),
    (dict(group_by=("sex",), grants=frozenset({"", "fsm"})), "VariableNotGranted", "groupBy[0]"),
    (dict(criteria=is_in("sex", "F"), grants=frozenset()), "VariableNotGranted", "criteria.x"),
    (dict(measures=measure("histogram", "sex"), grants=frozenset()), "VariableNotGranted", "measures[0].variable"),
    (dict(criteria=is_in("sex", "F", "Z")), "CodesNotFound", "criteria.x[1]"),
    (dict(criteria=is_in("sex", "F", "M", operator=Operator.EQ)), "InvalidValue", "criteria.x"),
    (dict(criteria=is_in("sex", "F", operator=Operator.GT)), "AllowedValue", "criteria.x"),
    (dict(criteria=And((is_in("sex", "F"), is_in("sex", "M")))), "CriteriaSelectNobody", "criteria"),
    (dict(criteria=Places(Operator.EQ, (Place("SCH", "1"),), "p")), "LocationsNotFound", "p"),
    (dict(criteria=Places(Operator.EQ, (Place("LA", "zz"),), "p")), "CodesNotFound", "p"),
    (dict(criteria=Periods(Operator.EQ, (Period("1999/2000", "AY"),), "p")), "TimePeriodsNotFound", "p"),
    (dict(criteria=is_in("need", "b"), group_by=("need.some",)), "CriteriaSelectNobody", "groupBy"),
    (dict(measures=()), "RequiredValue", "measures"),
    (dict(measures=COUNT * 2), "InvalidValue", "measures"),
    (dict(measures=measure("mode", "sex")), "StatisticNotFound", "measures[0].statistic"),
    (dict(measures=measure("mean")), "InvalidValue", "measures[0].variable"),
    (dict(measures=measure("count", "sex")), "InvalidValue", "measures[0].variable"),
    (dict(measures=measure("mean", "sex")), "NotANumber", "measures[0].variable"),
    (dict(measures=measure("mean", "score.wide")), "NotANumber", "measures[0].variable"),
    (dict(measures=measure("median", "days")), "NotBanded", "measures[0].variable"),
    (dict(measures=measure("percentage", "sex")), "InvalidValue", "measures[0].codes"),
    (dict(measures=measure("percentage", "sex", codes=("Q",))), "CodesNotFound", "measures[0].codes"),
    (dict(measures=measure("percentage", "sex", codes=("F", "M", "U"))), "InvalidValue", "measures[0].codes"),
    (dict(measures=measure("quantile", "score")), "InvalidValue", "measures[0].probabilities"),
    (
        dict(measures=measure("quantile", "score", probabilities=(Decimal(1),))),
        "InvalidValue",
        "measures[0].probabilities",
    ),
    (dict(measures=measure("count", probabilities=(Decimal("0.5"),))), "InvalidValue", "measures[0].probabilities"),
]


@pytest.mark.parametrize(("parts", "code", "path"), BAD)
def test_each_fault_has_its_code_and_path(parts: dict[str, object], code: str, path: str) -> None:
    with pytest.raises(InvalidQuery) as invalid:
        check(**parts)  # type: ignore[arg-type]
    assert [(p.code, p.path) for p in invalid.value.problems] == [(code, path)]
    assert invalid.value.problems[0].message


def test_all_faults_at_once() -> None:
    with pytest.raises(InvalidQuery) as invalid:
        check(measure("mean", "sex"), ("nothing", "la.x"), is_in("sex", "Z"))
    assert len(invalid.value.problems) == 4


def test_too_many_alternatives_are_refused_by_a_public_limit() -> None:
    pairs = Or(
        tuple(
            And((is_in("need", n), is_in("la", la))) for n, la in zip("abcdefghi", ["A1", "A2", "A3"] * 3, strict=True)
        )
    )
    assert check(criteria=pairs).predicate.path_count < 500


def test_only_codes_that_criteria_admit_are_keys() -> None:
    valid = check(group_by=("la", "need.some"), criteria=And((is_in("la.region", "S"), is_in("need", "a", "b"))))
    axes = only_plan(valid).axes
    assert [c.code for c in axes[0].codes] == ["A3", "A4", "A5"]
    assert [c.code for c in axes[1].codes] == ["first"]


def test_a_geographic_level_is_a_name_for_its_variable() -> None:
    assert only_plan(check(group_by=("REG",))) == only_plan(check(group_by=("la.region",)))


def test_order_of_groups_and_measures_changes_no_plan() -> None:
    one = check((*COUNT, *measure("mean", "score")), ("la", "sex"))
    other = check((*measure("mean", "score"), *COUNT), ("sex", "la"))
    assert only_plan(one) == only_plan(other)
    assert one.tables[0].names == ("la", "sex")
    assert other.tables[0].names == ("sex", "la")


def test_mean_and_sd_share_their_aggregates() -> None:
    both = check((Measure("a", "mean", "score"), Measure("b", "sd", "score")))
    aggregates = only_plan(both).aggregates
    assert len(aggregates) == 3
    assert Count(("score",)) in aggregates


def test_what_is_shown_is_bounded_as_well_as_what_is_measured() -> None:
    """Many quantiles of one measurement make a large answer out of a small one."""
    probabilities = tuple(Decimal(i) / 100 for i in range(1, 100))
    with pytest.raises(InvalidQuery) as invalid:
        check(measure("quantile", "score", probabilities=probabilities), ("la",))
    assert [p.code for p in invalid.value.problems] == ["TooManyCells"]


def test_a_question_whose_sql_would_be_huge_is_refused_by_a_public_limit() -> None:
    many = replace(
        CENSUS,
        variables=tuple(
            replace(CENSUS.by_name["need"], name=f"v{i}", bandings=(), atoms=tuple(Code(str(c), "") for c in range(40)))
            for i in range(8)
        ),
        key=Key(None),
    )
    odd = tuple(str(c) for c in range(0, 40, 2))
    parity: Criteria = Codes("v0", Operator.IN, odd)
    for i in range(1, 8):
        one = Codes(f"v{i}", Operator.IN, odd)
        parity = Or((And((parity, Not(one))), And((Not(parity), one))))
    with pytest.raises(InvalidQuery) as invalid:
        validate(Query(CENSUS.id, COUNT, (), parity), many, frozenset(), LIMITS)
    assert [p.code for p in invalid.value.problems] == ["CriteriaTooComplex"]


def test_more_conditions_than_anybody_writes_are_refused() -> None:
    with pytest.raises(InvalidQuery) as invalid:
        check(criteria=And(tuple(is_in("need", "a", "b") for _ in range(1001))))
    assert [p.code for p in invalid.value.problems] == ["CriteriaTooComplex"]


def test_a_name_with_nothing_behind_its_dot_is_no_name() -> None:
    with pytest.raises(InvalidQuery):
        check(group_by=("la.",))


def test_class_four_is_used_in_bands_only_by_quantiles_too() -> None:
    risky = replace(CENSUS, variables=tuple(replace(v, identifiability=4) for v in CENSUS.variables))
    for measures in (measure("median", "score"), measure("histogram", "need")):
        with pytest.raises(InvalidQuery) as invalid:
            validate(Query(CENSUS.id, measures), risky, school.GRANTS, LIMITS)
        assert [p.code for p in invalid.value.problems] == ["BandingRequired"]
    assert validate(Query(CENSUS.id, measure("histogram", "need.some")), risky, school.GRANTS, LIMITS)
