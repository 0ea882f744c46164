"""Logistic regression from a noisy contingency table.

Of the groupings in the model, the table of yes and no is measured (Barak et al., "Privacy, accuracy, and consistency
too", PODS 2007, release contingency tables for such use; Fienberg, Rinaldo & Yang, PSD 2010, fit log-linear models to
noisy ones) and the likelihood's score Σ x (y − n·p) is solved for zero. A number enters by the middle of each of
its bins. Noise moves the coefficients by H⁻¹ Σ x (δy − p·δn) to first order.
"""

from __future__ import annotations

import math

import numpy as np
import scipy

from datasets.plan import Axis
from datasets.statistics.model import DECIMALS, Fit, cell_by_cell, columns, never_unreliable, outputs, rows_known, solve
from datasets.statistics.recipe import Behind, Draws, KnownTable, Need, Split, Statistic, Subject, Takes, total
from datasets.statistics.shares import split_of, wanted_place
from datasets.variables import Code
from disclosure.accuracy import redraw
from disclosure.tables import Flags, Floats

ROUNDS = 40
LARGEST = 15.0
"""A log-odds beyond this is a coefficient that runs away: some group has only one answer."""
SECOND_ORDER = 0.25
FURTHER = (Code("n", "rows"),)


def _need(subject: Subject) -> Need:
    return Split(split_of(subject), tuple(axis.reference for axis in subject.axes))


def _middle(axis: Axis) -> Floats:
    """Of each bin, in units; NaN for the bin of missing values."""
    numbers = axis.variable.numbers
    if numbers is None:
        raise TypeError("only a number has bins")
    edges = np.array([*numbers.edges, math.nan], dtype=np.float64) * float(numbers.step)
    return np.array([(edges[g[0]] + edges[g[-1] + 1]) / 2 for g in axis.groups])


def _design(subject: Subject) -> Floats:
    """(combinations, columns); NaN rows are combinations with a missing number."""
    places = np.indices([len(axis.codes) for axis in subject.axes]).reshape(len(subject.axes), -1)
    by_name = {axis.reference: (axis, place) for axis, place in zip(subject.axes, places, strict=True)}
    found = []
    for column in columns(subject):
        values = np.ones(places.shape[1])
        if column.number is not None:
            axis, place = by_name[column.number.name]
            values = _middle(axis)[place]
        for reference, code in column.at:
            values = values * (by_name[reference][1] == code)
        found.append(values)
    return np.stack(found, axis=1)


def _usable(x: Floats) -> Flags:
    return np.asarray(~np.isnan(x).any(axis=1))


def _counts(array: Floats, subject: Subject, usable: Flags) -> tuple[Floats, Floats]:
    """(…, combinations × 2) → rows, and rows that answer yes, (…, usable combinations)."""
    both = array.reshape(*array.shape[:-1], -1, 2)[..., usable, :]
    return both.sum(axis=-1), both[..., wanted_place(subject)]


def _fit(n: Floats, yes: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    """Newton's method: coefficients (cells, columns), inverse information, probabilities (cells, combinations)."""
    beta = np.zeros((n.shape[0], x.shape[1]))
    inverse, p = np.zeros((*beta.shape, x.shape[1])), np.zeros(n.shape)
    for _ in range(ROUNDS):
        p = scipy.special.expit(np.clip(beta @ x.T, -50, 50))
        information = _weighted_squares(n * p * (1 - p), x)
        step, inverse = solve(information, (yes - n * p) @ x)
        beta = beta + np.clip(step, -2, 2)
        if np.nanmax(np.abs(step), initial=0) < 1e-10:
            break
    ran_away = ~(np.abs(np.nan_to_num(beta @ x.T, nan=math.inf)) <= LARGEST).all(axis=1)
    beta[ran_away] = np.nan
    return beta, inverse, p


def _weighted_squares(weights: Floats, x: Floats) -> Floats:
    """Xᵀ W X for each cell's weights, (cells, columns, columns)."""
    return np.stack([x.T @ (each[:, None] * x) for each in weights])


def _finish(draws: Draws, subject: Subject) -> Floats:
    """Coefficients: solved at the middle of the draws, and moved to first order from there."""
    x = _design(subject)
    usable = _usable(x)
    n, yes = _counts(draws[_need(subject)], subject, usable)
    beta, inverse, p = _fit(n.mean(axis=0), yes.mean(axis=0), x[usable])
    moved = beta + np.einsum("cij,dcj->dci", inverse, (yes - n * p) @ x[usable])
    blank = np.full((*moved.shape[:2], len(_outputs(subject)) - moved.shape[2]), np.nan)
    return np.concatenate([moved, blank], axis=-1)


def _fit_cell(known: KnownTable, subject: Subject, cell: slice, alpha: float) -> Fit:
    x = _design(subject)
    usable = _usable(x)
    n, yes = _counts(known[_need(subject)].values[cell], subject, usable)
    beta, inverse, p = _fit(n, yes, x[usable])
    noise_se = _finish(redraw(known, cell), subject)[..., : x.shape[1]].std(axis=0)
    drowned = _drowned(inverse, p, x[usable], known[_need(subject)].sd[cell])
    sampling = np.sqrt(np.maximum(np.einsum("cii->ci", inverse), 0))
    noise_se = np.where(drowned, np.nan, noise_se)
    sd = known[_need(subject)].sd[cell, 0] * math.sqrt(2 * n.shape[1])
    return Fit(beta, noise_se, sampling, rows_known(n.sum(axis=1), sd, alpha))


def _drowned(inverse: Floats, p: Floats, x: Floats, sd: Floats) -> Flags:
    """Rows of H⁻¹·δH, in columns of length one, whose expected size is not small."""
    weight = p * (1 - p)
    variance = _weighted_squares(2 * (weight * sd) ** 2, x**2)
    length = 1 / np.sqrt(np.maximum(np.einsum("cii->ci", inverse), 1e-300))
    standard = inverse * length[:, :, None] * length[:, None, :]
    change = np.einsum("cki,cij->ck", standard**2, variance / (length[:, :, None] * length[:, None, :]) ** 2)
    return np.asarray(~(np.sqrt(change) < SECOND_ORDER))


def _outputs(subject: Subject) -> tuple[Code, ...]:
    return outputs(subject, FURTHER)


def _behind(known: KnownTable, subject: Subject) -> list[Behind]:
    return [total(known[_need(subject)])]


LOGISTIC = Statistic(
    name="logistic",
    summary="logistic regression: log-odds of some codes of a variable on groupings and binned numbers",
    takes=Takes.DOMAIN_CODES_AND_TERMS,
    needs=lambda subject: (_need(subject),),
    finish=_finish,
    unit=lambda subject: "log-odds",
    decimals=lambda subject: DECIMALS,
    bounds=lambda subject: (-math.inf, math.inf),
    outputs=_outputs,
    scale=never_unreliable,
    estimate=cell_by_cell(_fit_cell),
    behind=_behind,
    in_official=False,
    estimated=lambda subject: len(columns(subject)),
)
