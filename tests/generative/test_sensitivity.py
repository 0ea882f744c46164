"""Add or remove one pupil: no table moves further than is claimed, for any question, and some move exactly that far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue import DataSet, Key
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Plan
from datasets.query import InvalidQuery, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Count, DistinctCount
from disclosure.sensitivity import Contribution, l1, l2_squared, reach
from tests.lib import school, strategies
from tests.lib.effort import examples
from tests.lib.plans import only_plan, plans

CENSUS = school.census()
LIMITS = Limits(cells=5000, group_by=4)
KEYS = {
    "two rows per pupil and year": CENSUS.key,
    "one row per pupil and year": replace(CENSUS.key, rows_per_period=1),
    "three rows per pupil": Key("pupil_id", None, (), 3),
    "each row is one pupil": Key(None, "year"),
}


def data_set(key: Key) -> DataSet:
    return replace(CENSUS, key=key)


@st.composite
def pupil_rows(draw: st.DrawFn, key: Key, unit: int) -> list[Row]:
    """All rows that one pupil may have under the key."""
    count = draw(st.integers(1, 1 if key.unit is None else key.rows_per_period * (1 if key.time is None else 3)))
    found: list[Row] = []
    for row in draw(st.lists(strategies.rows(CENSUS, units=1, most=1).filter(bool), min_size=count, max_size=count)):
        same_year = sum(r.atoms["year"] == row[0].atoms["year"] for r in found)
        if key.time is None or same_year < key.rows_per_period:
            found.append(replace(row[0], unit=unit))
    return found


def moved(plan: Plan, pupil: list[Row]) -> dict[object, int]:
    """Squared distance between the tables with and without the pupil (whoever else is there cancels out)."""
    table = MemoryEngine({CENSUS.id: pupil}).aggregate(plan)
    return {a: int((table[a].astype(object) ** 2).sum()) for a in plan.aggregates}


def moved_in_all(plan: Plan, pupil: list[Row]) -> dict[object, int]:
    """The same as a sum of absolute differences."""
    table = MemoryEngine({CENSUS.id: pupil}).aggregate(plan)
    return {a: int(np.abs(table[a].astype(object)).sum()) for a in plan.aggregates}


@pytest.mark.parametrize("name", KEYS)
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), query=strategies.queries(CENSUS))
def test_no_pupil_moves_a_table_further_than_claimed(name: str, data: st.DataObject, query: Query) -> None:
    chosen = data_set(KEYS[name])
    try:
        valid = validate(query, chosen, school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    pupil = data.draw(pupil_rows(chosen.key, 1))
    for plan, layout in zip(plans(valid), valid.layouts, strict=True):
        for aggregate, distance in moved(plan, pupil).items():
            assert distance <= l2_squared(aggregate, layout.contribution)  # type: ignore[arg-type]
        for aggregate, distance in moved_in_all(plan, pupil).items():
            assert distance <= l1(aggregate, layout.contribution)  # type: ignore[arg-type]


def _pupil(years: list[int], las: list[int]) -> list[Row]:
    atoms = {"la": 0, "sex": 0, "need": 0, "score": 0}
    return [
        Row(1, {**atoms, "year": y, "la": la}, {"score": 16, "days": 200}) for y, la in zip(years, las, strict=True)
    ]


@pytest.mark.parametrize(
    ("group_by", "years", "las", "distance"),
    [
        (("year",), [0, 0, 1, 1, 2, 2], [0] * 6, 3 * 4),
        ((), [0, 0, 1, 1, 2, 2], [0] * 6, 36),
        (("la",), [0, 0, 1, 1, 2, 2], [0] * 6, 36),
    ],
)
def test_the_claim_is_reached(group_by: tuple[str, ...], years: list[int], las: list[int], distance: int) -> None:
    from datasets.query import Measure

    valid = validate(Query(CENSUS.id, (Measure("n", "count"),), group_by), CENSUS, school.GRANTS, LIMITS)
    claimed = l2_squared(Count(), valid.layouts[0].contribution)
    assert moved(only_plan(valid), _pupil(years, las))[Count()] == distance == claimed


@pytest.mark.parametrize("group_by", [("year",), (), ("la",), ("la", "sex")])
@pytest.mark.parametrize("statistic", ["count", "sum", "histogram"])
def test_the_l1_claim_is_reached_however_rows_are_spread(group_by: tuple[str, ...], statistic: str) -> None:
    from datasets.query import Measure

    measure = Measure("m", statistic, {"sum": "score", "histogram": "need"}.get(statistic))
    valid = validate(Query(CENSUS.id, (measure,), group_by), CENSUS, school.GRANTS, LIMITS)
    for aggregate, distance in moved_in_all(only_plan(valid), _pupil([0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 0])).items():
        assert distance == l1(aggregate, valid.layouts[0].contribution)  # type: ignore[arg-type]


def test_an_l1_claim_that_is_one_too_small_would_be_caught() -> None:
    """Positive control: taking the L2 distance for the L1 one is too little on rows that are spread."""
    from datasets.query import Measure

    plan = only_plan(validate(Query(CENSUS.id, (Measure("n", "count"),), ("la",)), CENSUS, school.GRANTS, LIMITS))
    found = moved_in_all(plan, _pupil([0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 0]))[Count()]
    assert found == 6 > np.sqrt(moved(plan, _pupil([0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 0]))[Count()])


def test_l1_of_distinct_pupils_is_bounded_by_the_cells_there_are() -> None:
    assert l1(DistinctCount(), Contribution((6, 1), 2)) == 3
    assert l1(DistinctCount(), Contribution((6,), 100)) == 6


def test_one_year_admitted_narrows_the_claim() -> None:
    from datasets.query import Measure, Operator, Period, Periods

    one_year = Periods(Operator.EQ, (Period("2022/2023", "AY"),))
    query = Query(CENSUS.id, (Measure("n", "count"),), ("la",), one_year)
    (layout,) = validate(query, CENSUS, school.GRANTS, LIMITS).layouts
    assert layout.contribution.blocks == (2,)
    assert l2_squared(Count(), layout.contribution) == 4


def test_distinct_pupils_are_bounded_by_the_cells_there_are() -> None:
    assert l2_squared(DistinctCount(), Contribution((6,), 2)) == 2
    assert l2_squared(DistinctCount(), Contribution((6,), 100)) == 6


def test_a_claim_that_is_one_too_small_would_be_caught() -> None:
    """Positive control: the planted bug 'sensitivity off by one' fails on data that reach the claim."""
    from datasets.query import Measure

    valid = validate(Query(CENSUS.id, (Measure("n", "count"),)), CENSUS, school.GRANTS, LIMITS)
    claim = valid.layouts[0].contribution
    too_small = replace(claim, blocks=(claim.blocks[0] - 1,))
    assert moved(only_plan(valid), _pupil([0, 0, 1, 1, 2, 2], [0] * 6))[Count()] > l2_squared(Count(), too_small)


def test_reach_is_the_largest_step_of_one_row() -> None:
    from datasets.query import Measure

    plan = only_plan(validate(Query(CENSUS.id, (Measure("s", "sd", "score"),)), CENSUS, school.GRANTS, LIMITS))
    for aggregate in plan.aggregates:
        steps = []
        for ticks in range(-4, 21):
            row = Row(1, {"year": 0, "la": 0, "sex": 0, "need": 0, "score": 0}, {"score": ticks, "days": 0})
            steps.append(abs(int(MemoryEngine({CENSUS.id: [row]}).aggregate(plan)[aggregate][0, 0])))
        assert max(steps) == reach(aggregate)


def test_sums_of_squares_stay_exact_at_the_ends_of_int64() -> None:
    assert np.iinfo(np.int64).max > CENSUS.max_rows * max(
        (v.numbers.clamp[1] - v.numbers.clamp[0]) ** 2 for v in CENSUS.variables if v.numbers
    )
