"""Whatever is asked of whatever rows, there is an answer: ends around numbers, and nothing beside a hidden one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.answer import Status, adds_up, finish
from datasets.engines.memory import MemoryEngine, Row
from datasets.families import families, prices
from datasets.pricing import chosen_totals, margin
from datasets.query import Display, InvalidQuery, Query
from datasets.validate import Limits, validate
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from tests.lib import school, strategies
from tests.lib.effort import examples
from tests.lib.plans import exact_tables, protected

CENSUS = school.census()
POLICIES = {
    "published": load_policy(preset("dp-default")),
    "laplace": load_policy(preset("dp-default").replace('"gaussian"', '"laplace"')),
    "open": load_policy(preset("dp-default").replace("value = 10", "value = 0").replace("value = 20", "value = 0")),
}


@pytest.mark.parametrize("name", POLICIES)
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    query=strategies.queries(CENSUS),
    rows=strategies.rows(CENSUS),
    copies=st.sampled_from([0, 1, 200]),
    rho=st.sampled_from([1_000_000, 100_000_000, 100_000_000_000]),
    display=st.sampled_from(Display),
)
def test_every_valid_question_has_an_answer(
    name: str, query: Query, rows: list[Row], copies: int, rho: int, display: Display
) -> None:
    policy = POLICIES[name]
    try:
        valid = validate(
            Query(CENSUS.id, query.measures, query.group_by, query.criteria, None, query.totals, display),
            CENSUS,
            school.GRANTS,
            Limits(cells=1500, group_by=4),
        )
    except InvalidQuery:
        assume(False)
        raise
    known = families(valid, policy.noise)
    totals = chosen_totals(rho, valid, known)
    each = prices(totals, known)
    assert set(each) == set(valid.quantities)
    assert min(each.values()) > 0
    assert sum(each.values()) <= rho
    tables = exact_tables(valid, MemoryEngine({CENSUS.id: rows * copies}))
    answer = finish(valid, protected(valid, tables, each, policy), policy)
    assert len(answer.series) == len(query.measures)
    for series, measure in zip(answer.series, valid.measures, strict=True):
        low, high = measure.statistic.bounds(measure.subject)
        shape = (len(answer.keys), len(series.outputs))
        assert {series.value.shape, series.lower.shape, series.upper.shape, series.status.shape} == {shape}
        unknown = np.isin(series.status, [Status.CONFIDENTIAL, Status.NOT_AVAILABLE])
        assert (np.isnan(series.value) == unknown).all()
        assert (np.isnan(series.lower) == unknown).all()
        assert (np.isnan(series.upper) == unknown).all()
        possible = np.clip(series.value, low, high)
        free = display is Display.UNBIASED or adds_up(measure, valid)
        assert free or np.array_equal(possible, series.value, equal_nan=True)
        outside = ~unknown & ~((series.lower <= possible) & (possible <= series.upper))
        assert not outside.any(), [each[outside] for each in (series.lower, series.value, series.upper)]
    for measure in valid.measures:
        for table in range(len(valid.tables)):
            width = margin(measure, valid, totals, known, policy, 1000, table)
            assert width is None or width >= 0
