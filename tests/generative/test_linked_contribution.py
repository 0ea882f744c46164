"""Relationships and time: a pupil is taken out of every file, the cut is made anew, and no table moves further than the
theorem claims, whatever is linked, derived or looked back at. Some pupil moves one exactly that far.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import ingest
from datasets.plan import Plan
from datasets.query import Codes, Criteria, InvalidQuery, Measure, Operator, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.aggregates import Aggregate
from disclosure.sensitivity import l1, l2_squared
from tests.lib import linked, strategies
from tests.lib.effort import examples
from tests.lib.plans import plans

CATALOGUE = linked.catalogue()
BUSY = "P9999"
"""Has every row that a pupil can have."""
LIMITS = Limits(cells=20_000, group_by=4)
GRANTS = frozenset({"fsm"})
DATA_SETS = ["census", "ks4", "ks2"]


def all_rows() -> linked.Rows:
    found = linked.rows(12, seed=3)
    found["ks2"].append({"pupil": BUSY, "level": "high", "points": "4", "marks": "110"})
    terms = [(year, term) for year in linked.YEARS for term in ("AUT", "SPR", "SUM")]
    row = {"pupil": BUSY, "school": "S1", "fsm": "Y", "age": "18", "hours": "30"}
    found["census"] += [row | {"year": year, "term": term} for year, term in terms]
    row = {"pupil": BUSY, "school": "S1", "maths": "9", "english": "9"}
    found["ks4"] += [row | {"year": year} for year in ("202122", "202223")]
    return found


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DuckDBEngine]]:
    """Of the whole cut (""), and of it without one pupil."""
    whole = all_rows()
    with ExitStack() as stack:
        found = {}
        for pupil in ("", BUSY, *sorted({row["pupil"] for row in whole["ks4"]} - {BUSY})[:2]):
            folder = tmp_path_factory.mktemp("without")
            rows = {name: [r for r in lines if r.get("pupil", BUSY + "?") != pupil] for name, lines in whole.items()}
            cut = ingest(CATALOGUE, linked.CATALOGUE, linked.write(rows, folder), folder / "cuts")
            found[pupil] = DuckDBEngine(cut.databases)
            stack.callback(found[pupil].close)
        yield found


def asked(data_set: str, query: Query) -> ValidQuery:
    chosen = CATALOGUE.data_set(data_set)
    assert chosen is not None
    return validate(query, chosen, GRANTS, LIMITS)


def moved(engines: dict[str, DuckDBEngine], pupil: str, plan: Plan) -> dict[Aggregate, np.ndarray]:
    tables = [engines[name].aggregate(plan) for name in ("", pupil)]
    return {a: tables[0][a].astype(object) - tables[1][a].astype(object) for a in plan.aggregates}


@pytest.mark.parametrize("name", DATA_SETS)
@settings(
    max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(data=st.data())
def test_no_pupil_moves_a_table_further_than_claimed(
    name: str, engines: dict[str, DuckDBEngine], data: st.DataObject
) -> None:
    data_set = CATALOGUE.data_set(name)
    assert data_set is not None
    try:
        valid = asked(name, data.draw(strategies.queries(data_set)))
    except InvalidQuery:
        assume(False)
        raise
    for plan, layout in zip(plans(valid), valid.layouts, strict=True):
        for pupil in filter(None, engines):
            for aggregate, change in moved(engines, pupil, plan).items():
                assert (change**2).sum() <= l2_squared(aggregate, layout.contribution)
                assert abs(change).sum() <= l1(aggregate, layout.contribution)


def of(variable: str, *codes: str) -> Criteria:
    return Codes(variable, Operator.IN, codes)


COUNT = (Measure("count", "count"),)
TIGHT = {
    "all censuses of six years": ("census", Query("census", COUNT), 18),
    "each census apart": ("census", Query("census", COUNT, ("year", "term")), 18),
    "one term of six years, by where the school is": (
        "census",
        Query("census", COUNT, ("school_region",), of("term", "SPR")),
        6,
    ),
    "one census": ("census", Query("census", COUNT, ("fsm6",), of("term", "SPR")), 6),
    "two years of ks4": ("ks4", Query("ks4", COUNT, ("ks2_level",)), 2),
    "a cohort, by what was before": ("ks4", Query("ks4", COUNT, ("ks2_level", "y6_fsm"), of("year", "202223")), 1),
    "pupils, by what is fixed": ("ks4", Query("ks4", (Measure("n", "pupils"),), ("ks2_level",)), 1),
    "one row": ("ks2", Query("ks2", COUNT, ("read_well",)), 1),
}


@pytest.mark.parametrize("case", TIGHT)
def test_the_busiest_pupil_moves_it_as_far_as_is_claimed(case: str, engines: dict[str, DuckDBEngine]) -> None:
    name, query, most = TIGHT[case]
    valid = asked(name, query)
    (plan,), (layout,) = plans(valid), valid.layouts
    ((aggregate, change),) = moved(engines, BUSY, plan).items()
    assert abs(change).sum() == l1(aggregate, layout.contribution) == most
    assert (change**2).sum() == l2_squared(aggregate, layout.contribution)
