"""How far one pupil can move a table. This file carries the privacy claim; `docs/theorems.md` states it in prose.

Neighbours: two cuts that differ in one pupil, all of whose rows are added or removed.

Lemma. Let the rows of a pupil be spread over disjoint blocks of cells, at most c_j rows in block j and at most m_j of
them in one cell, each row falling in at most one cell (and one bin) and adding there a value of absolute size at most
a. Write c_j = q_j m_j + s_j with 0 ≤ s_j < m_j. Then the change v of the table satisfies
‖v‖₂² ≤ a² Σ (q_j m_j² + s_j²), which is a² Σ c_j² where m_j ≥ c_j.
Proof: with x rows in a cell, the part of v in that cell (over all its bins) is a sum of x vectors of norm at most a,
so its norm is at most a·x. In a block Σ x² is largest, under Σ x ≤ c and x ≤ m, where at most one cell has neither 0
nor m rows: of two cells with m > x ≥ y > 0, moving a row from the second to the first adds 2(x − y) + 2 > 0. That is
q cells of m and one of s, and another row would add more. Blocks are orthogonal. ∎
For distinct pupils each touched cell moves by exactly one, so ‖v‖₂² ≤ Σ min(c_j, cells of block j that one pupil can
touch). Of distinct codes, x rows in a cell can add or remove at most x there: a = 1.

Lemma, for the L1 norm. Under the same conditions ‖v‖₁ ≤ a Σ c_j, and for distinct pupils ‖v‖₁ ≤ Σ min(c_j, cells of
block j that one pupil can touch). Proof: v is the sum over all rows of vectors with one entry of size at most a, and
there are at most Σ c_j rows (triangle inequality); for distinct pupils v has at most that many entries, each of size
one.

Lemma, for listed groups. Under the same conditions the counts of rows of at most Σ min(c_j, cells of block j that one
pupil can touch) cells change, each by at most max m_j, and together by at most √(Σ (q_j m_j² + s_j²)) in L2. Proof: a
touched cell holds at least one of the pupil's rows, and at most m_j; in block j there are at most c_j rows. ∎
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.tables import Noise


@dataclass(frozen=True, slots=True)
class Contribution:
    """Rows of one pupil (not rows of the data set): ``blocks[j]`` is the most that can fall into block j.

    cells_per_block: the most cells of a block that one pupil's rows can fall into. ``most_per_cell[j]``: the most rows
    of one pupil in one cell of block j; left out, all of the block's rows can fall into the same cell.
    """

    blocks: tuple[int, ...]
    cells_per_block: int
    most_per_cell: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.blocks or min(*self.blocks, *self.most_per_cell, self.cells_per_block) < 1:
            raise ValueError("a contribution needs at least one block, one row and one cell")
        if self.most_per_cell and len(self.most_per_cell) != len(self.blocks):
            raise ValueError("most_per_cell has one number per block, or none")


@dataclass(frozen=True, slots=True)
class Moves:
    """How one pupil can change a table of counts: cells touched, squared L2 distance, most rows in one cell."""

    l0: int
    l2_squared: int
    linf: int

    def __post_init__(self) -> None:
        if min(self.l0, self.linf) < 1 or self.l2_squared < self.linf**2:
            raise ValueError("no change of counts has these three sizes")


def moves(contribution: Contribution) -> Moves:
    """Of the counts of rows in all cells, for one pupil: the last lemma above."""
    touched = sum(min(rows, contribution.cells_per_block) for rows in contribution.blocks)
    caps = contribution.most_per_cell or contribution.blocks
    most = max(min(rows, cap) for rows, cap in zip(contribution.blocks, caps, strict=True))
    return Moves(touched, l2_squared(Count(), contribution), most)


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
    caps = contribution.most_per_cell or contribution.blocks
    return reach(aggregate) ** 2 * sum(_squares(*block) for block in zip(contribution.blocks, caps, strict=True))


def _squares(rows: int, cap: int) -> int:
    """The largest Σ x² of counts x ≤ cap that add up to `rows`: as many full cells as there can be, and the rest."""
    full, rest = divmod(rows, cap)
    return full * cap * cap + rest * rest


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
