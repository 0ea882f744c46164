"""Linear regression from noisy sums of products.

X'X and X'y are built from counts, sums and sums of products over the fewest cells that each needs (Wang, "Revisiting
differentially private linear regression", arXiv 1803.02596v2, calls it sufficient statistics perturbation). With
A = X'X and b = X'y as released, β = A⁻¹b, and noise moves it by A⁻¹(δb − δA·β) to first order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from datasets.statistics.model import (
    DECIMALS,
    Column,
    Fit,
    cell_by_cell,
    columns,
    never_unreliable,
    outputs,
    rows_known,
    solve,
)
from datasets.statistics.recipe import (
    Behind,
    Draws,
    KnownTable,
    Need,
    Statistic,
    Subject,
    Takes,
    aggregate_of,
    by_of,
    centred_number,
    product_of,
    split,
    total,
    wanted_present,
)
from datasets.variables import Code
from disclosure.accuracy import redraw
from disclosure.aggregates import Aggregate, Count, Sum, SumOfProducts
from disclosure.tables import Flags, Floats

SECOND_ORDER = 0.25
"""Largest relative change of the design by its noise for which first-order errors are honest."""
FURTHER = (Code("r_squared", "share of variance explained"), Code("n", "rows"))


@dataclass(frozen=True, slots=True)
class _Moment:
    """Σ over rows of the product of two columns: which aggregate, and where its groupings are held."""

    aggregate: Aggregate
    at: tuple[tuple[str, int], ...]

    @property
    def references(self) -> frozenset[str]:
        return frozenset(reference for reference, _ in self.at)


def _present(subject: Subject) -> tuple[str, ...]:
    numbers = [term.number for term in subject.terms if term.number is not None]
    return wanted_present(subject.named, *numbers)


def _outcome(subject: Subject) -> Column:
    return Column("outcome", subject.named)


def _moment(left: Column, right: Column, present: tuple[str, ...]) -> _Moment | None:
    """None where the two columns never meet: one grouping at two codes."""
    at = {**dict(left.at), **dict(right.at)}
    if any(at[reference] != place for reference, place in left.at):
        return None
    numbers = [centred_number(c.number, present) for c in (left, right) if c.number is not None]
    return _Moment(_aggregate(numbers, present), tuple(sorted(at.items())))


def _aggregate(numbers: list[Sum], present: tuple[str, ...]) -> Aggregate:
    match numbers:
        case []:
            return Count(present)
        case [one]:
            return one
        case [left, right]:
            return product_of(left, right)
        case _:
            raise ValueError("a column has at most one number")


def _needs(subject: Subject) -> tuple[Need, ...]:
    """Each aggregate by as few groupings as do for all its moments: what is in a finer one is summed from it."""
    wanted: dict[Aggregate, set[frozenset[str]]] = {}
    for moment in _moments(subject):
        wanted.setdefault(moment.aggregate, set()).add(moment.references)
        if isinstance(moment.aggregate, SumOfProducts):
            wanted.setdefault(Count(_present(subject)), set()).add(moment.references)
    return tuple(
        split(aggregate, tuple(sorted(by)))
        for aggregate, every in wanted.items()
        for by in sorted(every, key=sorted)
        if not any(by < other for other in every)
    )


def _moments(subject: Subject) -> Iterator[_Moment]:
    everything = (*columns(subject), _outcome(subject))
    for left, right in combinations_with_replacement(everything, 2):
        moment = _moment(left, right, _present(subject))
        if moment is not None:
            yield moment


class _Moments:
    """Reads moments off the needs; each is of some draws of some cells."""

    def __init__(self, subject: Subject, draws: Draws) -> None:
        self._subject, self.draws = subject, draws
        self._needs = tuple(draws)
        self._summed: dict[tuple[Need, frozenset[str]], Floats] = {}

    def need(self, moment: _Moment) -> Need:
        """The least of those that are fine enough."""
        fine = [n for n in self._needs if aggregate_of(n) == moment.aggregate and moment.references <= set(by_of(n))]
        return min(fine, key=lambda n: self._subject.combinations(n))

    def value(self, moment: _Moment) -> Floats:
        """(draws, cells), in ticks of the centred numbers."""
        found = self._held(moment)
        if isinstance(moment.aggregate, SumOfProducts) and moment.aggregate.origin:
            found = found + moment.aggregate.origin * self._held(_Moment(Count(moment.aggregate.present), moment.at))
        return found

    def variance(self, moment: _Moment, known: KnownTable) -> Floats:
        """(cells,)"""
        found = self._summed_cells(moment) * known[self.need(moment)].sd[:, 0] ** 2
        if isinstance(moment.aggregate, SumOfProducts) and moment.aggregate.origin:
            count = _Moment(Count(moment.aggregate.present), moment.at)
            found = found + moment.aggregate.origin**2 * self.variance(count, known)
        return np.asarray(found)

    def _summed_cells(self, moment: _Moment) -> int:
        need = self.need(moment)
        return math.prod(len(self._subject.axis(r).codes) for r in by_of(need) if r not in moment.references)

    def _held(self, moment: _Moment) -> Floats:
        need, place = self.need(moment), dict(moment.at)
        key = (need, moment.references)
        if key not in self._summed:
            sizes = [len(self._subject.axis(r).codes) for r in by_of(need)]
            array = self.draws[need]
            over = tuple(2 + i for i, r in enumerate(by_of(need)) if r not in place)
            self._summed[key] = array.reshape(*array.shape[:2], *sizes).sum(axis=over)
        found = self._summed[key]
        for reference in by_of(need):
            found = found[:, :, place[reference]] if reference in place else found
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """A = X'X and b = X'y of each cell, in centred ticks."""

    matrix: Floats
    right: Floats


def _system(subject: Subject, moments: _Moments) -> _System:
    """From the first draw."""
    design, present = columns(subject), _present(subject)
    cells = next(iter(moments.draws.values())).shape[1]
    matrix = np.zeros((cells, len(design), len(design)))
    right = np.zeros((cells, len(design)))
    for i, left in enumerate(design):
        for j, other in enumerate(design[: i + 1]):
            moment = _moment(left, other, present)
            if moment is not None:
                matrix[:, i, j] = matrix[:, j, i] = moments.value(moment)[0]
        right[:, i] = moments.value(_must(_moment(left, _outcome(subject), present)))[0]
    return _System(matrix, right)


def _must(moment: _Moment | None) -> _Moment:
    if moment is None:
        raise ValueError("the outcome meets every column")
    return moment


def _residual(subject: Subject, moments: _Moments, beta: Floats) -> Floats:
    """b − A·β in every draw, (draws, cells, columns)."""
    design, present = columns(subject), _present(subject)
    found = [moments.value(_must(_moment(c, _outcome(subject), present))) for c in design]
    for i, left in enumerate(design):
        for j, other in enumerate(design):
            moment = _moment(left, other, present)
            if moment is not None:
                found[i] = found[i] - moments.value(moment) * beta[:, j]
    return np.stack(found, axis=-1)


def _units(subject: Subject) -> tuple[Floats, Floats]:
    """Matrix and shift that turn coefficients of centred ticks into those of the numbers as they are.

    x in its unit is step·(ticks + origin), so a centred column is a raw one over its step, less its origin times the
    column with the same codes and no number.
    """
    design = columns(subject)
    turn = np.eye(len(design))
    for i, column in enumerate(design):
        if column.number is not None and column.number.numbers is not None:
            turn[i, i] = 1 / float(column.number.numbers.step)
            plain = next(j for j, c in enumerate(design) if c.number is None and c.at == column.at)
            turn[plain, i] = -centred_number(column.number, ()).origin
    step = float(subject.numbers.step)
    shift = np.zeros(len(design))
    shift[0] = step * centred_number(subject.named, ()).origin
    return step * turn, shift


def _finish(draws: Draws, subject: Subject) -> Floats:
    """Coefficients: solved at the middle of the draws, and moved to first order from there."""
    middle = _Moments(subject, {need: values.mean(axis=0, keepdims=True) for need, values in draws.items()})
    system = _system(subject, middle)
    beta, inverse = solve(system.matrix, system.right)
    moved = beta + np.einsum("cij,dcj->dci", inverse, _residual(subject, _Moments(subject, draws), beta))
    turn, shift = _units(subject)
    coefficients = moved @ turn.T + shift
    blank = np.full((*coefficients.shape[:2], len(_outputs(subject)) - coefficients.shape[2]), np.nan)
    return np.concatenate([coefficients, blank], axis=-1)


def _fit(known: KnownTable, subject: Subject, cell: slice, alpha: float) -> Fit:
    width = len(columns(subject))
    released = _Moments(subject, {need: k.values[cell][None] for need, k in known.items()})
    system, draws = _system(subject, released), redraw(known, cell)
    beta, inverse = solve(system.matrix, system.right)
    too_noisy = _too_noisy(known, subject, released, system, inverse, cell)
    noise_se = np.where(too_noisy, np.nan, _finish(draws, subject)[..., :width].std(axis=0))
    turn, shift = _units(subject)
    n, left = system.matrix[:, 0, 0], _left(subject, released, beta)[0]
    covariance = turn @ inverse @ turn.T
    variance = left / np.maximum(n - width, 1)
    sampling = np.sqrt(np.maximum(variance[:, None] * np.einsum("cii->ci", covariance), 0))
    drowned = too_noisy.any(axis=1)
    fit = [np.where(drowned, np.nan, each)[:, None] for each in _r_squared(subject, released, draws, beta, alpha)]
    count = _Moment(Count(_present(subject)), ())
    rows = rows_known(n, np.sqrt(released.variance(count, known)[cell]), alpha)
    value, lower, upper = (np.concatenate(pair, axis=1) for pair in zip(fit, rows, strict=True))
    return Fit(beta @ turn.T + shift, noise_se, sampling, (value, lower, upper))


def _left(subject: Subject, moments: _Moments, beta: Floats) -> Floats:
    """Sum of squares that the coefficients leave, y'y − 2β'b + β'Aβ, in every draw: (draws, cells).

    At its least it does not move with β to first order, so one β does for all draws.
    """
    present, outcome = _present(subject), _outcome(subject)
    total = moments.value(_must(_moment(outcome, outcome, present)))
    for i, column in enumerate(columns(subject)):
        total = total - beta[:, i] * moments.value(_must(_moment(column, outcome, present)))
    return np.asarray(np.maximum(total - np.einsum("dci,ci->dc", _residual(subject, moments, beta), beta), 0))


def _r_squared(
    subject: Subject, released: _Moments, draws: Draws, beta: Floats, alpha: float
) -> tuple[Floats, Floats, Floats]:
    """Share of variance explained and its ends, (cells,) each."""

    def share(moments: _Moments) -> Floats:
        outcome, present = _outcome(subject), _present(subject)
        mean = moments.value(_must(_moment(columns(subject)[0], outcome, present)))
        n = np.maximum(moments.value(_Moment(Count(present), ())), 1)
        spread = moments.value(_must(_moment(outcome, outcome, present))) - mean**2 / n
        return np.asarray(np.clip(1 - _left(subject, moments, beta) / np.maximum(spread, 1e-9), 0, 1))

    low, high = np.quantile(share(_Moments(subject, draws)), [alpha, 1 - alpha], axis=0)
    return share(released)[0], low, high


def _too_noisy(
    known: KnownTable, subject: Subject, moments: _Moments, system: _System, inverse: Floats, cell: slice
) -> Flags:
    """Rows of A⁻¹·δA, in columns of length one, whose expected size is not small: the noise drowns the coefficient."""
    design, present = columns(subject), _present(subject)
    variance = np.zeros(inverse.shape)
    for i, left in enumerate(design):
        for j, right in enumerate(design):
            moment = _moment(left, right, present)
            if moment is not None:
                variance[:, i, j] = moments.variance(moment, known)[cell]
    length = np.sqrt(np.maximum(np.einsum("cii->ci", system.matrix), 1e-60))
    standard = inverse * length[:, :, None] * length[:, None, :]
    change = np.einsum("cki,cij->ck", standard**2, variance / (length[:, :, None] * length[:, None, :]) ** 2)
    return np.asarray(~(np.sqrt(change) < SECOND_ORDER))


def _outputs(subject: Subject) -> tuple[Code, ...]:
    return outputs(subject, FURTHER)


def _behind(known: KnownTable, subject: Subject) -> list[Behind]:
    count = _Moment(Count(_present(subject)), ())
    fewest = _Moments(subject, {need: k.values[None] for need, k in known.items()}).need(count)
    return [total(known[fewest])]


OLS = Statistic(
    name="ols",
    summary="linear regression of a number on numbers, groupings and their interactions",
    takes=Takes.NUMBER_AND_TERMS,
    needs=_needs,
    finish=_finish,
    unit=lambda subject: "",
    decimals=lambda subject: DECIMALS,
    bounds=lambda subject: (-math.inf, math.inf),
    outputs=_outputs,
    scale=never_unreliable,
    estimate=cell_by_cell(_fit),
    behind=_behind,
    in_official=False,
    estimated=lambda subject: len(columns(subject)),
)
