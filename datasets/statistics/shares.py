"""Shares: of rows with some of a variable's codes, and of rows with each (a row of a transition matrix)."""

from __future__ import annotations

from datasets.statistics.recipe import Draws, Statistic, Subject, Takes, one_bin_each, ratio, shown_codes
from disclosure.aggregates import BinnedCount
from disclosure.tables import Floats

POINTS = 20.0
"""What a share's margin is judged against: half of it is ten percentage points."""


def split_of(subject: Subject) -> BinnedCount:
    """Two bins, in the order of their atoms: the complement of a percentage is the same measurement."""
    wanted = _wanted_atoms(subject)
    other = {atom for group in subject.groups for atom in group} - wanted
    return BinnedCount(subject.named.name, tuple(sorted((tuple(sorted(wanted)), tuple(sorted(other))))))


def _wanted_atoms(subject: Subject) -> set[int]:
    coded = zip(subject.codes, subject.groups, strict=True)
    return {atom for code, group in coded if code.code in subject.measure.codes for atom in group}


def wanted_place(subject: Subject) -> int:
    """Of the two bins, the one with the codes that count."""
    return next(i for i, group in enumerate(split_of(subject).bins) if _wanted_atoms(subject).issuperset(group))


def _percentage(draws: Draws, subject: Subject) -> Floats:
    place, parts = wanted_place(subject), draws[split_of(subject)]
    return 100 * ratio(parts[..., place : place + 1], parts.sum(axis=-1, keepdims=True))


PERCENTAGE = Statistic(
    name="percentage",
    summary="percentage of rows whose variable has one of the given codes",
    takes=Takes.DOMAIN_AND_CODES,
    needs=lambda subject: (split_of(subject),),
    finish=_percentage,
    unit=lambda subject: "%",
    decimals=lambda subject: 2,
    bounds=lambda subject: (0, 100),
    scale=lambda subject: POINTS,
    is_share=True,
)


def _distribution(draws: Draws, subject: Subject) -> Floats:
    parts = draws[one_bin_each(subject)]
    return 100 * ratio(parts, parts.sum(axis=-1, keepdims=True))


DISTRIBUTION = Statistic(
    name="distribution",
    summary="percentage of rows in each code or band of a variable; grouped by another, a transition matrix",
    takes=Takes.DOMAIN,
    needs=lambda subject: (one_bin_each(subject),),
    finish=_distribution,
    unit=lambda subject: "%",
    decimals=lambda subject: 2,
    bounds=lambda subject: (0, 100),
    outputs=shown_codes,
    scale=lambda subject: POINTS,
    is_share=True,
)
