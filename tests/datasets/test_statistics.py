"""Every statistic, finished from exact aggregates, equals what numpy computes from the rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from datasets.answer import Answer, Status, finish
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Measure, Query
from datasets.statistics import STATISTICS
from datasets.validate import Limits, validate
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from tests.lib import school
from tests.lib.plans import unprotected

CENSUS = school.census()
PLAIN = load_policy(preset("dp-default").replace("value = 10", "value = 0").replace("base = 5", "base = 1"))
STREAM = np.random.default_rng(5)
TICKS = STREAM.integers(0, 17, 4000)
MISSING = STREAM.random(4000) < 0.1
LA = STREAM.integers(0, 5, 4000)
UNIT = STREAM.integers(1, 900, 4000)
ROWS = [
    Row(
        int(u),
        {
            "year": 0,
            "la": int(la),
            "sex": int(u) % 2,
            "need": int(u) % 11,
            "score": school.score_atom(None if gone else int(t), CENSUS.by_name["score"]),
        },
        {"score": None if gone else int(t), "days": int(t)},
    )
    for u, t, gone, la in zip(UNIT, TICKS, MISSING, LA, strict=True)
]
SCORES = np.where(MISSING, np.nan, TICKS / 2)


def answer(*measures: Measure, sigma: float = 0.0, group_by: tuple[str, ...] = ("la",)) -> Answer:
    valid = validate(Query(CENSUS.id, measures, group_by), CENSUS, school.GRANTS, Limits(9000, 4))
    return finish(valid, unprotected(valid, MemoryEngine({CENSUS.id: ROWS}), sigma), PLAIN)


EXPECTED: dict[str, tuple[Measure, Callable[[np.ndarray], object], float]] = {
    "count": (Measure("m", "count"), lambda here: here.sum(), 0),
    "pupils": (Measure("m", "pupils"), lambda here: len(set(UNIT[here])), 0),
    "sum": (Measure("m", "sum", "score"), lambda here: np.nansum(SCORES[here]), 0),
    "mean": (Measure("m", "mean", "score"), lambda here: np.nanmean(SCORES[here]), 0.006),
    "rate": (Measure("m", "rate", "score"), lambda here: 100 * np.nanmean(SCORES[here]), 0.6),
    "distribution": (
        Measure("m", "distribution", "score.wide"),
        lambda here: (
            100 * np.array([(SCORES[here] < 2).sum(), (SCORES[here] >= 2).sum()]) / (~np.isnan(SCORES[here])).sum()
        ),
        0.006,
    ),
    "variance": (Measure("m", "variance", "score"), lambda here: np.nanvar(SCORES[here], ddof=1), 0.006),
    "sd": (Measure("m", "sd", "score"), lambda here: np.nanstd(SCORES[here], ddof=1), 0.006),
    "percentage": (
        Measure("m", "percentage", "sex", codes=("F",)),
        lambda here: 100 * (UNIT[here] % 2 == 0).mean(),
        0.051,
    ),
    "histogram": (
        Measure("m", "histogram", "score.wide"),
        lambda here: [(SCORES[here] < 2).sum(), (SCORES[here] >= 2).sum()],
        0,
    ),
    "median": (Measure("m", "median", "score"), lambda here: np.nanmedian(SCORES[here]), 2.0),
    "quantile": (
        Measure("m", "quantile", "score", probabilities=(Decimal("0.25"), Decimal("0.9"))),
        lambda here: np.nanquantile(SCORES[here], [0.25, 0.9]),
        2.0,
    ),
}


def test_every_statistic_stands_here() -> None:
    assert set(EXPECTED) == set(STATISTICS)


@pytest.mark.parametrize("name", EXPECTED)
def test_finished_from_exact_aggregates_it_is_what_the_rows_say(name: str) -> None:
    measure, truth, tolerance = EXPECTED[name]
    series = answer(measure).series[0]
    for la in range(5):
        assert series.value[la] == pytest.approx(np.atleast_1d(truth(la == LA)), abs=tolerance), la
        assert (series.lower[la] <= series.value[la]).all()
        assert (series.value[la] <= series.upper[la]).all()


@pytest.mark.parametrize("name", ["median", "quantile"])
def test_a_quantile_lies_within_its_interval(name: str) -> None:
    measure, truth, _ = EXPECTED[name]
    series = answer(measure).series[0]
    for la in range(5):
        exact = np.atleast_1d(truth(la == LA))
        assert (series.lower[la] <= exact).all()
        assert (exact <= series.upper[la]).all()


def test_groups_come_in_the_order_asked_for() -> None:
    one, other = (answer(Measure("m", "count"), group_by=g) for g in (("la", "sex"), ("sex", "la")))
    assert [axis.reference for axis in other.tables[0].axes] == ["sex", "la"]
    first = {(key["la"], key["sex"]): v for key, v in zip(one.keys, one.series[0].value[:, 0], strict=True)}
    assert len(first) == 15
    for key, value in zip(other.keys, other.series[0].value[:, 0], strict=True):
        assert first[key["la"], key["sex"]] == value


def test_a_cell_with_nobody_in_it_has_no_mean() -> None:
    series = answer(Measure("m", "mean", "score"), group_by=("sex",)).series[0]
    assert series.status[2, 0] == Status.NOT_AVAILABLE
    assert np.isnan(series.value[2, 0])


def test_wide_intervals_are_marked() -> None:
    series = answer(Measure("m", "count"), sigma=3000.0).series[0]
    assert (series.status == Status.UNRELIABLE).any()
