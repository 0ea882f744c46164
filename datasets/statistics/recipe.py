"""What a statistic is: which aggregates it needs and how protected aggregates become its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from math import prod
from typing import TypeAlias

import numpy as np

from datasets.plan import Axis
from datasets.query import Measure
from datasets.variables import Banding, Code, Numbers, Variable
from disclosure.aggregates import Aggregate, BinnedCount, Count, Sum, SumOfProducts, bins_of, contributors
from disclosure.tables import Floats, Known, Noise


@dataclass(frozen=True, slots=True)
class Split:
    """An aggregate in each combination of the codes of further groupings, by their references."""

    aggregate: Aggregate
    by: tuple[str, ...]


Need: TypeAlias = Aggregate | Split
Draws: TypeAlias = Mapping[Need, Floats]
"""Per need (draws, cells, combinations × bins) in ticks; a released table is the case of one draw."""
KnownTable: TypeAlias = Mapping[Need, Known]
Ends: TypeAlias = tuple[Floats, Floats, Floats]
"""Value, lower end and upper end, each (cells, outputs)."""


def split(aggregate: Aggregate, by: tuple[str, ...]) -> Need:
    return Split(aggregate, by) if by else aggregate


def aggregate_of(need: Need) -> Aggregate:
    return need.aggregate if isinstance(need, Split) else need


def by_of(need: Need) -> tuple[str, ...]:
    return need.by if isinstance(need, Split) else ()


class Takes(StrEnum):
    """What a measure of this statistic is about."""

    ROWS = "rows"
    NUMBER = "number"
    TWO_NUMBERS = "two numbers"
    DOMAIN = "domain"
    DOMAIN_AND_CODES = "domain and codes"
    BINNED_NUMBER = "binned number"
    BINNED_NUMBER_AND_PROBABILITIES = "binned number and probabilities"
    TWO_MEASURES = "two measures"
    MEASURE_AND_GROUPS = "a measure, and two codes of a domain"
    NUMBER_AND_TERMS = "number and terms"
    DOMAIN_CODES_AND_TERMS = "domain, codes and terms"


@dataclass(frozen=True, slots=True)
class Term:
    """One term of a model: a number, a grouping, or both (their interaction), or two groupings."""

    name: str
    number: Variable | None
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """A measure with its names looked up; what `needs` and `finish` work on.

    axes: further groupings that its needs are split by, with the codes that the criteria admit. noiseless: measured
    without noise, so that no sensitivity need be low. admitted: atoms of the variable that the criteria let a row have,
    as a mask; None for all.
    """

    measure: Measure
    variable: Variable | None = None
    banding: Banding | None = None
    other: Variable | None = None
    axes: tuple[Axis, ...] = ()
    terms: tuple[Term, ...] = ()
    of: tuple[Part, ...] = ()
    noiseless: bool = False
    admitted: int | None = None

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

    @property
    def shown(self) -> tuple[int, ...]:
        """Places of the codes that some row can have under the criteria: the others would be noise about nothing. All,
        where no row can have any."""
        mask = -1 if self.admitted is None else self.admitted
        found = [i for i, group in enumerate(self.groups) if any(mask >> atom & 1 for atom in group)]
        return tuple(found or range(len(self.groups)))

    def axis(self, reference: str) -> Axis:
        return next(axis for axis in self.axes if axis.reference == reference)

    def combinations(self, need: Need) -> int:
        """Of the codes that a need is split by."""
        return prod(len(self.axis(reference).codes) for reference in by_of(need))


@dataclass(frozen=True, slots=True)
class Part:
    """A measure within a measure."""

    statistic: Statistic
    subject: Subject

    @property
    def needs(self) -> tuple[Need, ...]:
        return self.statistic.needs(self.subject)

    def finish(self, draws: Draws) -> Floats:
        return self.statistic.finish(draws, self.subject)


def one_number(subject: Subject) -> tuple[Code, ...]:
    return (Code("", ""),)


def no_scale(subject: Subject) -> float | None:
    return None


@dataclass(frozen=True, slots=True)
class Behind:
    """A count that must be large enough for the numbers over it to be shown: float64 (cells,) and its deviation."""

    values: Floats
    sd: Floats
    noise: Noise


def counts_behind(known: KnownTable, subject: Subject) -> list[Behind]:
    """The contributors among what is known, over all bins and combinations."""
    return [total(known[need]) for need in known if contributors(aggregate_of(need)) == aggregate_of(need)]


def total(known: Known) -> Behind:
    columns = known.values.shape[1]
    return Behind(known.values.sum(axis=1), known.sd[:, 0] * np.sqrt(columns), known.noise)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A recipe. ``outputs`` names the numbers per cell ([""] for one); ``finish`` gives (draws, cells, outputs).

    is_count: its numbers are released counts themselves: masked, rounded and given exact intervals one by one.
    adds_up: the number of a union of cells is the sum of theirs. bounds: what its numbers can be at all.
    scale: what a margin of error is judged against (None: the value). estimate: its own way to values and ends, each
    wrong with probability alpha; None for `finish` over redrawn noise. in_official: also where there is no noise.
    estimated: how many of its outputs, the first ones, have an interval (None: all). probabilities: of each output, for
    quantiles.
    """

    name: str
    summary: str
    takes: Takes
    needs: Callable[[Subject], tuple[Need, ...]]
    finish: Callable[[Draws, Subject], Floats]
    unit: Callable[[Subject], str]
    decimals: Callable[[Subject], int]
    bounds: Callable[[Subject], tuple[float, float]]
    outputs: Callable[[Subject], tuple[Code, ...]] = one_number
    scale: Callable[[Subject], float | None] = no_scale
    estimate: Callable[[KnownTable, Subject, float], Ends] | None = None
    behind: Callable[[KnownTable, Subject], list[Behind]] = counts_behind
    is_count: bool = False
    is_share: bool = False
    adds_up: bool = False
    in_official: bool = True
    estimated: Callable[[Subject], int] | None = None
    probabilities: Callable[[Subject], tuple[Decimal, ...]] | None = None


