"""The only part of a fit that sees exact counts, and what it spends. What leaves it is noisy, or a noisy choice.

Unit: the pupil, with one row (the caller sees to it). Neighbours differ in one row, added or removed.

Lemma 1. A table of a clique has L2 sensitivity 1: the row is in exactly one cell, which moves by one.

Lemma 2. For whole numbers m that do not depend on the data, s = ‖n − m‖₁ − k has sensitivity 1 in the counts n, by
the triangle inequality, since ‖n − n'‖₁ = 1. m is a margin of a model of noisy numbers, and k a public penalty.

By Lemma 1 and `disclosure.noise`, `measure` at price ρ is ρ-zCDP; by Lemma 2, `choose` is. What a fit does next
follows from what came out before, and its prices add up to its budget, which is fixed beforehand: the fit is ρ-zCDP
for the sum (Bun & Steinke, arXiv 1605.02065v1, Lemma 1.7; for choices that depend on earlier answers, Whitehouse,
Ramdas, Wu & Rogers, arXiv 2203.05481).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from disclosure.noise import NoiseSource, sigma
from synthetic.model.count import Counter
from synthetic.model.domain import Clique, Domain, Integers

Chooser = Callable[[Integers, int, int], int]
"""`disclosure.noise.noisy_max`: scores, how far one pupil moves each, nano-ρ."""


class BudgetPassed(RuntimeError):
    """A fit would spend more than it was charged. It is a fault of the fit, and stops it."""


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A noisy table. nano_rho: its price, from which the standard deviation of each cell's noise follows."""

    clique: Clique
    counts: Integers
    nano_rho: int

    @property
    def sigma(self) -> float:
        return sigma(1, self.nano_rho)


class Meter:
    """Measures and chooses, at most for the budget (nano-ρ). Exact tables are kept for the length of the fit."""

    def __init__(self, counter: Counter, domain: Domain, budget: int, noise: NoiseSource, chooser: Chooser) -> None:
        self._counter, self._domain, self._noise, self._chooser = counter, domain, noise, chooser
        self._exact: dict[Clique, Integers] = {}
        self.budget, self.spent = budget, 0

    def measure(self, clique: Clique, nano_rho: int) -> Margin:
        self._spend(nano_rho)
        return Margin(clique, self._noise(self._counted(clique), 1, nano_rho), nano_rho)

    def choose(self, expected: Mapping[Clique, Integers], penalties: Mapping[Clique, int], nano_rho: int) -> Clique:
        """The clique whose table is (about) farthest from what is expected of it, less its penalty."""
        self._spend(nano_rho)
        cliques = list(expected)
        scores = [int(np.abs(self._counted(c) - expected[c]).sum()) - penalties[c] for c in cliques]
        return cliques[self._chooser(np.array(scores, dtype=np.int64), 1, nano_rho)]

    def _spend(self, nano_rho: int) -> None:
        if nano_rho <= 0 or self.spent + nano_rho > self.budget:
            raise BudgetPassed("the fit would spend more than its budget")
        self.spent += nano_rho

    def _counted(self, clique: Clique) -> Integers:
        if clique not in self._exact:
            table = self._counter.count_cells(clique, self._domain)
            if table.dtype != np.int64 or table.shape != self._domain.shape(clique):
                raise RuntimeError("the counter's table is not of the clique's shape")
            self._exact[clique] = table
        return self._exact[clique]
