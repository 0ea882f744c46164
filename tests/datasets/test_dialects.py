"""The same plan in each engine's words: what is said differently, and that nothing else is."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from datasets.dialects import DUCKDB, SPARK, Dialect
from datasets.plan import Plan
from datasets.query import Codes, Measure, Operator, Query
from datasets.sql import Statement, compile_plan
from datasets.validate import Limits, validate
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.evidence import Evidence, Largest, RecordKeys
from tests.lib import school

KEYED = school.keyed_census()
SCORES = Sum("score", -3, 16, 2, ("score",))
AGGREGATES: tuple[Aggregate, ...] = (
    *(Count(), Count(("score",)), DistinctCount(), DistinctCount("sex"), SCORES),
    *(SumOfProducts(SCORES, Sum("days", 0, 200)), BinnedCount("sex", ((0,), (1, 2)))),
)
EVIDENCE: tuple[Evidence, ...] = (Largest(SCORES, 2), RecordKeys(), RecordKeys(BinnedCount("sex", ((0,),))))
FEW = Codes("la", Operator.IN, ("A2", "A3", "A5"))
MANY = Codes("need", Operator.IN, ("a", "c", "e", "g", "i"))
"""More runs than are compared by ranges."""


def plan(
    criteria: Codes | None = FEW, aggregates: tuple[Aggregate, ...] = AGGREGATES, evidence: tuple[Evidence, ...] = ()
) -> Plan:
    query = Query(KEYED.id, (Measure("n", "count"),), ("la.region",), criteria)
    return validate(query, KEYED, school.GRANTS, Limits(9000, 4)).plan(0, aggregates, evidence)


def trees(dialect: Dialect, asked: Plan) -> list[exp.Expr]:
    return [parse_one(s.sql, dialect=dialect.name) for s in compile_plan(asked, dialect)]


@pytest.mark.parametrize("dialect", [DUCKDB, SPARK])
@pytest.mark.parametrize("criteria", [None, FEW, MANY])
def test_what_is_compiled_can_be_read_back(dialect: Dialect, criteria: Codes | None) -> None:
    for statement in compile_plan(plan(criteria, evidence=EVIDENCE), dialect):
        tree = parse_one(statement.sql, dialect=dialect.name)
        named = {p.name for p in tree.find_all(exp.Placeholder, exp.Parameter) if p.name}
        assert named == set(statement.parameters), "every value is bound, and no other"
        assert [t.name for t in tree.find_all(exp.Table) if t.name] == [KEYED.id]


@pytest.mark.parametrize("criteria", [None, FEW, MANY])
def test_spark_is_told_of_places_and_nothing_of_codes(criteria: Codes | None) -> None:
    for statement in compile_plan(plan(criteria, evidence=EVIDENCE), SPARK):
        assert all(isinstance(value, int) for value in statement.parameters.values())
        tree = parse_one(statement.sql, dialect="spark")
        assert not any(literal.is_string for literal in tree.find_all(exp.Literal))
        assert "enum" not in statement.sql.lower()
        casts = {cast.to.sql() for cast in tree.find_all(exp.Cast)}
        assert casts <= {"BIGINT"}


def test_engines_are_asked_for_the_same_columns_in_the_same_order() -> None:
    asked = plan(evidence=EVIDENCE)
    ours, theirs = trees(DUCKDB, asked), trees(SPARK, asked)
    assert [len(tree.selects) for tree in ours] == [len(tree.selects) for tree in theirs]
    assert [s.wanted for s in compile_plan(asked)] == [s.wanted for s in compile_plan(asked, SPARK)]
    groups = [[tree.args["group"].sql() for tree in each if tree.args.get("group")] for each in (ours, theirs)]
    assert groups[0] == groups[1]


def only(aggregates: tuple[Aggregate, ...], evidence: tuple[Evidence, ...] = ()) -> Statement:
    (statement,) = compile_plan(plan(FEW, aggregates, evidence), SPARK)
    return statement


def test_a_count_in_spark() -> None:
    statement = only((Count(),))
    assert statement.sql == (
        "SELECT `la.region`, COUNT(*) FROM `census` WHERE `la` BETWEEN :p0 AND :p1 OR `la` = :p2 GROUP BY `la.region`"
    )
    assert statement.parameters == {"p0": 1, "p1": 2, "p2": 4}


def test_largest_contributions_in_spark_hold_so_many_at_a_time() -> None:
    statement = only((), (Largest(SCORES, 2),))
    clamped = "CASE WHEN `score` < -3 THEN -3 WHEN `score` > 16 THEN 16 ELSE `score` END"
    total = f"COALESCE(CAST(SUM(CASE WHEN NOT (`score` IS NULL) THEN ABS(CAST({clamped} AS BIGINT))"
    assert total in statement.sql
    top = "MAX_BY(`?0`, `?0`, 2)"
    assert f"SELECT `la.region`, COALESCE(GET({top}, 0), 0), COALESCE(GET({top}, 1), 0) FROM (" in statement.sql
    assert "GROUP BY `la.region`, `unit`) AS `pupils`" in statement.sql.replace("AS pupils", "AS `pupils`")


def test_sums_of_keys_in_spark_never_leave_64_bits() -> None:
    """Each half of a key is below 2³², so that 2³¹ rows add up to less than 2⁶³."""
    statement = only((), (RecordKeys(),))
    low, high = "SUM((`record_key`) & 4294967295)", "SUM(SHIFTRIGHTUNSIGNED(`record_key`, 32))"
    both = f"SHIFTLEFT({high} + SHIFTRIGHTUNSIGNED({low}, 32), 32) | ({low} & 4294967295)"
    assert f"COALESCE({both}, 0)" in statement.sql


def test_pupils_are_marked_where_their_bitmaps_are_small() -> None:
    asked = plan(None, (DistinctCount(),))
    texts = {units: compile_plan(asked, DUCKDB, units)[0].sql.lower() for units in (None, 1000, 2**33)}
    assert "bitstring_agg" in texts[1000]
    assert all("count(distinct" in texts[units] for units in (None, 2**33))
    assert "count(distinct" in compile_plan(asked, SPARK, 1000)[0].sql.lower()
