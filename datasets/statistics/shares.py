"""Shares: of rows with some of a variable's codes, and of rows with each (a row of a transition matrix)."""

from __future__ import annotations

from datasets.statistics.recipe import Draws, Statistic, Subject, Takes, one_bin_each, ratio
from disclosure.accuracy import Floats
from disclosure.aggregates import BinnedCount

POINTS = 20.0
"""What a share's margin is judged against: half of it is ten percentage points."""


def _split(subject: Subject) -> BinnedCount:
    """Two bins, in the order of their atoms: the complement of a percentage is the same measurement."""
    wanted = [g for c, g in zip(subject.codes, subject.groups, strict=True) if c.code in subject.measure.codes]
    other = [g for c, g in zip(subject.codes, subject.groups, strict=True) if c.code not in subject.measure.codes]
    return BinnedCount(
        subject.named.name, tuple(sorted(tuple(sorted(a for g in part for a in g)) for part in (wanted, other)))
    )


def _percentage(draws: Draws, subject: Subject) -> Floats:
    split = _split(subject)
    wanted = {
        a for c, g in zip(subject.codes, subject.groups, strict=True) if c.code in subject.measure.codes for a in g
    }
    place = next(i for i, group in enumerate(split.bins) if wanted.issuperset(group))
    parts = draws[split]
    return 100 * ratio(parts[..., place : place + 1], parts.sum(axis=-1, keepdims=True))


PERCENTAGE = Statistic(
    name="percentage",
    summary="percentage of rows whose variable has one of the given codes",
    takes=Takes.DOMAIN_AND_CODES,
    needs=lambda subject: (_split(subject),),
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
    outputs=lambda subject: subject.codes,
    scale=lambda subject: POINTS,
    is_share=True,
)
