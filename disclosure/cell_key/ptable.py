"""Perturbation tables: for each count the law of its change, in whole shares of the range of keys.

Row i of a table is for the count i, the last row for every larger count too. A share is a number of keys out of 2⁶⁴, so
that a look-up is integer arithmetic and every probability exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np

from disclosure.cell_key.keys import Keys
from disclosure.tables import Integers

KEYS = 2**64
BIAS = Fraction(1, 10**6)
"""The largest mean of a row that may pass as unbiased."""


class PTableRefused(ValueError):
    """The perturbation table cannot be had or used; `problems` says every reason. They are as public as a table."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the perturbation table is refused:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Row:
    """changes: ascending. shares: positive, 2⁶⁴ together; the probability of a change is its share of that."""

    changes: tuple[int, ...]
    shares: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.changes) != len(self.shares) or list(self.changes) != sorted(set(self.changes)):
            raise ValueError("a row has a share for every change, and its changes ascend")
        if min(self.shares, default=0) < 1 or sum(self.shares) != KEYS:
            raise ValueError("shares are positive and 2^64 together")

    @property
    def highest(self) -> Keys:
        """The last key of each change, uint64."""
        return np.array([end - 1 for end in accumulate(self.shares)], np.uint64)

    def look_up(self, keys: Keys) -> Integers:
        """The change that each key stands for: of the first range that ends at or after it."""
        return np.array(self.changes, np.int64)[np.searchsorted(self.highest, keys)]

    @property
    def mean(self) -> Fraction:
        return self._moment(1)

    @property
    def variance(self) -> Fraction:
        return self._moment(2) - self.mean**2

    def _moment(self, power: int) -> Fraction:
        return Fraction(sum(v**power * share for v, share in zip(self.changes, self.shares, strict=True)), KEYS)

    def problems(self, count: int) -> list[str]:
        """What makes it no row for this count."""
        found = []
        if count + self.changes[0] < 0:
            found.append(f"row {count}: a change makes the count negative")
        if count > 0 and abs(self.mean) > BIAS:
            found.append(f"row {count}: its mean is {float(self.mean):.6f}, not 0")
        return found


UNCHANGED = Row((0,), (KEYS,))


@dataclass(frozen=True, slots=True)
class PTable:
    """Rows for the counts 0, 1, 2, … Every row but the first is unbiased. Row 0 leaves zeros as they are, unless the
    table was made to perturb those that are not structural. Raises PTableRefused.
    """

    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        found = [] if len(self.rows) > 1 else ["a table has rows for the counts 0 and 1 at least"]
        found += [problem for count, row in enumerate(self.rows) for problem in row.problems(count)]
        if found:
            raise PTableRefused(found)

    def row(self, count: int) -> Row:
        return self.rows[min(count, len(self.rows) - 1)]

    @property
    def largest_change(self) -> int:
        return max(max(map(abs, row.changes)) for row in self.rows)

    @property
    def keeps_zeros(self) -> bool:
        return self.rows[0] == UNCHANGED

    @property
    def variances(self) -> tuple[float, ...]:
        """What each row realises; rows near zero may have less than the table was made for."""
        return tuple(float(row.variance) for row in self.rows)
