"""The same random question on the same random rows: DuckDB must equal plain Python, number for number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import InvalidQuery, Query
from datasets.validate import Limits, validate
from tests.lib import school, strategies
from tests.lib.plans import only_plan, plans

CENSUS = school.census()
LIMITS = Limits(cells=5000, group_by=4)
UNLUCKY = {
    *("CriteriaSelectNobody", "InvalidValue", "RepeatedGroup", "TooManyCells", "TotalsDoNotCover", "TotalsNotNested"),
}
"""What may be wrong with a random question."""


class OpenDuckDB(DuckDBEngine):
    """The engine on an open in-memory database, so that a test run opens one connection and not thousands."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
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


@settings(max_examples=5, deadline=None)
@given(rows=strategies.rows(CENSUS, most=10), data=st.data())
def test_a_published_file_answers_the_same(
    rows: list[Row], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path: Path = tmp_path_factory.mktemp("cut") / "cut.duckdb"
    school.write_cut(path, CENSUS, rows)
    query = Query(CENSUS.id, (data.draw(strategies.measures(CENSUS, "count", 0)),), ("la", "sex"))
    plan = only_plan(validate(query, CENSUS, school.GRANTS, LIMITS))
    engine = DuckDBEngine(path)
    try:
        (aggregate,) = plan.aggregates
        ours, oracle = engine.aggregate(plan)[aggregate], MemoryEngine({CENSUS.id: rows}).aggregate(plan)[aggregate]
        assert np.array_equal(ours, oracle)
    finally:
        engine.close()