def wanted_present(*variables: Variable) -> tuple[str, ...]:
    """Those that may have no value in a row."""
    return tuple(sorted({v.name for v in variables if v.numbers is not None and v.numbers.optional}))


def rows(subject: Subject) -> Count:
    """The rows that have a value of the subject's number."""
    return Count(wanted_present(subject.named))


def centred_number(variable: Variable, present: tuple[str, ...]) -> Sum:
    """Sum about the middle of the clamp bounds: half the sensitivity of a sum about zero."""
    if variable.numbers is None:
        raise TypeError("only a number can be summed")
    low, high = variable.numbers.clamp
    return Sum(variable.name, low, high, (low + high) // 2, present)


def centred(subject: Subject) -> Sum:
    """Without noise about zero: there is no sensitivity to halve, and the count is known to its rounding only."""
    total = centred_number(subject.named, wanted_present(subject.named))
    return replace(total, origin=min(max(0, total.lower), total.upper)) if subject.noiseless else total


def product_of(left: Sum, right: Sum) -> SumOfProducts:
    """Sum of products about the middle of what they can be; one order of the two, so that it is one measurement."""
    first, second = sorted((left, right), key=lambda part: part.variable)
    low, high = SumOfProducts(first, second).bounds
    return SumOfProducts(first, second, (low + high) // 2)


def squares(subject: Subject) -> SumOfProducts:
    return product_of(centred(subject), centred(subject))


def one_bin_each(subject: Subject) -> BinnedCount:
    return BinnedCount(subject.named.name, tuple(subject.groups[place] for place in subject.shown))


def shown_codes(subject: Subject) -> tuple[Code, ...]:
    return tuple(subject.codes[place] for place in subject.shown)


def columns_of(need: Need, subject: Subject) -> int:
    """Numbers per cell."""
    return subject.combinations(need) * bins_of(aggregate_of(need))


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
