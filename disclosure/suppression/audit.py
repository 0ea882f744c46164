"""A pattern as its attacker sees it: is every hidden cell's interval as wide as it has to be?

A primary cell needs its `width`; any other hidden cell needs 1, so that it is not known exactly; a cell that the
attacker knows anyway needs nothing, unless a rule or an earlier release hides it: then nothing can protect it, and it
counts as recoverable. A cell passes only by a certificate or by two tables of the attacker that differ enough in it
(`attacker`, lemma 1). What is not proved does not pass: a solver that errs can make the audit refuse a good pattern,
but not pass a bad one.

One table proves something of many cells. So programs first go in directions that mean nothing, along which all cells
that are still open may move; only cells that are open then have programs of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from disclosure.suppression.attacker import Component, Knowledge, Search, unknown
from disclosure.suppression.problem import Pattern, Problem
from disclosure.tables import Flags, Floats, Integers, Secret

GOLDEN = (5**0.5 - 1) / 2
WORTH_IT = 2
"""Cells that two programs must prove, for two more of the kind to be cheaper than a program for each cell."""
FEW = 1
"""Nodes of branch and bound along a direction that means nothing: any table of integers will do."""
LOCAL = 1000
"""Unknown cells that hang together and are searched at once without further ado."""


@dataclass(frozen=True, slots=True)
class Limits:
    """cells: the most that are searched at once. programs: the most that an audit solves; CannotProtect beyond."""

    cells: int = 5_000
    programs: int = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """narrow: hidden cells, of the cube's shape, whose interval is not proved to be as wide as needed. width: what is
    proved. recoverable: how many of them were found in one value only; primary: how many of them a rule hides. hidden:
    cells that the audit was about, certified: those of them that had no need of a program. programs: linear and integer
    ones that were solved. base: what shown cells were taken to be rounded to.
    """

    narrow: Flags = field(repr=False)
    width: Integers = field(repr=False)
    recoverable: int
    primary: int
    hidden: int
    certified: int
    programs: int
    base: int

    @property
    def passed(self) -> bool:
        return not self.narrow.any()


def needs(problem: Problem, pattern: Pattern) -> Integers:
    """How wide each cell's interval has to be; 0 for a cell that is shown."""
    least = np.where(problem.known & ~problem.hidden, 0, 1)
    return np.where(pattern.hidden, np.where(problem.primary, problem.width, least), 0).astype(np.int64)


def audit(
    problem: Problem, pattern: Pattern, base: int = 1, limits: Limits | None = None, needed: Integers | None = None
) -> Audit:
    """base: what shown cells are rounded to. needed: how wide each interval has to be, if not as `needs` has it.

    CannotProtect beyond the limits: then nothing is known of the pattern.
    """
    if ((problem.primary | problem.hidden) & ~pattern.hidden).any():
        raise ValueError("a pattern hides what a rule or an earlier release hides")
    limits = limits or Limits()
    need = needs(problem, pattern) if needed is None else needed
    width = np.where(pattern.hidden, pattern.certified, 0)
    open_, programs = width < need, 0
    for component in unknown(problem, Knowledge.of(problem, pattern.hidden, base)) if open_.any() else ():
        at = component.cells
        proof = _Proof(component, need.ravel()[at], width.ravel()[at], limits.programs - programs)
        proof.run(problem.cube.shape, limits)
        width.ravel()[at] = proof.width
        programs += proof.solved
    narrow = width < need
    return Audit(
        narrow,
        width,
        recoverable=int((narrow & (width == 0)).sum()),
        primary=int((narrow & problem.primary).sum()),
        hidden=int(pattern.hidden.sum()),
        certified=int((pattern.hidden & ~open_).sum()),
        programs=programs,
        base=base,
    )


class _Proof(Secret):
    """Widths that are proved for the cells of a component, and those needed. solved: programs so far."""

    def __init__(self, component: Component, need: Integers, width: Integers, programs: int) -> None:
        self._component, self._need, self.width = component, need, width
        self.solved, self._programs = 0, programs

    @property
    def open(self) -> Flags:
        return self.width < self._need

    def run(self, shape: tuple[int, ...], limits: Limits) -> None:
        """Large components are first searched around each open cell."""
        size = self._need.size
        if size > LOCAL:
            for place in map(int, np.flatnonzero(self.open)):
                if self.open[place]:
                    self._search(around(shape, self._component.cells, place), place)
        if size <= limits.cells and self.open.any():
            self._search(np.arange(size))

    def _search(self, places: Integers, only: int | None = None) -> None:
        """Search until every cell of these is proved wide enough, or its own ends are found; or those of one."""
        search = Search(self._component.only(places), self._programs - self.solved)
        turn, found = 0, WORTH_IT
        while found >= WORTH_IT and self.open[places].any():
            before, turn = int(np.count_nonzero(self.open)), turn + 1
            costs = _direction(self.open[places], turn)
            for sign in (1, -1):
                search.along(sign * costs, FEW)
            self._note(search, places)
            found = before - int(np.count_nonzero(self.open))
        for at in map(int, np.flatnonzero(self.open[places] & ((places == only) | (only is None)))):
            if self.open[places[at]]:
                search.ends(at)
                self._note(search, places)
        self.solved += search.solved

    def _note(self, search: Search, places: Integers) -> None:
        self.width[places] = np.maximum(self.width[places], search.width)


def around(shape: tuple[int, ...], cells: Integers, place: int) -> Integers:
    """Places of the cells all of whose coordinates are those of cells on the lines through one cell.

    cells: flat numbers in the cube. Moves by boxes that have the cell as a corner are all among them.
    """
    at = np.array(np.unravel_index(cells, shape))
    same = at == at[:, [place]]
    within = np.ones(cells.size, np.bool_)
    for axis in range(len(shape)):
        on_line = np.delete(same, axis, 0).all(0)
        within &= np.isin(at[axis], at[axis, on_line])
    return np.flatnonzero(within)


def _direction(cells: Flags, turn: int) -> Floats:
    """Costs between −½ and ½ that mean nothing, others in each turn; 0 outside the cells."""
    return np.where(cells, np.arange(1, cells.size + 1) * GOLDEN * turn % 1 - 0.5, 0.0)
