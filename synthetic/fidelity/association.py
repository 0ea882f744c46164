"""How closely two variables go together: Cramér's V, from 0 (not at all) to 1 (one follows from the other)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic.fidelity.margins import Floats, Margin, Source


@dataclass(frozen=True, eq=False, slots=True)
class Associations:
    """Square, in the order of the names; NaN where the reference does not tell the pair, or a variable is constant."""

    names: tuple[str, ...]
    source: Floats
    reference: Floats

    @property
    def differences(self) -> Floats:
        return self.source - self.reference

    @property
    def largest(self) -> list[tuple[str, str, float]]:
        """Pairs and their differences, the largest first."""
        rows, columns = np.triu_indices(len(self.names), 1)
        known = [(i, j) for i, j in zip(rows, columns, strict=True) if np.isfinite(self.differences[i, j])]
        order = sorted(known, key=lambda at: -abs(self.differences[at]))
        return [(self.names[i], self.names[j], float(self.differences[i, j])) for i, j in order]


CLEAR = 2.0
"""Codes of a noisy table are reckoned with whose number is more than so many standard deviations of its noise."""


def cramers_v(margin: Margin) -> float:
    """Codes that nobody has are left out. NaN where only one code of a variable occurs.

    What noise alone adds to φ² is taken off: σ² over what each cell is expected to hold, for the (r − 1)(c − 1) of its
    rc directions that leave the codes' own numbers as they are.
    """
    counts = _told(margin)
    if min(counts.shape) < 2:
        return float("nan")
    total = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / total
    free = (counts.shape[0] - 1) * (counts.shape[1] - 1) / counts.size
    square = float((((counts - expected) ** 2 - free * margin.sigma**2) / expected).sum() / total)
    return float(min(1.0, max(0.0, square / (min(counts.shape) - 1)) ** 0.5))


def _told(margin: Margin) -> Floats:
    """Of the codes that have pupils, beyond what noise may have made up."""
    counts = margin.counts
    rows, columns = (CLEAR * margin.sigma * counts.shape[axis] ** 0.5 for axis in (1, 0))
    return np.asarray(counts[counts.sum(axis=1) > rows][:, counts.sum(axis=0) > columns])


def associations(source: Source, reference: Source) -> Associations:
    names = tuple(v.name for v in reference.variables)
    mine, theirs = (np.full((len(names), len(names)), np.nan) for _ in range(2))
    for i, first in enumerate(names):
        for j in range(i + 1, len(names)):
            pair = (first, names[j])
            known, told = source.margin(pair), reference.margin(pair)
            if known is not None and told is not None:
                mine[i, j] = mine[j, i] = cramers_v(known)
                theirs[i, j] = theirs[j, i] = cramers_v(told)
    return Associations(names, mine, theirs)
