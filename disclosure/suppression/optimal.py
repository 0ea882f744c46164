"""The cheapest pattern of all, for small tables; the yardstick of what other methods hide in excess.

Let z be 1 for hidden cells, L and U how far a hidden cell can go down and up. For target cell p (one that a rule or an
earlier release hides), pattern z, and any prices g of the lines, put d = e_p − gᵀlines. A move y keeps the lines, so

    y_p = d · y ≤ Σ (max(d, 0) U + max(−d, 0) L) z,

and likewise for −y_p with prices of its own. Both sums together bound the width of p's interval. So every pattern that
protects p meets the demand that they are at least the width needed, whatever the prices; a weight above that width may
be cut down to it, as z is 0 or 1. We take the cheapest pattern that meets all demands so far (a 0/1 program), solve the
linear programs of the targets, and make the demand with the optimal prices of each target that is too narrow: this
pattern does not meet it. It is the method of Fischetti & Salazar-González (Management Science 47(7), 2001), exact for
an attacker to whom counts are real numbers. For one who knows that they are integers: a pattern that fails the audit
demands one more hidden cell, since hiding fewer protects no better. There are finitely many patterns, so it ends; and
as all demands are necessary, the first pattern that passes is a cheapest one.

Costs are positive, so a cheapest pattern has no hidden cell that is known exactly but for its targets: showing it would
tell the attacker nothing.
"""

from __future__ import annotations

import numpy as np

from disclosure.suppression.attacker import REACH
from disclosure.suppression.audit import audit, needs
from disclosure.suppression.equations import Matrix, equations
from disclosure.suppression.highs import Cover, Program
from disclosure.suppression.problem import CannotProtect, Pattern, Problem
from disclosure.suppression.repair import hideable
from disclosure.tables import Flags, Floats, Integers

ROUNDS = 500
NODES = 100_000
SLACK = 1e-3
"""Allowed for floating point: demands are so much weaker, and targets may be so much narrower before the audit."""
ZERO = 1e-9
"""What is less is a rounding error of prices."""


def optimal(problem: Problem, costs: Floats | None = None, rounds: int = ROUNDS, nodes: int = NODES) -> Pattern:
    """A pattern of least cost that protects every target, certified by its audit.

    costs: of hiding each cell, of the cube's shape, above 0; 1 for each if not given. CannotProtect if there is no
    pattern, or none was proved to be the cheapest within so many rounds and nodes of branch and bound.
    """
    targets, among = problem.primary | problem.hidden, hideable(problem)
    costs = np.ones(among.shape) if costs is None else costs
    if costs.shape != among.shape or not (costs > 0).all():
        raise ValueError("want a cost above 0 for each cell")
    if (targets & ~among).any():
        raise CannotProtect("what a rule hides is known already; the rule or what was shown before has to change")
    cover = Cover(costs[among], targets[among], nodes)
    needed = needs(problem, Pattern(targets, np.zeros_like(problem.width)))
    demands = _Demands(problem, among, needed[among])
    for _ in range(rounds):
        if not cover.meet(demands.of(cover.choose(whole=False))):
            break
    for _ in range(rounds):
        choice = cover.choose(whole=True)
        if not cover.meet(demands.of(choice)):
            chosen = choice > 0.5
            hidden = np.zeros_like(among)
            hidden[among] = chosen
            pattern = Pattern(hidden, np.zeros_like(problem.width))
            if not (audit(problem, pattern).narrow & targets).any():
                return Pattern(hidden, needs(problem, pattern))
            cover.demand((~chosen).astype(np.float64), 1)
    raise CannotProtect(f"no cheapest pattern was found in {rounds} rounds; the box method may pass")


class _Demands:
    """What the targets demand of patterns. need: of the cells that may be hidden; above 0 for targets."""

    def __init__(self, problem: Problem, among: Flags, need: Integers) -> None:
        self._lines: Matrix = equations(problem.cube.dimensions, among)
        self._down = np.minimum((problem.cube.values - problem.floor)[among], REACH)
        self._need, self._far = need, int(need.max(initial=1))

    def of(self, chosen: Floats) -> list[tuple[Floats, float]]:
        """Demands that a pattern does not meet: weights of the cells, and what they have to come to."""
        far = self._far if ((chosen > 0) & (chosen < 1)).any() else REACH
        program, found = Program(self._lines, -self._down * chosen, far * chosen), []
        for target in map(int, np.flatnonzero(self._need)):
            weights = self._weights(program, target, 1) + self._weights(program, target, -1)
            need = float(self._need[target])
            weights = np.minimum(weights, need)
            if weights @ chosen < need - 2 * SLACK:
                found.append((weights, need - SLACK))
        return found

    def _weights(self, program: Program, target: int, sign: int) -> Floats:
        costs = np.zeros(self._need.size)
        costs[target] = sign
        program.maximise(costs)
        left = costs - self._lines.T @ program.prices()
        left[np.abs(left) < ZERO] = 0
        return np.where(left > 0, left * REACH, -left * self._down)
