"""What a statistic is: which aggregates it needs and how protected aggregates become its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from datasets.query import Measure
from datasets.variables import Banding, Code, Numbers, Variable
from disclosure.accuracy import Floats
from disclosure.aggregates import Aggregate, BinnedCount, Count, Sum, SumOfProducts
from disclosure.tables import ProtectedTable

Draws = Mapping[Aggregate, Floats]
"""Per aggregate (draws, cells, bins) in ticks; a released table is the case of one draw."""


class Takes(StrEnum):
    """What a measure of this statistic is about."""

    ROWS = "rows"
    NUMBER = "number"
    DOMAIN = "domain"
    DOMAIN_AND_CODES = "domain and codes"
    BINNED_NUMBER = "binned number"


@dataclass(frozen=True, slots=True)
class Subject:
    """A measure with its names looked up; what `needs` and `finish` work on."""

    measure: Measure
    variable: Variable | None = None
    banding: Banding | None = None

    @property
    def numbers(self) -> Numbers:
        if self.variable is None or self.variable.numbers is None:
            raise TypeError("this statistic is of a number")
        return self.variable.numbers

    @property
    def named(self) -> Variable:
        if self.variable is None:
            raise TypeError("this statistic is of a variable")
        return self.variable

    @property
    def codes(self) -> tuple[Code, ...]:
        return self.banding.codes if self.banding else self.named.atoms

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        return self.banding.groups if self.banding else tuple((i,) for i in range(len(self.named.atoms)))


@dataclass(frozen=True, slots=True)
class Statistic:
    """A recipe. ``outputs`` names the numbers per cell ([""] for one); ``finish`` gives (draws, cells, outputs).

    is_count: its numbers are released counts themselves: masked, rounded and given exact intervals one by one.
    bounds: what its numbers can be at all. scale: what a margin of error is judged against (None: the value).
    interval: its own way to lower and upper ends, each wrong with probability alpha; None for redrawn noise.
    """

    name: str
    summary: str
    takes: Takes
    needs: Callable[[Subject], tuple[Aggregate, ...]]
    finish: Callable[[Draws, Subject], Floats]
    unit: Callable[[Subject], str]
    decimals: Callable[[Subject], int]
    bounds: Callable[[Subject], tuple[float, float]]
    outputs: Callable[[Subject], tuple[Code, ...]] = lambda subject: (Code("", ""),)
    scale: Callable[[Subject], float | None] = lambda subject: None
    interval: Callable[[ProtectedTable, Subject, float], tuple[Floats, Floats]] | None = None
    is_count: bool = False
    is_share: bool = False


def rows(subject: Subject) -> Count:
    """The rows that have a value of the subject's number."""
    return Count(subject.named.name if subject.numbers.optional else None)


def centred(subject: Subject) -> Sum:
    """Sum about the middle of the clamp bounds: half the sensitivity of a sum about zero."""
    low, high = subject.numbers.clamp
    return Sum(subject.named.name, low, high, (low + high) // 2, subject.numbers.optional)


def squares(subject: Subject) -> SumOfProducts:
    """Sum of squares about the same middle, itself about half of its largest value."""
    one = centred(subject)
    product = SumOfProducts(one, one)
    return SumOfProducts(one, one, product.bounds[1] // 2)


def one_bin_each(subject: Subject) -> BinnedCount:
    return BinnedCount(subject.named.name, subject.groups)


def single(draws: Draws, aggregate: Aggregate) -> Floats:
    """(draws, cells, 1) of an aggregate with one number per cell."""
    return draws[aggregate]


def ratio(above: Floats, below: Floats) -> Floats:
    """above / below, NaN where below is not at least one: nothing is known of an empty cell."""
    return np.where(below >= 1, above / np.where(below >= 1, below, 1), np.nan)


def in_units(ticks: Floats, subject: Subject, power: int = 1) -> Floats:
    return np.asarray(ticks * float(subject.numbers.step) ** power)


def number_unit(subject: Subject) -> str:
    return subject.numbers.unit


def number_decimals(subject: Subject) -> int:
    return subject.numbers.decimals


def number_bounds(subject: Subject) -> tuple[float, float]:
    low, high = subject.numbers.clamp
    return low * float(subject.numbers.step), high * float(subject.numbers.step)


def range_bounds(subject: Subject) -> tuple[float, float]:
    """Of the bins, which cover every valid value: quantiles are not clamped."""
    step = float(subject.numbers.step)
    return subject.numbers.lowest * step, subject.numbers.highest * step


def half_range(subject: Subject) -> float:
    low, high = number_bounds(subject)
    return (high - low) / 2
