"""Two measures compared: their ratio, and the gap between two groups in one measure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from datasets.statistics.recipe import (
    Behind,
    Draws,
    KnownTable,
    Need,
    Part,
    Split,
    Statistic,
    Subject,
    Takes,
)
from datasets.variables import Code
from disclosure.aggregates import Aggregate
from disclosure.tables import Floats, Known

Kind = TypeVar("Kind", bound=np.generic)


def _ratio_needs(subject: Subject) -> tuple[Need, ...]:
    return tuple(dict.fromkeys(need for part in subject.of for need in part.needs))


def _ratio(draws: Draws, subject: Subject) -> Floats:
    """NaN in draws whose denominator has not the sign that most have: the noise may have made it nothing."""
    above, below = (part.finish(draws) for part in subject.of)
    sign = np.sign(np.nan_to_num(np.sign(below)).sum(axis=0, keepdims=True))
    known = below * sign > 0
    return np.where(known, above / np.where(known, below, 1), np.nan)


def _ratio_behind(known: KnownTable, subject: Subject) -> list[Behind]:
    return [
        behind
        for part in subject.of
        for behind in part.statistic.behind({need: known[need] for need in part.needs}, part.subject)
    ]


RATIO = Statistic(
    name="ratio",
    summary="one measure divided by another",
    takes=Takes.TWO_MEASURES,
    needs=_ratio_needs,
    finish=_ratio,
    unit=lambda subject: " per ".join(part.statistic.unit(part.subject) for part in subject.of),
    decimals=lambda subject: 4,
    bounds=lambda subject: (-math.inf, math.inf),
    behind=_ratio_behind,
)


def _base(subject: Subject) -> Part:
    return subject.of[0]


def _between(subject: Subject) -> str:
    return subject.axes[0].reference


def _gap_needs(subject: Subject) -> tuple[Need, ...]:
    return tuple(Split(_plain(need), (_between(subject),)) for need in _base(subject).needs)


def _plain(need: Need) -> Aggregate:
    if isinstance(need, Split):
        raise TypeError("a gap is in a measure without groupings of its own")
    return need


def _groups(subject: Subject) -> tuple[int, int]:
    """Places of the two groups on the axis between which the gap is."""
    codes = [code.code for code in subject.axes[0].codes]
    first, second = subject.measure.codes
    return codes.index(first), codes.index(second)


def _of_group(array: npt.NDArray[Kind], subject: Subject, place: int) -> npt.NDArray[Kind]:
    """(…, combinations × bins) → (…, bins) of one group."""
    codes = len(subject.axes[0].codes)
    return array.reshape(*array.shape[:-1], codes, array.shape[-1] // codes)[..., place, :]


def _gap(draws: Draws, subject: Subject) -> Floats:
    base = _base(subject)
    first, second = (
        base.finish(
            {need: _of_group(draws[Split(need, (_between(subject),))], subject, place) for need in _needs(base)}
        )
        for place in _groups(subject)
    )
    return first - second


def _needs(base: Part) -> list[Aggregate]:
    return [_plain(need) for need in base.needs]


def _gap_behind(known: KnownTable, subject: Subject) -> list[Behind]:
    base = _base(subject)
    return [
        behind
        for place in _groups(subject)
        for behind in base.statistic.behind(_known_of_group(known, subject, place), base.subject)
    ]


def _known_of_group(known: KnownTable, subject: Subject, place: int) -> Mapping[Need, Known]:
    found: dict[Need, Known] = {}
    for need in _needs(_base(subject)):
        whole = known[Split(need, (_between(subject),))]
        values, masked = _of_group(whole.values, subject, place), _of_group(whole.masked, subject, place)
        found[need] = Known(values, whole.sd, masked, whole.noise)
    return found


def _gap_bounds(subject: Subject) -> tuple[float, float]:
    base = _base(subject)
    low, high = base.statistic.bounds(base.subject)
    return low - high, high - low


def _outputs(subject: Subject) -> tuple[Code, ...]:
    return _base(subject).statistic.outputs(_base(subject).subject)


GAP = Statistic(
    name="gap",
    summary="a measure in one group minus the same measure in another",
    takes=Takes.MEASURE_AND_GROUPS,
    needs=_gap_needs,
    finish=_gap,
    unit=lambda subject: _base(subject).statistic.unit(_base(subject).subject),
    decimals=lambda subject: _base(subject).statistic.decimals(_base(subject).subject),
    bounds=_gap_bounds,
    outputs=_outputs,
    scale=lambda subject: _base(subject).statistic.scale(_base(subject).subject),
    behind=_gap_behind,
    in_official=False,
)
