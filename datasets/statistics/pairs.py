"""How two numbers go together: covariance and correlation, over rows in which both have a value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets.statistics.recipe import (
    Draws,
    Need,
    Statistic,
    Subject,
    Takes,
    centred_number,
    product_of,
    ratio,
    wanted_present,
)
from datasets.variables import Variable
from disclosure.aggregates import Count, Sum
from disclosure.tables import Floats


@dataclass(frozen=True, slots=True)
class _Pair:
    count: Count
    left: Sum
    right: Sum


def _pair(subject: Subject) -> _Pair:
    present = wanted_present(subject.named, _other(subject))
    return _Pair(Count(present), centred_number(subject.named, present), centred_number(_other(subject), present))


def _other(subject: Subject) -> Variable:
    if subject.other is None:
        raise TypeError("this statistic is of two numbers")
    return subject.other


def _spread(draws: Draws, pair: _Pair, left: Sum, right: Sum) -> Floats:
    """Σ (l − l̄)(r − r̄), in ticks."""
    n, product = draws[pair.count], product_of(left, right)
    return draws[product] + product.origin * n - ratio(draws[left] * draws[right], n)


def _steps(subject: Subject) -> float:
    other = _other(subject).numbers
    return float(subject.numbers.step) * (float(other.step) if other else 1.0)


def _covariance(draws: Draws, subject: Subject) -> Floats:
    pair = _pair(subject)
    return ratio(_spread(draws, pair, pair.left, pair.right), draws[pair.count] - 1) * _steps(subject)


def _correlation(draws: Draws, subject: Subject) -> Floats:
    """NaN where the noise leaves a spread of nothing; a value beyond ±1 is for the bounds to clip."""
    pair = _pair(subject)
    squares = _spread(draws, pair, pair.left, pair.left), _spread(draws, pair, pair.right, pair.right)
    known = (squares[0] > 0) & (squares[1] > 0)
    scale = np.sqrt(np.where(known, squares[0], 1) * np.where(known, squares[1], 1))
    return np.where(known, _spread(draws, pair, pair.left, pair.right) / scale, np.nan)


def _covariance_needs(subject: Subject) -> tuple[Need, ...]:
    pair = _pair(subject)
    return pair.count, pair.left, pair.right, product_of(pair.left, pair.right)


def _correlation_needs(subject: Subject) -> tuple[Need, ...]:
    pair = _pair(subject)
    return *_covariance_needs(subject), product_of(pair.left, pair.left), product_of(pair.right, pair.right)


def _largest(subject: Subject) -> float:
    pair = _pair(subject)
    return pair.left.reach * pair.right.reach * _steps(subject)


COVARIANCE = Statistic(
    name="covariance",
    summary="sample covariance of two numbers",
    takes=Takes.TWO_NUMBERS,
    needs=_covariance_needs,
    finish=_covariance,
    unit=lambda subject: "",
    decimals=lambda subject: subject.numbers.decimals + 1,
    bounds=lambda subject: (-2 * _largest(subject), 2 * _largest(subject)),
    scale=_largest,
    in_official=False,
)
CORRELATION = Statistic(
    name="correlation",
    summary="Pearson correlation of two numbers",
    takes=Takes.TWO_NUMBERS,
    needs=_correlation_needs,
    finish=_correlation,
    unit=lambda subject: "",
    decimals=lambda subject: 3,
    bounds=lambda subject: (-1, 1),
    scale=lambda subject: 1.0,
    in_official=False,
)
