"""What is chosen about a fit before it: public, kept in the model's file, and no function of the data."""

from __future__ import annotations

from dataclasses import dataclass

SMALL_TREE = 150_000
MANY = 200_000


@dataclass(frozen=True, slots=True)
class Settings:
    """ones, choosing: shares of ρ for the one-ways and for choosing; the rest measures what was chosen.

    picks: cliques to choose, 0 for twice the number of columns; batch: how many between two fits; width: columns of
    the largest; largest: cells of the largest; tree: cells of the junction tree, 0 for 150,000, and four
    times that from 200,000 pupils, whose counts bear it. penalty: how much of the noise that
    a table would get counts against it. ridge: how much each margin yields to the rest, per variance of its noise.
    steps, last_steps: of the optimiser, between choices and at the end.
    """

    ones: float = 0.35
    choosing: float = 0.05
    picks: int = 0
    batch: int = 4
    width: int = 3
    largest: int = 20_000
    tree: int = 0
    penalty: float = 1.0
    ridge: float = 1.0
    steps: int = 40
    last_steps: int = 120
    probe: int = 200_000

    def __post_init__(self) -> None:
        if not (0 < self.ones <= 1 and 0 < self.choosing < 1 and self.ones + self.choosing < 1):
            raise ValueError("ones and choosing are shares of the budget, and leave some of it")
        if min(self.batch, self.width, self.largest, self.steps, self.last_steps, self.probe) < 1:
            raise ValueError("batch, width, largest, steps, last_steps and probe are at least 1")
        if min(self.picks, self.tree) < 0 or not 0 < self.ridge < 1e6 or not 0 <= self.penalty <= 10:
            raise ValueError("picks and tree are not negative, ridge is positive, penalty is from 0 to 10")

    def cells_of_tree(self, pupils: float) -> int:
        """pupils: their noisy number."""
        return self.tree or (SMALL_TREE if pupils < MANY else 4 * SMALL_TREE)
