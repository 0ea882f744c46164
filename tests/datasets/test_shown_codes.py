"""A distribution is over the codes that the criteria leave: others would add noise, and count in the denominator."""

from __future__ import annotations

import pytest

from datasets.query import Codes, Measure, Operator, Query
from datasets.validate import validate
from disclosure.aggregates import BinnedCount
from tests.lib import school
from tests.lib.plans import LIMITS

GIRLS_AND_BOYS = Codes("sex", Operator.NOT_EQ, ("U",))


@pytest.mark.parametrize("statistic", ["distribution", "histogram"])
def test_codes_that_no_row_can_have_are_left_out(statistic: str) -> None:
    query = Query("census", (Measure("m", statistic, variable="sex" if statistic == "distribution" else "score"),))
    criteria = GIRLS_AND_BOYS if statistic == "distribution" else Codes("score.wide", Operator.EQ, ("2 to 10",))
    whole, narrow = (
        validate(Query("census", query.measures, (), c), school.census(), school.GRANTS, LIMITS)
        for c in (None, criteria)
    )
    bins = [valid.quantities[0].aggregate for valid in (whole, narrow)]
    assert all(isinstance(one, BinnedCount) for one in bins)
    names = [[c.code for c in v.measures[0].statistic.outputs(v.measures[0].subject)] for v in (whole, narrow)]
    assert set(names[1]) < set(names[0])
    assert [len(one.bins) for one in bins if isinstance(one, BinnedCount)] == [len(n) for n in names]


def test_in_official_mode_the_table_has_every_code() -> None:
    query = Query("census", (Measure("m", "distribution", variable="sex"),), (), GIRLS_AND_BOYS)
    valid = validate(query, school.census(), school.GRANTS, LIMITS, official=True)
    assert [c.code for c in valid.measures[0].statistic.outputs(valid.measures[0].subject)] == ["F", "M", "U"]
