"""Sum, mean, variance and standard deviation of a number, from its count, centred sum and centred squares."""

from __future__ import annotations

import math

import numpy as np

from datasets.statistics.recipe import (
    Draws,
    Statistic,
    Subject,
    Takes,
    centred,
    half_range,
    in_units,
    number_bounds,
    number_decimals,
    number_unit,
    ratio,
    rows,
    squares,
)
from disclosure.tables import Floats


def _sum(draws: Draws, subject: Subject) -> Floats:
    total = centred(subject)
    return in_units(draws[total] + total.origin * draws[rows(subject)], subject)


def _mean(draws: Draws, subject: Subject) -> Floats:
    total = centred(subject)
    return in_units(ratio(draws[total], draws[rows(subject)]) + total.origin, subject)


def _variance(draws: Draws, subject: Subject) -> Floats:
    """(Σy² − (Σy)²/n) / (n − 1): the sample variance, as statistical packages report it."""
    n, total, product = draws[rows(subject)], draws[centred(subject)], squares(subject)
    about_zero = draws[product] + product.origin * n
    spread = about_zero - ratio(total * total, n)
    return in_units(np.maximum(ratio(spread, n - 1), 0), subject, power=2)


SUM = Statistic(
    name="sum",
    summary="sum of a number, each value clamped to the declared bounds",
    takes=Takes.NUMBER,
    needs=lambda subject: (rows(subject), centred(subject)),
    finish=_sum,
    unit=number_unit,
    decimals=number_decimals,
    bounds=lambda subject: (0 if subject.numbers.clamp[0] >= 0 else -math.inf, math.inf),
    adds_up=True,
)
RATE = Statistic(
    name="rate",
    summary="sum of a number per 100 rows, e.g. suspensions per 100 pupils",
    takes=Takes.NUMBER,
    needs=lambda subject: (rows(subject), centred(subject)),
    finish=lambda draws, subject: 100 * _mean(draws, subject),
    unit=lambda subject: f"{subject.numbers.unit} per 100".strip(),
    decimals=number_decimals,
    bounds=lambda subject: (100 * number_bounds(subject)[0], 100 * number_bounds(subject)[1]),
    scale=lambda subject: 100 * half_range(subject),
)
MEAN = Statistic(
    name="mean",
    summary="mean of a number, each value clamped to the declared bounds",
    takes=Takes.NUMBER,
    needs=lambda subject: (rows(subject), centred(subject)),
    finish=_mean,
    unit=number_unit,
    decimals=number_decimals,
    bounds=number_bounds,
    scale=half_range,
)
VARIANCE = Statistic(
    name="variance",
    summary="sample variance of a number",
    takes=Takes.NUMBER,
    needs=lambda subject: (rows(subject), centred(subject), squares(subject)),
    finish=_variance,
    unit=lambda subject: f"{subject.numbers.unit} squared" if subject.numbers.unit else "",
    decimals=number_decimals,
    bounds=lambda subject: (0, 2 * half_range(subject) ** 2),
    scale=lambda subject: half_range(subject) ** 2,
)
SD = Statistic(
    name="sd",
    summary="sample standard deviation of a number",
    takes=Takes.NUMBER,
    needs=VARIANCE.needs,
    finish=lambda draws, subject: np.sqrt(_variance(draws, subject)),
    unit=number_unit,
    decimals=number_decimals,
    bounds=lambda subject: (0, math.sqrt(2) * half_range(subject)),
    scale=half_range,
)
