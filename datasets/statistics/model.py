"""What linear and logistic regression share: columns of the design, and how a fitted model is reported.

A grouping with k codes has k − 1 columns, each against the first code. Standard errors are two: `noise_se` is what the
protection adds (how far the coefficient may be from that of the whole cut's own fit), `se` adds to it what any sample
has. Intervals are of the noise, as everywhere; standard errors have none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy

from datasets.statistics.recipe import Ends, KnownTable, Subject
from datasets.variables import Code, Variable
from disclosure.tables import Floats

DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Column:
    """number × [each grouping has the code at that place]; without number and codes, the intercept."""

    name: str
    number: Variable | None = None
    at: tuple[tuple[str, int], ...] = ()

    @property
    def references(self) -> frozenset[str]:
        return frozenset(reference for reference, _ in self.at)


def columns(subject: Subject) -> tuple[Column, ...]:
    found = [Column("intercept")]
    for term in subject.terms:
        axes = [axis for axis in term.axes if axis.variable is not term.number]
        for places in product(*(range(1, len(axis.codes)) for axis in axes)):
            names = [f"{a.reference}={a.codes[i].code}" for a, i in zip(axes, places, strict=True)]
            at = tuple((a.reference, i) for a, i in zip(axes, places, strict=True))
            found.append(Column(":".join([*([term.number.name] if term.number else []), *names]), term.number, at))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Of each cell: coefficients and standard errors (cells, columns), and further numbers with their ends, (cells,
    their names) each."""

    coefficients: Floats
    noise_se: Floats
    sampling_se: Floats
    further: Ends


def outputs(subject: Subject, further: tuple[Code, ...]) -> tuple[Code, ...]:
    names = [column.name for column in columns(subject)]
    kinds = (("", "coefficient of "), ("noise_se:", "noise's standard error of "), ("se:", "standard error of "))
    return *(Code(prefix + name, words + name) for prefix, words in kinds for name in names), *further


def ends(fit: Fit, alpha: float) -> Ends:
    """A coefficient is linear in the noise to first order, so its interval is a normal one."""
    wide = float(-scipy.special.ndtri(alpha)) * fit.noise_se
    errors = np.round(np.concatenate([fit.noise_se, np.hypot(fit.noise_se, fit.sampling_se)], axis=1), DECIMALS)
    value, lower, upper = (
        np.concatenate([fit.coefficients + sign * wide, errors, further], axis=1)
        for sign, further in zip((0, -1, 1), fit.further, strict=True)
    )
    return value, lower, upper


def cell_by_cell(
    fit: Callable[[KnownTable, Subject, slice, float], Fit],
) -> Callable[[KnownTable, Subject, float], Ends]:
    """A statistic's `estimate` out of the fit of one cell."""

    def estimate(known: KnownTable, subject: Subject, alpha: float) -> Ends:
        cells = next(iter(known.values())).values.shape[0]
        parts = [ends(fit(known, subject, slice(cell, cell + 1), alpha), alpha) for cell in range(cells)]
        value, lower, upper = (np.concatenate(part) for part in zip(*parts, strict=True))
        return value, lower, upper

    return estimate


def rows_known(n: Floats, sd: Floats, alpha: float) -> Ends:
    """Rows that a model is of, and between what they are: (cells, 1) each."""
    value, wide = np.round(n)[:, None], np.ceil(float(-scipy.special.ndtri(alpha)) * sd)[:, None]
    return value, np.maximum(value - wide, 0), np.maximum(value + wide, 0)


def never_unreliable(subject: Subject) -> float:
    """A coefficient near nothing is not for that unreliable."""
    return math.inf


def solve(matrix: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Solutions and inverses, NaN where a matrix (cells, p, p) is not positive definite: the noise has drowned it."""
    squares = np.einsum("cii->ci", matrix)
    scale = np.sqrt(np.where(squares > 0, squares, 1))
    standard = matrix / scale[:, :, None] / scale[:, None, :]
    sound = (squares > 0).all(axis=1) & (np.linalg.eigvalsh(np.nan_to_num(standard))[:, 0] > 1e-10)
    usable = np.where(sound[:, None, None], standard, np.eye(matrix.shape[1]))
    inverse = np.linalg.inv(usable) / scale[:, :, None] / scale[:, None, :]
    inverse[~sound] = np.nan
    return np.einsum("cij,cj->ci", inverse, right), inverse
