"""How far one pupil can move a table. This file carries the privacy claim; `docs/theorems.md` states it in prose.

Neighbours: two cuts that differ in one pupil, all of whose rows are added or removed.

Lemma. Let the rows of a pupil be spread over disjoint blocks of cells, at most c_j rows in block j, each row
falling in at most one cell (and one bin) and adding there a value of absolute size at most m. Then the change v of
the table satisfies ‖v‖₂² ≤ m² Σ c_j². Proof: within block j the change is a sum of at most c_j vectors of norm at
most m, so its norm is at most m·c_j (triangle inequality); blocks are orthogonal. For distinct pupils each of at
most c_j touched cells moves by exactly one, so ‖v‖₂² ≤ Σ min(c_j, cells of block j). Of distinct codes, one row can
add or remove one in one cell: m = 1.

Lemma, for the L1 norm. Under the same conditions ‖v‖₁ ≤ m Σ c_j, and for distinct pupils ‖v‖₁ ≤ Σ min(c_j, cells of
block j). Proof: v is the sum over all rows of vectors with one entry of size at most m, and there are at most Σ c_j
rows (triangle inequality); for distinct pupils v has at most min(c_j, cells) entries in block j, each of size one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.tables import Noise


@dataclass(frozen=True, slots=True)
class Contribution:
    """Rows of one pupil (not rows of the data set): ``blocks[j]`` is the most that can fall into block j."""

    blocks: tuple[int, ...]
    cells_per_block: int

    def __post_init__(self) -> None:
        if not self.blocks or min(self.blocks) < 1 or self.cells_per_block < 1:
            raise ValueError("a contribution needs at least one block, one row and one cell")


def reach(aggregate: Aggregate) -> int:
    """The largest absolute value that one row can add to one number of the table, in ticks."""
    match aggregate:
        case Count() | DistinctCount() | BinnedCount():
            return 1
        case Sum() | SumOfProducts():
            return aggregate.reach
        case _:
            assert_never(aggregate)


def l2_squared(aggregate: Aggregate, contribution: Contribution) -> int:
    """Square of the L2 sensitivity for one pupil: an exact integer, in ticks²."""
    if aggregate == DistinctCount():
        return sum(min(rows, contribution.cells_per_block) for rows in contribution.blocks)
    return reach(aggregate) ** 2 * sum(rows * rows for rows in contribution.blocks)


def l1(aggregate: Aggregate, contribution: Contribution) -> int:
    """L1 sensitivity for one pupil: an exact integer, in ticks."""
    if aggregate == DistinctCount():
        return sum(min(rows, contribution.cells_per_block) for rows in contribution.blocks)
    return reach(aggregate) * sum(contribution.blocks)


def distance(aggregate: Aggregate, contribution: Contribution, law: Noise) -> int:
    """The sensitivity that this noise is scaled to: the square of the L2 one, or the L1 one."""
    match law:
        case Noise.GAUSSIAN:
            return l2_squared(aggregate, contribution)
        case Noise.LAPLACE:
            return l1(aggregate, contribution)
        case Noise.NONE:
            raise ValueError("where there is no noise, nothing is scaled")
        case _:
            assert_never(law)
