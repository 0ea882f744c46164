"""Listed groups over random data: the engines list the dense table's non-zero cells, and no pupil moves them further
than claimed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Groups, InvalidQuery, Measure, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.aggregates import Count
from disclosure.sensitivity import Moves, moves
from disclosure.tables import ExactGroups
from tests.generative.test_contribution import SHAPES, pupils
from tests.generative.test_engines_agree import OpenDuckDB
from tests.lib import school, strategies
from tests.lib.effort import examples
from tests.lib.plans import only_plan

CENSUS = school.census()
LIMITS = Limits(cells=0, group_by=4, listed=10**9)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        school.make_home(opened, CENSUS)
        yield opened


@st.composite
def listed_queries(draw: st.DrawFn) -> Query:
    by = st.lists(st.sampled_from([r for r, _ in strategies.references(CENSUS)]), min_size=1, max_size=3, unique=True)
    criterion = draw(st.none() | strategies.criteria(CENSUS))
    return Query(CENSUS.id, (Measure("n", "count"),), tuple(draw(by)), criterion, groups=Groups.LISTED)


def valid_or_skip(query: Query, data_set: object = CENSUS) -> ValidQuery:
    try:
        return validate(query, data_set, school.GRANTS, LIMITS)  # type: ignore[arg-type]
    except InvalidQuery as invalid:
        assume(not {p.code for p in invalid.problems} <= {"CriteriaSelectNobody", "RepeatedGroup"})
        raise


def as_dict(groups: ExactGroups) -> dict[int, int]:
    return dict(zip(groups.cells.tolist(), groups.counts.tolist(), strict=True))


@settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(query=listed_queries(), rows=strategies.rows(CENSUS))
def test_what_is_listed_is_what_a_dense_table_has(
    query: Query, rows: list[Row], connection: duckdb.DuckDBPyConnection
) -> None:
    plan = only_plan(valid_or_skip(query))
    school.load_table(connection, CENSUS, rows)
    dense = MemoryEngine({CENSUS.id: rows}).aggregate(plan)[Count()][:, 0]
    expected = {cell: int(dense[cell]) for cell in np.flatnonzero(dense).tolist()}
    assert as_dict(MemoryEngine({CENSUS.id: rows}).listed(plan)) == expected
    assert as_dict(OpenDuckDB(connection).listed(plan)) == expected


def changed(valid: ValidQuery, pupil: list[Row], others: list[Row]) -> Moves:
    """The sizes of the change that the pupil makes, by subtracting one list from the other."""
    plan = only_plan(valid)
    without, with_pupil = (
        as_dict(MemoryEngine({CENSUS.id: rows}).listed(plan)) for rows in (others, [*others, *pupil])
    )
    change = [n - without.get(cell, 0) for cell, n in with_pupil.items() if n != without.get(cell, 0)]
    assert without.keys() <= with_pupil.keys()
    return Moves(len(change), sum(n * n for n in change), max(change)) if change else Moves(1, 1, 1)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), query=listed_queries())
def test_no_pupil_changes_a_list_by_more_than_claimed(shape: str, data: st.DataObject, query: Query) -> None:
    valid = valid_or_skip(query, SHAPES[shape])
    claim = moves(valid.layouts[0].contribution)
    found = changed(valid, data.draw(pupils(SHAPES[shape], 1_000)), data.draw(strategies.rows(CENSUS, units=3, most=6)))
    assert (found.l0 <= claim.l0, found.l2_squared <= claim.l2_squared, found.linf <= claim.linf) == (True,) * 3


def six_rows(las: list[int], needs: list[int]) -> list[Row]:
    atoms = {"sex": 0, "score": 0, "days": 0}
    return [
        Row(1, {**atoms, "year": i // 2, "la": la, "need": need}, {"score": 0, "days": 0})
        for i, (la, need) in enumerate(zip(las, needs, strict=True))
    ]


@pytest.mark.parametrize(
    ("group_by", "las", "needs", "reached"),
    [
        (("la", "need"), [0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 5], {"l0": 6}),
        (("la", "need"), [0] * 6, [0] * 6, {"l2_squared": 36, "linf": 6}),
        (("year", "need"), [0] * 6, [0, 1] * 3, {"l0": 6}),
        (("year", "need"), [0] * 6, [0] * 6, {"l2_squared": 12, "linf": 2}),
        (("la.region",), [0, 2] * 3, [0] * 6, {"l0": 2}),
    ],
)
def test_each_claim_is_reached(
    group_by: tuple[str, ...], las: list[int], needs: list[int], reached: dict[str, int]
) -> None:
    """And so a claim that is one too small would be caught."""
    query = Query(CENSUS.id, (Measure("n", "count"),), group_by, groups=Groups.LISTED)
    valid = validate(query, CENSUS, school.GRANTS, LIMITS)
    found, claim = changed(valid, six_rows(las, needs), []), moves(valid.layouts[0].contribution)
    for size, value in reached.items():
        assert getattr(found, size) == getattr(claim, size) == value


def wide_catalogue(codes: int) -> str:
    head = school.CATALOGUE.split("[data_sets.census.variables.la]")[0]
    listed = "[" + ", ".join(f'"c{i}"' for i in range(codes)) + "]"
    parts = [
        f'[data_sets.census.variables.{name}]\ntype = "category"\nlabel = "{name}"\nidentifiability = 5\n'
        f'sensitivity = "E"\ncodes = {listed}\n'
        for name in ("home", "school")
    ]
    return head.replace('sort_by = ["la"]', 'sort_by = ["home"]') + "".join(parts)


def test_a_key_space_of_a_hundred_million_takes_no_room(tmp_path: Path) -> None:
    wide = load_catalogue(wide_catalogue(10_000)).data_sets[0]
    rows = [Row(i, {"year": i % 3, "home": i * 7 % 10_000, "school": i * 13 % 10_000}, {}) for i in range(500)] + [
        Row(1_000 + i, {"year": 0, "home": 9_999, "school": 9_999}, {}) for i in range(300)
    ]
    school.write_cut(tmp_path / "cut.duckdb", wide, rows)
    query = Query(wide.id, (Measure("n", "count"),), ("school", "home"), groups=Groups.LISTED)
    engine = DuckDBEngine({wide.id: tmp_path / "cut.duckdb"})
    tracemalloc.start()
    try:
        plan = only_plan(validate(query, wide, frozenset(), LIMITS))
        assert plan.cells == 10**8
        found = as_dict(engine.listed(plan))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        engine.close()
    assert len(found) == 501
    assert found[10**8 - 1] == 300
    assert peak < 50_000_000, "a dense table would be 800 MB"


def test_a_key_space_beyond_the_limit_is_refused() -> None:
    query = Query(CENSUS.id, (Measure("n", "count"),), ("la", "need"), groups=Groups.LISTED)
    with pytest.raises(InvalidQuery, match="at most 50 are looked through"):
        validate(query, CENSUS, school.GRANTS, replace(LIMITS, listed=50))
