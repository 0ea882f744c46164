"""The same random question on the same random rows: DuckDB must equal plain Python, number for number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue import DataSet, Key
from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Plan
from datasets.query import InvalidQuery, Measure, Query
from datasets.sql import UNIT, compile_plan
from datasets.validate import Limits, validate
from disclosure.aggregates import BinnedCount, Count
from disclosure.evidence import Evidence
from tests.lib import school, strategies
from tests.lib.effort import examples
from tests.lib.plans import only_plan, plans

CENSUS = school.census()
KEYED = school.keyed_census()
ONE_ROW = replace(KEYED, key=Key("pupil_id"))
LIMITS = Limits(cells=5000, group_by=4)
UNLUCKY = {
    *("CriteriaSelectNobody", "InvalidValue", "RepeatedGroup", "TooManyCells", "TotalsDoNotCover", "TotalsNotNested"),
}
"""What may be wrong with a random question."""


class OpenDuckDB(DuckDBEngine):
    """The engine on an open in-memory database, so that a test run opens one connection and not thousands."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._units = {}

    def _units_of(self, plan: Plan) -> int:
        """Anew each time, since the tests put other rows into the table."""
        self._units.clear()
        return super()._units_of(plan)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        school.make_home(opened, CENSUS)
        yield opened


@pytest.fixture(scope="module")
def keyed() -> Iterator[duckdb.DuckDBPyConnection]:
    """Of the cut with record keys, whose types have the same names."""
    with duckdb.connect() as opened:
        school.make_home(opened, CENSUS)
        yield opened


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(query=strategies.queries(CENSUS), rows=strategies.rows(CENSUS))
def test_duckdb_equals_plain_python(query: Query, rows: list[Row], connection: duckdb.DuckDBPyConnection) -> None:
    try:
        valid = validate(query, CENSUS, school.GRANTS, LIMITS)
    except InvalidQuery as invalid:
        assume(not all(p.code in UNLUCKY for p in invalid.problems))
        raise
    school.load_table(connection, CENSUS, rows)
    for plan in plans(valid):
        ours = OpenDuckDB(connection).aggregate(plan)
        oracle = MemoryEngine({CENSUS.id: rows}).aggregate(plan)
        for aggregate in plan.aggregates:
            assert np.array_equal(ours[aggregate], oracle[aggregate]), aggregate


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_evidence_of_duckdb_equals_that_of_plain_python(keyed: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    plan = data.draw(plans_for_evidence(KEYED))
    rows = data.draw(strategies.rows(KEYED, units=4))
    _assert_same_evidence(keyed, plan, rows)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_so_it_does_where_a_pupil_has_one_row(keyed: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    plan = data.draw(plans_for_evidence(ONE_ROW))
    rows = [replace(row, unit=unit) for unit, row in enumerate(data.draw(strategies.rows(ONE_ROW)))]
    assert not any(UNIT in statement.sql for statement in compile_plan(plan)), "no pupil's rows are added up first"
    _assert_same_evidence(keyed, plan, rows)


def _assert_same_evidence(connection: duckdb.DuckDBPyConnection, plan: Plan, rows: list[Row]) -> None:
    school.load_table(connection, plan.data_set, rows)
    ours = OpenDuckDB(connection).aggregate(plan)
    oracle = MemoryEngine({plan.data_set.id: rows}).aggregate(plan)
    for aggregate in plan.aggregates:
        assert np.array_equal(ours[aggregate], oracle[aggregate]), aggregate
    for wanted in plan.evidence:
        assert np.array_equal(ours.evidence(wanted), oracle.evidence(wanted)), wanted


@st.composite
def plans_for_evidence(draw: st.DrawFn, data_set: DataSet) -> Plan:
    """Any evidence beside some aggregates, by some groupings, of the rows that some criteria admit."""
    by = tuple(
        draw(st.lists(st.sampled_from([r for r, _ in strategies.references(data_set)]), max_size=2, unique=True))
    )
    query = Query(data_set.id, (Measure("n", "count"),), by, draw(st.none() | strategies.criteria(data_set)))
    try:
        valid = validate(query, data_set, school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    aggregates = draw(st.lists(st.sampled_from([Count(), BinnedCount("sex", ((0,), (1, 2)))]), unique=True))
    return valid.plan(0, aggregates, draw(strategies.evidence(data_set)))


def test_every_kind_of_evidence_is_drawn() -> None:
    assert set(strategies.EVIDENCE) == set(get_args(Evidence))


@settings(max_examples=examples(5), deadline=None)
@given(rows=strategies.rows(CENSUS, most=10), data=st.data())
def test_a_published_file_answers_the_same(
    rows: list[Row], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("cut") / "cut.duckdb"
    school.write_cut(path, CENSUS, rows)
    query = Query(CENSUS.id, (data.draw(strategies.measures(CENSUS, "count", 0)),), ("la", "sex"))
    plan = only_plan(validate(query, CENSUS, school.GRANTS, LIMITS))
    engine = DuckDBEngine({CENSUS.id: path})
    try:
        (aggregate,) = plan.aggregates
        ours, oracle = engine.aggregate(plan)[aggregate], MemoryEngine({CENSUS.id: rows}).aggregate(plan)[aggregate]
        assert np.array_equal(ours, oracle)
    finally:
        engine.close()
