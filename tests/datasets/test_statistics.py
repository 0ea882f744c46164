"""Every statistic, finished from exact aggregates, equals what numpy and scipy compute from the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from datasets.answer import Status, finish
from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine
from datasets.query import Measure, Query
from datasets.statistics import STATISTICS
from datasets.validate import validate
from disclosure.aggregates import BinnedCount
from tests.lib import school
from tests.lib.plans import LIMITS, unprotected
from tests.lib.regression import logistic, ols
from tests.lib.sample import (
    BINNED,
    DATA,
    DAYS,
    LA,
    NEED,
    PLAIN,
    RAW,
    ROWS,
    SCORE,
    SEX,
    UNIT,
    N,
    answer,
    both,
    is_in,
)

EXPECTED: dict[str, tuple[Measure, Callable[[np.ndarray], object], float]] = {
    "count": (Measure("m", "count"), lambda here: here.sum(), 0),
    "pupils": (Measure("m", "pupils"), lambda here: len(set(UNIT[here])), 0),
    "distinct": (Measure("m", "distinct", "need"), lambda here: len(set(NEED[here])), 0),
    "sum": (Measure("m", "sum", "score"), lambda here: np.nansum(SCORE[here]), 0),
    "mean": (Measure("m", "mean", "score"), lambda here: np.nanmean(SCORE[here]), 0.006),
    "rate": (Measure("m", "rate", "score"), lambda here: 100 * np.nanmean(SCORE[here]), 0.6),
    "distribution": (
        Measure("m", "distribution", "score.wide"),
        lambda here: 100 * np.array([(RAW[here] < 2).sum(), (RAW[here] >= 2).sum()]) / both(here).sum(),
        0.006,
    ),
    "variance": (Measure("m", "variance", "score"), lambda here: np.nanvar(SCORE[here], ddof=1), 0.06),
    "sd": (Measure("m", "sd", "score"), lambda here: np.nanstd(SCORE[here], ddof=1), 0.06),
    "percentage": (
        Measure("m", "percentage", "sex", codes=("F",)),
        lambda here: 100 * (SEX[here] == 0).mean(),
        0.006,
    ),
    "histogram": (
        Measure("m", "histogram", "score.wide"),
        lambda here: [(RAW[here] < 2).sum(), (RAW[here] >= 2).sum()],
        0,
    ),
    "median": (Measure("m", "median", "score"), lambda here: np.nanmedian(RAW[here]), 2.0),
    "quantile": (
        Measure("m", "quantile", "score", probabilities=(Decimal("0.25"), Decimal("0.9"))),
        lambda here: np.nanquantile(RAW[here], [0.25, 0.9]),
        2.0,
    ),
    "ratio": (
        Measure("m", "ratio", of=(Measure("a", "sum", "score"), Measure("b", "sum", "days"))),
        lambda here: np.nansum(SCORE[here]) / DAYS[here].sum(),
        0.00006,
    ),
    "gap": (
        Measure("m", "gap", "sex", of=(Measure("a", "mean", "score"),), codes=("U", "F")),
        lambda here: np.nanmean(SCORE[here & (SEX == 2)]) - np.nanmean(SCORE[here & (SEX == 0)]),
        0.06,
    ),
    "covariance": (
        Measure("m", "covariance", "score", other="days"),
        lambda here: np.cov(SCORE[both(here)], DAYS[both(here)])[0, 1],
        0.006,
    ),
    "correlation": (
        Measure("m", "correlation", "days", other="score"),
        lambda here: np.corrcoef(SCORE[both(here)], DAYS[both(here)])[0, 1],
        0.0006,
    ),
    "ols": (
        Measure("m", "ols", "score", terms=("days", "sex")),
        lambda here: list(ols(DATA.where(here), "score", ("days", "sex")).values()),
        2e-6,
    ),
    "logistic": (
        Measure("m", "logistic", "sex", codes=("U", "M"), terms=("score",)),
        lambda here: list(logistic(BINNED.where(here), SEX[here] > 0, ("score",)).values()),
        2e-5,
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


GAPS: dict[str, tuple[Measure, Callable[[np.ndarray], object], float]] = {
    "mean": (Measure("a", "mean", "days"), lambda here: DAYS[here].mean(), 0.6),
    "percentage": (
        Measure("a", "percentage", "need", codes=("a",)),
        lambda here: 100 * (NEED[here] == 0).mean(),
        0.006,
    ),
    "count": (Measure("a", "count"), lambda here: here.sum(), 0),
    "pupils": (Measure("a", "pupils"), lambda here: len(set(UNIT[here])), 0),
    "sd": (Measure("a", "sd", "days"), lambda here: DAYS[here].std(ddof=1), 0.6),
    "histogram": (Measure("a", "histogram", "need"), lambda here: np.bincount(NEED[here], minlength=11), 0),
    "correlation": EXPECTED["correlation"],
}


@pytest.mark.parametrize("name", GAPS)
@pytest.mark.parametrize("between", ["sex", "la.region"])
def test_a_gap_is_the_first_group_less_the_second(name: str, between: str) -> None:
    inner, truth, tolerance = GAPS[name]
    first, second = {"sex": ("M", "F"), "la.region": ("S", "N")}[between]
    series = answer(Measure("m", "gap", between, codes=(first, second), of=(inner,)), group_by=()).series[0]
    ones, others = (np.atleast_1d(truth(DATA.codes[between] == code)) for code in (first, second))
    assert series.value[0] == pytest.approx(ones.astype(float) - others, abs=tolerance)


def test_a_gap_between_what_the_criteria_leave() -> None:
    inner = Measure("a", "mean", "days")
    measure = Measure("m", "gap", "need", codes=("k", "c"), of=(inner,))
    series = answer(measure, group_by=(), criteria=is_in("need", "c", "e", "k")).series[0]
    assert series.value[0, 0] == pytest.approx(DAYS[NEED == 10].mean() - DAYS[NEED == 2].mean(), abs=0.6)


SUM_OF_DAYS, SUM_OF_SCORES = Measure("a", "sum", "days"), Measure("b", "sum", "score")
RATIOS: dict[str, tuple[Measure, Measure, Callable[[], float]]] = {
    "sums": (SUM_OF_DAYS, SUM_OF_SCORES, lambda: DAYS.sum() / np.nansum(SCORE)),
    "counts": (Measure("a", "count"), Measure("b", "pupils"), lambda: N / len(set(UNIT))),
    "means": (Measure("a", "mean", "score"), Measure("b", "mean", "days"), lambda: np.nanmean(SCORE) / DAYS.mean()),
    "a sum and a count": (SUM_OF_DAYS, Measure("b", "count"), lambda: DAYS.mean()),
}


@pytest.mark.parametrize("name", RATIOS)
def test_a_ratio_is_the_first_measure_over_the_second(name: str) -> None:
    above, below, truth = RATIOS[name]
    series = answer(Measure("m", "ratio", of=(above, below)), group_by=()).series[0]
    assert series.value[0, 0] == pytest.approx(truth(), abs=0.00006)


FINE = load_catalogue(school.CATALOGUE.replace('step = "1"', 'step = "1"\nbins = { width = "4" }')).data_sets[0]
"""With fifty bins of `days`: so many that coarser ones are counted too."""


def interpolated(bins: np.ndarray, width: float, p: float) -> float:
    """The quantile of numbers that are spread evenly over each bin."""
    edges = width * np.arange(len(bins) + 1)
    return float(np.interp(p * bins.sum(), np.concatenate([[0], np.cumsum(bins)]), edges))


def test_a_quantile_from_two_levels_of_bins_is_that_of_the_fine_ones() -> None:
    probabilities = tuple(Decimal(p) / 100 for p in (5, 25, 50, 75, 95))
    measure = Measure("m", "quantile", "days", probabilities=probabilities)
    valid = validate(Query(FINE.id, (measure,), ("la",)), FINE, school.GRANTS, LIMITS)
    levels = [q.aggregate for q in valid.quantities]
    assert sorted(len(a.bins) for a in levels if isinstance(a, BinnedCount))[1:] == [50]
    rows = [replace(r, atoms={**r.atoms, "days": min((r.ticks["days"] or 0) // 4, 49)}) for r in ROWS]
    known = unprotected(valid, MemoryEngine({FINE.id: rows}), sigma=1e-6)
    series = finish(valid, known, PLAIN).series[0]
    for la in range(5):
        bins = np.bincount(np.minimum(DAYS[la == LA] // 4, 49), minlength=50)
        expected = [interpolated(bins, 4, float(p)) for p in probabilities]
        assert series.value[la] == pytest.approx(expected, abs=0.51), "to the last decimal that is shown"
        exact = np.quantile(DAYS[la == LA], [float(p) for p in probabilities], method="inverted_cdf")
        assert (series.lower[la] <= exact).all()
        assert (exact <= series.upper[la]).all()
        assert (series.upper[la] - series.lower[la] <= 8).all(), "a bin, or two where it is the end of one"


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
    """Nobody in A1 and A2 has need k."""
    north = answer(Measure("m", "mean", "score"), criteria=is_in("need", "k")).series[0]
    assert (north.status[:2, 0] == Status.NOT_AVAILABLE).all()
    assert np.isnan(north.value[:2, 0]).all()
    assert np.isfinite(north.value[4, 0])


def test_wide_intervals_are_marked() -> None:
    series = answer(Measure("m", "count"), sigma=3000.0).series[0]
    assert (series.status == Status.UNRELIABLE).any()
