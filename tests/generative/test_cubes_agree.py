"""The same random question on the same random rows: cubes, DuckDB and plain Python give the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue import DataSet, Key
from datasets.cubes import Cube, dtype_of, shape_of
from datasets.cubes.choice import in_order
from datasets.engines.cubes import CubeEngine
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Plan
from datasets.query import InvalidQuery, Measure, Query
from datasets.validate import Limits, validate
from datasets.variables import Banding, Code, Variable
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum
from disclosure.tables import ExactGroups, ExactTable
from tests.generative.test_engines_agree import OpenDuckDB
from tests.lib import school, strategies
from tests.lib.effort import examples

CENSUS = school.census()
LIMITS = Limits(cells=20_000, group_by=6)
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]


class Behind:
    """The engine that plans are handed on to; it only notes them."""

    def __init__(self) -> None:
        self.asked: list[Plan] = []

    def aggregate(self, plan: Plan) -> ExactTable:
        self.asked.append(plan)
        return ExactTable({}, plan.cells)

    def listed(self, plan: Plan) -> ExactGroups:
        self.asked.append(plan)
        return ExactGroups(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def close(self) -> None:
        pass


def cube_of(data_set: DataSet, rows: Sequence[Row], *names: str) -> Cube:
    """By the definition: row by row."""
    axes = in_order(data_set, names)
    counts = np.zeros(shape_of(data_set, axes), dtype_of(data_set))
    for row in rows:
        counts[tuple(row.atoms[name] for name in axes)] += 1
    return Cube(axes, counts)


def all_cube(data_set: DataSet, rows: Sequence[Row]) -> Cube:
    return cube_of(data_set, rows, *(v.name for v in data_set.domain))


@st.composite
def bandings(draw: st.DrawFn, name: str, atoms: int) -> Banding:
    """Disjoint groups of atoms, of which some may be in none."""
    of = draw(st.lists(st.integers(-1, 2), min_size=atoms, max_size=atoms).filter(lambda places: max(places) >= 0))
    groups = [tuple(i for i, place in enumerate(of) if place == band) for band in range(max(of) + 1)]
    groups = [group for group in groups if group]
    return Banding(name, name, tuple(Code(f"b{i}", "") for i in range(len(groups))), tuple(groups))


@st.composite
def data_sets(draw: st.DrawFn) -> DataSet:
    """Up to four categories of up to five codes (one in a while nine), with bandings; time anywhere or nowhere."""
    variables: list[Variable] = []
    for i in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 5) | st.just(9))
        atoms = tuple(Code(f"{i}{chr(97 + k)}", "") for k in range(size))
        made = draw(st.lists(st.just(f"by{i}"), max_size=1))
        named = tuple(draw(bandings(name, size)) for name in made)
        variables.append(Variable(f"v{i}", f"v{i}", "", "", 5, CENSUS.variables[0].sensitivity, atoms, named))
    if draw(st.booleans()):
        variables.insert(draw(st.integers(0, len(variables))), CENSUS.variables[0])
    most = draw(st.sampled_from([10**9, 2**33]))
    return DataSet("census", "", "", "", Key("pupil_id", None, (), 3), tuple(variables), (), most)


@st.composite
def counting_plans(draw: st.DrawFn, data_set: DataSet, distinct: bool = False) -> Plan:
    """Aggregates that rows of atoms tell, by any groupings, under any criteria."""
    by = tuple(
        draw(st.lists(st.sampled_from([r for r, _ in strategies.references(data_set)]), max_size=4, unique=True))
    )
    query = Query(data_set.id, (Measure("n", "count"),), by, draw(st.none() | strategies.criteria(data_set)))
    try:
        valid = validate(query, data_set, school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    variable = draw(st.sampled_from(data_set.domain))
    atoms = draw(st.permutations(range(len(variable.atoms))))
    ends = sorted(draw(st.lists(st.integers(1, len(atoms)), min_size=1, max_size=3, unique=True)))
    bins = tuple(tuple(atoms[a:b]) for a, b in zip([0, *ends], ends, strict=False))
    known: list[Aggregate] = [Count(), BinnedCount(variable.name, bins), DistinctCount(variable.name)]
    known += [DistinctCount()] if distinct else []
    return valid.plan(0, draw(st.lists(st.sampled_from(known), min_size=1, unique=True)))


@settings(max_examples=examples(400), deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_cubes_equal_plain_python_on_any_catalogue(data: st.DataObject) -> None:
    data_set = data.draw(data_sets())
    plan = data.draw(counting_plans(data_set))
    rows = data.draw(strategies.rows(data_set))
    _assert_same(plan, rows, all_cube(data_set, rows))


@settings(max_examples=examples(200), deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_pupils_are_rows_where_each_has_one(data: st.DataObject) -> None:
    data_set = replace(data.draw(data_sets()), key=Key("pupil_id"))
    plan = data.draw(counting_plans(data_set, distinct=True))
    rows = [replace(row, unit=unit) for unit, row in enumerate(data.draw(strategies.rows(data_set)))]
    _assert_same(plan, rows, all_cube(data_set, rows))


def _assert_same(plan: Plan, rows: list[Row], cube: Cube) -> None:
    behind = Behind()
    ours = CubeEngine(behind, {plan.data_set.id: [cube]}).aggregate(plan)
    oracle = MemoryEngine({plan.data_set.id: rows}).aggregate(plan)
    assert not behind.asked
    for aggregate in plan.aggregates:
        assert ours[aggregate].dtype == np.int64
        assert np.array_equal(ours[aggregate], oracle[aggregate]), aggregate


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        school.make_home(opened, CENSUS)
        yield opened


@settings(max_examples=examples(100), deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_three_engines_agree(connection: duckdb.DuckDBPyConnection, data: st.DataObject) -> None:
    """With some cubes of some axes: whatever is handed on, the answer is the same. DuckDB is asked beside."""
    plan = data.draw(counting_plans(CENSUS))
    rows = data.draw(strategies.rows(CENSUS))
    names = [v.name for v in CENSUS.domain]
    axes = data.draw(st.lists(st.lists(st.sampled_from(names), min_size=1, unique=True), max_size=3))
    school.load_table(connection, CENSUS, rows)
    cubes = [cube_of(CENSUS, rows, *names) for names in axes]
    scan = OpenDuckDB(connection)
    ours, theirs = CubeEngine(scan, {CENSUS.id: cubes}).aggregate(plan), scan.aggregate(plan)
    oracle = MemoryEngine({CENSUS.id: rows}).aggregate(plan)
    for aggregate in plan.aggregates:
        assert np.array_equal(ours[aggregate], theirs[aggregate]), aggregate
        assert np.array_equal(ours[aggregate], oracle[aggregate]), aggregate


@settings(max_examples=examples(100), deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_lists_of_groups_agree(data: st.DataObject) -> None:
    data_set = data.draw(data_sets())
    plan = replace(data.draw(counting_plans(data_set)), aggregates=(Count(),))
    rows = data.draw(strategies.rows(data_set))
    behind = Behind()
    ours = CubeEngine(behind, {data_set.id: [all_cube(data_set, rows)]}).listed(plan)
    oracle = MemoryEngine({data_set.id: rows}).listed(plan)
    assert not behind.asked
    assert np.array_equal(ours.cells, oracle.cells)
    assert np.array_equal(ours.counts, oracle.counts)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_who_answers_does_not_depend_on_the_rows(data: st.DataObject) -> None:
    plan = data.draw(counting_plans(CENSUS, distinct=True))
    handed_on = []
    for _ in range(2):
        rows, behind = data.draw(strategies.rows(CENSUS)), Behind()
        engine = CubeEngine(behind, {CENSUS.id: [cube_of(CENSUS, rows, "la"), cube_of(CENSUS, rows, "sex", "need")]})
        engine.aggregate(plan)
        engine.listed(replace(plan, aggregates=(Count(),)))
        handed_on.append(len(behind.asked))
    assert handed_on[0] == handed_on[1]


def test_what_a_cube_cannot_tell_is_handed_on() -> None:
    cube = all_cube(CENSUS, [])
    valid = validate(Query(CENSUS.id, (Measure("n", "count"),), ("la",)), CENSUS, school.GRANTS, LIMITS)
    for aggregate in (Count(("score",)), DistinctCount(), Sum("days", 0, 200)):
        behind = Behind()
        CubeEngine(behind, {CENSUS.id: [cube]}).aggregate(valid.plan(0, [Count(), aggregate]))
        assert len(behind.asked) == 1, aggregate
    assert CubeEngine(Behind(), {"another": [cube]}).cube_for(valid.plan(0, [Count()])) is None


def test_the_smallest_cube_that_will_do_is_taken() -> None:
    cubes = [cube_of(CENSUS, [], *axes) for axes in (("la", "sex", "need"), ("la", "sex"), ("need",))]
    assert prod(cubes[1].counts.shape) < prod(cubes[0].counts.shape)
    valid = validate(Query(CENSUS.id, (Measure("n", "count"),), ("la.region",)), CENSUS, school.GRANTS, LIMITS)
    assert CubeEngine(Behind(), {CENSUS.id: cubes}).cube_for(valid.plan(0, [Count()])) is cubes[1]
