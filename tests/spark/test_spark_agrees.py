"""The same question on the same rows: Spark, DuckDB and plain Python must be equal, number for number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue import DataSet, Key
from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.ingest.parquet import write_parquet
from datasets.plan import Plan
from datasets.query import InvalidQuery, Query
from datasets.validate import validate
from disclosure.aggregates import BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.evidence import Largest, RecordKeys
from tests.lib import school, strategies
from tests.lib.effort import THOROUGH
from tests.lib.plans import LIMITS, plans
from tests.spark.compare import compare, compare_groups
from tests.spark.remote import RemoteEngine, Worker

pytestmark = pytest.mark.slow
KEYED = school.keyed_census()
ONE_ROW = replace(KEYED, key=Key("pupil_id"))
UNLUCKY = {
    "CriteriaSelectNobody",
    "InvalidValue",
    "RepeatedGroup",
    "TooManyCells",
    "TotalsDoNotCover",
    "TotalsNotNested",
}
SCORES, DAYS = Sum("score", -3, 16, 2, ("score",)), Sum("days", 10, 180, 10)
SPARK_EXAMPLES = settings(
    max_examples=60 if THOROUGH else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes hundreds of queries
)


class Engines(NamedTuple):
    spark: RemoteEngine
    duckdb: DuckDBEngine
    python: MemoryEngine


def some_rows(data_set: DataSet, many: int, units: int, seed: int = 11) -> list[Row]:
    """Of any kind: values at and beyond the bounds of sums, missing ones, keys of all 64 bits, rows that are alike."""
    stream = np.random.default_rng(seed)
    found = []
    for place in range(many):
        score = None if stream.random() < 0.2 else int(stream.integers(-4, 21))
        atoms = {v.name: int(stream.integers(len(v.atoms))) for v in data_set.domain}
        atoms["score"] = school.score_atom(score, data_set.by_name["score"])
        unit = place if units >= many else int(stream.integers(units))
        ticks = {"score": score, "days": int(stream.integers(201))}
        found.append(Row(unit, atoms, ticks, int(stream.integers(0, 2**64, dtype=np.uint64))))
    return [*found, *(found[:5] if units < many else [])]


def publish(folder: Path, data_set: DataSet, rows: list[Row], worker: Worker) -> Iterator[Engines]:
    folder.mkdir()
    school.write_cut(folder / "cut.duckdb", data_set, rows)
    write_parquet(folder / "cut.duckdb", data_set, folder, "500MB", 1)
    python, duckdb = MemoryEngine({data_set.id: rows}), DuckDBEngine({data_set.id: folder / "cut.duckdb"})
    with closing(duckdb), closing(worker.open(folder / "parquet")) as spark:
        yield Engines(spark, duckdb, python)


@pytest.fixture(scope="module")
def engines(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Pupils with several rows."""
    yield from publish(tmp_path_factory.mktemp("many") / "cut", KEYED, some_rows(KEYED, 400, 90), worker)


@pytest.fixture(scope="module")
def one_row(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Each row another pupil."""
    yield from publish(tmp_path_factory.mktemp("one") / "cut", ONE_ROW, some_rows(ONE_ROW, 300, 300), worker)


def assert_equal(plan: Plan, engines: Engines) -> None:
    assert list(compare(plan, engines.python, engines.spark)) == []
    assert list(compare(plan, engines.python, engines.duckdb)) == []


@SPARK_EXAMPLES
@given(query=strategies.queries(KEYED))
def test_random_questions(engines: Engines, query: Query) -> None:
    try:
        valid = validate(query, KEYED, school.GRANTS, LIMITS)
    except InvalidQuery as invalid:
        assume(not all(p.code in UNLUCKY for p in invalid.problems))
        raise
    for plan in plans(valid)[:2]:
        assert_equal(plan, engines)
    assert list(compare_groups(valid, engines.python, engines.spark)) == []


@pytest.mark.parametrize("by", [(), ("la.region",), ("need.some", "score.wide"), ("year", "sex")])
def test_every_kind_of_aggregate_and_evidence(engines: Engines, one_row: Engines, by: tuple[str, ...]) -> None:
    """With bands that have gaps, so that rows fall outside of the table; and by nothing, so that it is one cell."""
    aggregates = (
        *(Count(), Count(("score",)), DistinctCount(), DistinctCount("need"), DistinctCount("score"), SCORES, DAYS),
        *(SumOfProducts(SCORES, DAYS, 7), SumOfProducts(DAYS, DAYS), BinnedCount("need", ((1, 2), (7,)))),
        BinnedCount("score", ((0,), (1, 2, 4))),
    )
    evidence = (
        *(Largest(SCORES, 3), Largest(DAYS, 1), RecordKeys(), RecordKeys(Count(("score",)))),
        RecordKeys(BinnedCount("sex", ((0,), (1, 2)))),
    )
    for data_set, each in ((KEYED, engines), (ONE_ROW, one_row)):
        asked = validate(strategies.counted(data_set, by), data_set, school.GRANTS, LIMITS)
        assert_equal(asked.plan(0, aggregates, evidence), each)


@SPARK_EXAMPLES
@given(data=st.data())
def test_random_evidence(engines: Engines, data: st.DataObject) -> None:
    criteria = data.draw(st.none() | strategies.criteria(KEYED))
    by = tuple(
        data.draw(st.lists(st.sampled_from([r for r, _ in strategies.references(KEYED)]), max_size=2, unique=True))
    )
    try:
        valid = validate(strategies.counted(KEYED, by, criteria), KEYED, school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    assert_equal(valid.plan(0, (), data.draw(strategies.evidence(KEYED))), engines)


@pytest.mark.parametrize("rows", [[], some_rows(KEYED, 1, 1)[:1]], ids=["no row", "one row"])
def test_hardly_any_rows(worker: Worker, tmp_path: Path, rows: list[Row]) -> None:
    for each in publish(tmp_path / "cut", KEYED, rows, worker):
        for by in ((), ("la", "year")):
            asked = validate(strategies.counted(KEYED, by), KEYED, school.GRANTS, LIMITS)
            counted = (Count(), SCORES, DistinctCount(), BinnedCount("sex", ((0,), (1,))))
            assert_equal(asked.plan(0, counted, (Largest(DAYS, 2), RecordKeys())), each)
            assert list(compare_groups(asked, each.python, each.spark)) == []


def test_the_comparison_would_notice(engines: Engines, one_row: Engines) -> None:
    """Positive control: the same question on other rows."""
    asked = validate(strategies.counted(KEYED, ("la",)), KEYED, school.GRANTS, LIMITS)
    plan = asked.plan(0, (Count(), SCORES), (RecordKeys(),))
    assert len(list(compare(plan, engines.python, one_row.spark))) == 3
    assert list(compare_groups(asked, engines.python, one_row.spark)) == ["the groups that are listed"]
