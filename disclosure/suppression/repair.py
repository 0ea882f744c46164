"""A pattern that did not pass its audit: more cells are hidden until it does.

For a cell that is too narrow we look for cheap moves of the whole table that raise and lower it, by what it needs in
all. If every cell that moves is hidden, the moved tables are both the attacker's, so the interval is wide enough
(`attacker`, lemma 1; the flows are those of Fischetti & Salazar-González, Management Science 47(7), 2001). The cost of
a cell counts per unit that it moves, which makes the search a linear program; the price of hiding is really paid once,
so the pattern is good and not the best.

Hiding more never narrows an interval: the attacker's tables for a pattern are also theirs for a larger one (lemma 3).
So nothing that was proved is lost, and what an audit has proved is not audited again.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import scipy

from disclosure.suppression.attacker import REACH
from disclosure.suppression.audit import Audit, Limits, audit, needs
from disclosure.suppression.equations import equations
from disclosure.suppression.highs import WHOLE, Infeasible, Program
from disclosure.suppression.problem import CannotProtect, Pattern, Problem
from disclosure.tables import Flags, Floats

ROUNDS = 20
FREE = 1e-4
"""Cost of a cell that is hidden already: a move goes through few of them."""


def hideable(problem: Problem) -> Flags:
    """Cells that protect others when they are hidden: the attacker does not know them, nor are they below the floor."""
    return ~problem.known & (problem.cube.values >= problem.floor)


def repaired(problem: Problem, pattern: Pattern, limits: Limits | None = None) -> tuple[Pattern, Audit]:
    """A pattern that passes its audit, by hiding more where this one does not; CannotProtect after `ROUNDS`."""
    for _ in range(ROUNDS):
        found = audit(problem, pattern, limits=limits)
        if found.passed:
            return Pattern(pattern.hidden, found.width), found
        pattern = repair(problem, pattern, found)
    raise CannotProtect(f"cells were too narrow after {ROUNDS} repairs; fewer dimensions or coarser bands would pass")


def repair(problem: Problem, pattern: Pattern, found: Audit) -> Pattern:
    """The pattern with more cells hidden, so that each cell that the audit found narrow can move as far as it needs."""
    if found.base != 1:
        raise ValueError("what was proved of a rounded table is not proved of an exact one")
    moves, hidden, need = _Moves(problem, pattern.hidden), pattern.hidden.copy(), needs(problem, pattern)
    for cell in map(int, np.flatnonzero(found.narrow)):
        hidden |= moves.widening(cell, int(need.ravel()[cell]), hidden)
    return Pattern(hidden, found.width)


class _Moves:
    """Cheapest moves of the whole table: how far each cell goes up and how far it goes down are two variables."""

    def __init__(self, problem: Problem, hidden: Flags) -> None:
        self._among, self._hidden = hideable(problem), hidden
        self._cells = np.flatnonzero(self._among)
        self._costs = np.log1p(problem.cube.values[self._among]) + 0.2
        self._down = np.minimum((problem.cube.values - problem.floor)[self._among], REACH)
        upper = np.concatenate([np.full_like(self._down, REACH), self._down])
        lines = equations(problem.cube.dimensions, self._among)
        self._program = Program(scipy.sparse.hstack([lines, -lines], "csr"), np.zeros_like(upper), upper)

    def widening(self, cell: int, by: int, hidden: Flags) -> Flags:
        """Cells that move with this one when it goes up and down by so much in all: up as far as it can.

        Where all were hidden when the cell was found too narrow, they move by fractions, and the attacker's tables are
        of integers. Then ask for more.
        """
        place = int(np.searchsorted(self._cells, cell))
        if place == self._cells.size or self._cells[place] != cell:
            raise CannotProtect("what a rule hides is known already; the rule or what was shown before has to change")
        costs = -np.tile(np.where(hidden[self._among], FREE, self._costs), 2)
        for ask in (by, 2 * by, 4 * by, 8 * by):
            for down in range(min(by, int(self._down[place])) + 1):
                with suppress(Infeasible):
                    moved = self._moved(costs, place, ask - down) | self._moved(costs, place, -down)
                    if (moved & ~self._hidden).any():
                        return moved
                    break
        raise CannotProtect("a cell is too narrow whatever is hidden; coarser bands or fewer dimensions would pass")

    def _moved(self, costs: Floats, place: int, by: int) -> Flags:
        move = self._program.maximise(costs, {place: max(by, 0), place + self._cells.size: max(-by, 0)})
        moved = np.zeros_like(self._among)
        moved.ravel()[self._cells[(np.abs(move) > WHOLE).reshape(2, -1).any(0)]] = True
        return moved
