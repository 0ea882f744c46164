"""What can be deduced of hidden cells by someone who has all that is shown: an interval for each.

The attacker's knowledge is bounds on every cell and the cube's lines. Their tables are all integer tables within the
bounds in which every line holds; the true table x is one. A cell's interval is from its least to its greatest value in
them. We look for tables as moves away from the true one: integer y with lines @ y = 0 and lower ≤ x + y ≤ upper.


Lemma 1 (witnesses). Two of the attacker's tables in which a cell differs by w prove that its interval is at least w
wide. So each table that is found proves something of every cell, and how it was found does not matter: a move that
HiGHS gives is rounded to integers and checked, in integers, for lines and bounds before it counts.

Lemma 2 (linear programs). The attacker's tables are among the real-valued tables with the same lines and bounds, so the
optimum of the linear program is an outer bound of the interval; where the optimal move found is of integers it is a
witness too, and the bound is the interval's end. That is so at all vertices if the matrix of the lines is totally
unimodular (two dimensions, one of them with a single line: a network). Elsewhere an optimum may be fractional, and the
linear program alone would promise an interval that an attacker who knows that counts are integers narrows further.
Branch and bound then looks for the best integer move, and the best found counts, never the bound.

Lemma 3 (more knowledge). Narrower bounds leave fewer tables, so an interval proved for an attacker who knows more holds
for one who knows less. So moves are searched no further than `REACH` from the truth, which makes every program bounded;
and an interval whose search stopped early is one that the attacker's interval contains.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from disclosure.rounding import nearest, preimage
from disclosure.suppression.equations import Matrix, components, determined, equations
from disclosure.suppression.highs import WHOLE, Infeasible, Program
from disclosure.suppression.problem import CannotProtect, Problem
from disclosure.tables import Flags, Floats, Integers, Secret

REACH = 1000
"""How far from its true value a cell is moved at most. Intervals that are wider are cut to twice that."""
PROGRAMS = 5000
"""That are solved at most, if nothing else is said."""
NODES = 1000
"""Of branch and bound, where a linear program's optimum is not of integers."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Knowledge(Secret):
    """How far each cell of the cube could be from its true value before anything is added up, lower ≤ 0 ≤ upper: int64
    of the cube's shape. Cells with 0 and 0 are known.
    """

    lower: Integers
    upper: Integers

    def __post_init__(self) -> None:
        if (self.lower > 0).any() or (self.upper < 0).any():
            raise ValueError("what an attacker knows is true")

    @classmethod
    def of(cls, problem: Problem, hidden: Flags, base: int = 1) -> Knowledge:
        """A hidden cell is at least `floor`; others are shown, rounded to the nearest multiple of `base` (1: exact)."""
        values = problem.cube.values
        if (values < problem.floor)[hidden & ~problem.known].any():
            raise ValueError("a hidden cell is below the floor")
        least, most = preimage(nearest(values, base), base)
        lower = np.where(hidden, problem.floor, np.maximum(least, 0)) - values
        upper = np.where(hidden, REACH, most - values)
        return cls(np.where(problem.known, 0, np.maximum(lower, -REACH)), np.where(problem.known, 0, upper))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Component(Secret):
    """Unknown cells that hang together: flat numbers of the cells, the lines between them, and bounds of moves."""

    cells: Integers
    lines: Matrix
    lower: Integers
    upper: Integers

    def only(self, chosen: Flags | Integers) -> Component:
        """The same for an attacker who knows all other cells (lemma 3). chosen: some of the cells, by place."""
        lines = self.lines[:, chosen]
        lines = lines[np.diff(lines.indptr) > 0]
        return Component(self.cells[chosen], lines, self.lower[chosen], self.upper[chosen])


def unknown(problem: Problem, knowledge: Knowledge) -> Iterator[Component]:
    """Components of the cells that no line alone gives away."""
    flags = knowledge.lower < knowledge.upper
    cells, lines = np.flatnonzero(flags), equations(problem.cube.dimensions, flags)
    whole = Component(cells, lines, knowledge.lower.ravel()[cells], knowledge.upper.ravel()[cells])
    whole = whole.only(~determined(lines))
    labels = components(whole.lines)
    order = np.argsort(labels, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if places.size:
            yield whole.only(places)


class Search(Secret):
    """The intervals that the tables found so far prove for the cells of a component, as moves: lower ≤ 0 ≤ upper.

    solved: programs so far.
    """

    def __init__(self, component: Component, programs: int = PROGRAMS) -> None:
        self._component = component
        self._program = Program(component.lines, component.lower, component.upper)
        self.lower, self.upper = np.zeros_like(component.cells), np.zeros_like(component.cells)
        self.solved, self._programs = 0, programs

    @property
    def width(self) -> Integers:
        return self.upper - self.lower

    def along(self, costs: Floats, nodes: int) -> None:
        """Find a table far in the direction of the costs; the farthest, if the nodes are enough."""
        self._count()
        if not self._witness(self._program.maximise(costs)):
            self._whole(costs, nodes)

    def ends(self, place: int) -> None:
        """Find the greatest and the least value of a cell. Integers are searched only where they could be farther."""
        costs = np.zeros(self._component.cells.size)
        for sign in (1, -1):
            costs[place] = sign
            self._count()
            move = self._program.maximise(costs)
            reached = max(sign * int(self.lower[place]), sign * int(self.upper[place]))
            if not self._witness(move) and np.floor(sign * move[place] + WHOLE) > reached:
                self._whole(costs, NODES)

    def _whole(self, costs: Floats, nodes: int) -> None:
        self._count()
        with suppress(Infeasible):  # the nodes were too few to find any table
            self._witness(self._program.maximise_whole(costs, nodes))

    def _count(self) -> None:
        if self.solved == self._programs:
            raise CannotProtect(f"more than {self._programs} programs; fewer dimensions or coarser bands would pass")
        self.solved += 1

    def _witness(self, move: Floats) -> bool:
        """Lemma 1. Rounding and checking in integers makes a proof of what a solver found."""
        found, its = np.rint(move).astype(np.int64), self._component
        off: Integers = np.asarray(its.lines @ found)
        if (np.abs(move - found) > WHOLE).any() or off.any():
            return False
        if (found < its.lower).any() or (found > its.upper).any():
            return False
        self.lower, self.upper = np.minimum(self.lower, found), np.maximum(self.upper, found)
        return True


def intervals(problem: Problem, hidden: Flags, cells: Flags, base: int = 1) -> tuple[Integers, Integers]:
    """The attacker's intervals of the cells that are flagged: least and greatest values, int64 of the cube's shape.

    Others keep their true values. Intervals go no further than `REACH` from the truth, and where branch and bound was
    stopped they are narrower than the attacker's, never wider.
    """
    lower, upper = problem.cube.values.copy(), problem.cube.values.copy()
    for component in unknown(problem, Knowledge.of(problem, hidden, base)):
        search = Search(component)
        for place in np.flatnonzero(cells.ravel()[component.cells]):
            search.ends(int(place))
        wanted = cells.ravel()[component.cells]
        at = component.cells[wanted]
        lower.ravel()[at] += search.lower[wanted]
        upper.ravel()[at] += search.upper[wanted]
    return lower, upper
