"""How much one perturbed count tells of one pupil, in the terms of differential privacy: not little.

A table's change is bounded and small counts have few outcomes, so some outcome is possible with a pupil and impossible
without: δ(ε) does not vanish for any ε of practice, and it adds up over every new set of records. Perturbation by cell
keys is therefore never entered in a privacy account.
"""

from __future__ import annotations

import math
from itertools import pairwise

from disclosure.cell_key.ptable import KEYS, PTable


def delta(table: PTable, epsilon: float, least: int = 1) -> float:
    """The smallest δ such that one shown count is (ε, δ)-indistinguishable for neighbouring counts n and n + 1, n ≥
    least: the largest Σ max(0, P − e^ε·Q) over these n and both directions. The keys are what the chance is over.
    """
    laws = [_shown(table, count) for count in range(least, max(len(table.rows), least) + 2)]
    return max(max(_excess(one, other, epsilon), _excess(other, one, epsilon)) for one, other in pairwise(laws))


def _shown(table: PTable, count: int) -> dict[int, float]:
    row = table.row(count)
    return {count + change: share / KEYS for change, share in zip(row.changes, row.shares, strict=True)}


def _excess(one: dict[int, float], other: dict[int, float], epsilon: float) -> float:
    return sum(max(0.0, p - math.exp(epsilon) * other.get(shown, 0.0)) for shown, p in one.items())
