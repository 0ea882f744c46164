"""Linear and logistic regression from exact aggregates are those of the rows, which the oracle fits in another way."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.answer import Status
from datasets.query import Criteria, Measure
from datasets.statistics.model import solve
from tests.lib.regression import logistic, ols
from tests.lib.sample import BINNED, DATA, EVERYBODY, NEED, SEX, UNCLAMPED, answer, is_in

Case = tuple[str, tuple[str, ...], Criteria | None, np.ndarray]
MODELS: dict[str, Case] = {
    "a number and a grouping": ("score", ("days", "sex"), None, EVERYBODY),
    "a regressor that may be missing": ("days", ("score",), None, EVERYBODY),
    "a banding": ("days", ("la.region", "score"), None, EVERYBODY),
    "a grouping of many": ("score", ("need", "days"), None, EVERYBODY),
    "slopes that differ": ("score", ("days", "sex", "days:sex"), None, EVERYBODY),
    "slopes that differ, in another order": ("score", ("sex", "sex:days", "days"), None, EVERYBODY),
    "groupings that interact": ("days", ("sex", "la.region", "sex:la.region"), None, EVERYBODY),
    "all at once": ("days", ("sex", "score", "la", "la:sex", "score:sex"), None, EVERYBODY),
    "three groupings": ("score", ("sex", "la.region", "need"), None, EVERYBODY),
    "missing as a group of its own": ("days", ("score.bin", "sex"), None, EVERYBODY),
    "bands of a regressor, whose missing rows are left out": ("days", ("score", "score.wide"), None, EVERYBODY),
    "criteria without the last code": ("score", ("sex", "days", "sex:days"), is_in("sex", "F", "M"), SEX < 2),
    "criteria without the first code": ("score", ("days", "sex"), is_in("sex", "M", "U"), SEX > 0),
    "criteria that fill the bands": (
        "score",
        ("need.some", "days"),
        is_in("need", "a", "c", "e", "k"),
        np.isin(NEED, [0, 2, 4, 10]),
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_linear_model_has_the_coefficients_errors_and_fit_of_least_squares(name: str) -> None:
    outcome, terms, criteria, here = MODELS[name]
    series = answer(Measure("m", "ols", outcome, terms=terms), group_by=(), criteria=criteria).series[0]
    expected = ols(DATA.where(here), outcome, terms)
    assert [output.code for output in series.outputs] == [name.replace(".bin", "") for name in expected]
    assert series.value[0] == pytest.approx(list(expected.values()), abs=2e-6)


def test_clamping_makes_a_difference_here() -> None:
    """The positive control: with values as they are, the same regression is another."""
    plain, clamped = (ols(data, "days", ("score",))["score"] for data in (UNCLAMPED, DATA))
    assert abs(plain - clamped) > 0.01


EXPLAINED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], Criteria | None, np.ndarray]] = {
    "a number by its bins": ("sex", ("M", "U"), ("score",), None, EVERYBODY),
    "the other answer": ("sex", ("F",), ("score",), None, EVERYBODY),
    "two groupings": ("sex", ("U",), ("la.region", "need"), None, EVERYBODY),
    "groupings that interact": (
        "sex",
        ("U", "F"),
        ("la.region", "score.wide", "score.wide:la.region"),
        None,
        EVERYBODY,
    ),
    "slopes that differ": ("need", ("a", "b"), ("score", "sex", "score:sex"), None, EVERYBODY),
    "missing as a group of its own": ("sex", ("F",), ("score.bin",), None, EVERYBODY),
    "a banding is explained": ("la.region", ("S",), ("sex", "score"), None, EVERYBODY),
    "rows in no band are left out": ("need.some", ("first",), ("sex",), None, np.isin(NEED, [0, 2, 4, 10])),
    "criteria without the first code": ("need", ("a",), ("sex", "score"), is_in("sex", "M", "U"), SEX > 0),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_logistic_model_is_the_most_likely_one(name: str) -> None:
    explained, codes, terms, criteria, here = EXPLAINED[name]
    measure = Measure("m", "logistic", explained, codes=codes, terms=terms)
    series = answer(measure, group_by=(), criteria=criteria).series[0]
    expected = logistic(BINNED.where(here), np.isin(DATA.codes[explained], codes)[here], terms)
    assert [output.code for output in series.outputs] == [name.replace(".bin", "") for name in expected]
    assert series.value[0] == pytest.approx(list(expected.values()), abs=2e-6)


def test_a_group_with_one_answer_only_leaves_no_model() -> None:
    """Pupils of needs i, j, k are in the South only: such a log-odds is infinite."""
    series = answer(Measure("m", "logistic", "la", codes=("A1",), terms=("need",)), group_by=()).series[0]
    assert (series.status[0] == Status.NOT_AVAILABLE).sum() >= 3 * 11


def test_a_group_without_rows_leaves_no_model() -> None:
    """Nobody in A1 has need k, so its column is empty."""
    series = answer(Measure("m", "ols", "days", terms=("need",))).series[0]
    names = [output.code for output in series.outputs]
    assert np.isnan(series.value[0, : names.index("r_squared")]).all()
    assert np.isfinite(series.value[4]).all()
    assert series.value[0, names.index("n")] == pytest.approx((DATA.codes["la"] == "A1").sum())


def test_a_drowned_model_of_large_numbers_has_no_coefficients() -> None:
    """Noise may make a square negative; whatever stands beside it, that is no error but NaN."""
    drowned = np.array([[[-1.0, 1e12, 5.0], [1e12, -1.0, 3.0], [5.0, 3.0, 7.0]], np.eye(3)])
    found, inverse = solve(drowned, np.ones((2, 3)))
    assert np.isnan(found[0]).all()
    assert np.isnan(inverse[0]).all()
    assert found[1].tolist() == [1, 1, 1]
