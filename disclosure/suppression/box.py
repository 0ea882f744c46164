"""The cheapest box that protects a cell: all candidates of one cell in a few operations over the whole table.

A box is a tensor product of elementary moves, one per dimension (`moves` has the lemma). Its cost is a sum over its
cells, its `up` and `down` are minima, so they are taken one dimension at a time: an array over (candidates of the
dimensions done, elements of the others) holds the least slack over the plus cells, that over the minus cells and the
cost, and the next dimension joins them for all its moves at once, exchanging plus and minus under its own minus.
Numbers are integers throughout, so that a sum is the same in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from disclosure.cube import Cube
from disclosure.suppression.moves import Moves, Routes
from disclosure.tables import Flags, Integers, Secret

UNBOUNDED = 1 << 40
"""`up` of a box that has no minus cells; no count comes near."""
BLOCKED = 1 << 44
"""Cost of a cell that cannot be hidden, or that the attacker knows; no sum of other costs comes near."""

FEW = 12
"""Moves along each axis among which a first box is looked for."""

Cell = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Box(Secret):
    """cells: flat numbers, the one that it was looked for among the plus cells. up, down: as in the lemma."""

    cells: Integers
    up: int
    down: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Candidates(Secret):
    """Boxes through one cell: arrays with one axis per dimension, moves[k] along axis k."""

    moves: tuple[Moves, ...]
    cost: Integers
    up: Integers
    down: Integers

    def within(self, need: int) -> Flags:
        """Those that can be hidden and are as wide as needed."""
        return (self.up + self.down >= need) & (self.cost < BLOCKED)


def place(cell: int, shape: tuple[int, ...]) -> Cell:
    """Of a flat number."""
    return tuple(int(i) for i in np.unravel_index(cell, shape))


def costs_of(values: Integers) -> Integers:
    """Of hiding each cell: 0.2 + log(1 + x), in 1024ths. Small cells go first, and few cells before many."""
    return np.rint(1024 * (0.2 + np.log1p(values))).astype(np.int64)


class Boxes(Secret):
    """Boxes of one table. Cells that are free (hidden anyway) cost nothing."""

    def __init__(self, cube: Cube, blocked: Flags, free: Flags, floor: int) -> None:
        self._shape = cube.shape
        costs = np.where(blocked | (cube.values < floor), BLOCKED, np.where(free, 0, costs_of(cube.values)))
        beyond = [(0, 1)] * cube.values.ndim
        slack = np.pad(cube.values - floor, beyond, constant_values=UNBOUNDED)
        self._table = np.stack([np.pad(costs, beyond), slack, np.full_like(slack, UNBOUNDED)])
        self._costs, self._slack, self._own = self._table[0], slack, costs_of(cube.values)
        self._routes = [Routes(dimension, _ranks(cube.values, k)) for k, dimension in enumerate(cube.dimensions)]

    def free(self, cells: Integers) -> None:
        """From now on these cost nothing."""
        self._costs[np.unravel_index(cells, self._shape)] = 0

    def charge(self, cells: Integers) -> None:
        """From now on these, which were free, have a cost again."""
        at = np.unravel_index(cells, self._shape)
        self._costs[at] = self._own[at]

    def protect(self, cell: Cell, need: int) -> tuple[Box, ...]:
        """Boxes that prove an interval of `need`, or else the widest that boxes can prove: one, or one for each end.

        None where no box can be hidden. What is free decides which are chosen, never how wide they can be.
        """
        moves = self._possible(cell, need)
        if all(map(len, moves)):
            found = self._join(self._affordable(cell, moves, need))
            if (wide := found.within(need)).any():
                return (self._cheapest(found, wide),)
        return self._widest(cell, need)

    def _widest(self, cell: Cell, need: int) -> tuple[Box, ...]:
        moves = self._possible(cell, 0)
        if not all(map(len, moves)):
            return ()
        found = self._join(moves)
        up, down = (np.where(found.cost < BLOCKED, end, -1) for end in (found.up, found.down))
        if up.max() < 0:
            return ()
        if (wide := found.within(min(need, int(up.max() + down.max())))).any():
            return (self._cheapest(found, wide),)
        return tuple(self._cheapest(found, end == end.max()) for end in (up, down))

    def _possible(self, cell: Cell, need: int) -> list[Moves]:
        """Along each axis, moves that are possible and wide enough in the cell's own line, which is in every box."""
        found = []
        for axis, element in enumerate(cell):
            moves, (costs, slack) = self._routes[axis].through(element), self._line(cell, axis)
            wide = slack[moves.minus].min(1, initial=UNBOUNDED) + slack[moves.plus].min(1) >= need
            found.append(moves.only(np.flatnonzero(wide & (_total(costs, moves) < BLOCKED))))
        return found

    def _affordable(self, cell: Cell, moves: list[Moves], need: int) -> list[Moves]:
        """Without moves that cost more in the cell's own lines than a box that is found among the cheapest of them."""
        own = [_total(self._line(cell, axis)[0], each) for axis, each in enumerate(moves)]
        few = [each.only(np.argsort(cost, kind="stable")[:FEW]) for each, cost in zip(moves, own, strict=True)]
        found = self._join(few)
        if not (wide := found.within(need)).any():
            return moves
        spare = int(found.cost[wide].min()) - sum(int(cost.min()) for cost in own)
        return [each.only(np.flatnonzero(cost <= cost.min() + spare)) for each, cost in zip(moves, own, strict=True)]

    def _line(self, cell: Cell, axis: int) -> tuple[Integers, Integers]:
        """Costs and slacks along one axis; the cell's own cost is left out."""
        line: Any = (*cell[:axis], slice(None), *cell[axis + 1 :])
        costs = self._costs[line].copy()
        costs[cell[axis]] = self._costs[cell] // BLOCKED * BLOCKED
        return costs, self._slack[line]

    def _join(self, moves: list[Moves]) -> Candidates:
        """Dimensions with few moves first: the array is smallest then."""
        order = sorted(range(len(moves)), key=lambda k: len(moves[k]) / self._shape[k])
        found = self._table.transpose([0, *(1 + k for k in order)])
        for done, axis in enumerate(order):
            found = _joined(found, moves[axis], 1 + done)
        cost, down, up = (own.transpose(np.argsort(order)) for own in found)
        return Candidates(tuple(moves), cost, up, down)

    def _cheapest(self, found: Candidates, wanted: Flags) -> Box:
        """Of equal costs the widest, of equal widths the first."""
        cost = np.where(wanted, found.cost, BLOCKED).ravel()
        places = np.flatnonzero(cost == cost.min())
        best = int(places[(found.up + found.down).ravel()[places].argmax()])
        rows = np.unravel_index(best, found.cost.shape)
        chosen = zip(found.moves, rows, self._shape, strict=True)
        elements = [_elements(moves, int(row), size) for moves, row, size in chosen]
        cells = np.ravel_multi_index(np.ix_(*elements), self._shape).ravel()
        return Box(cells, int(found.up.flat[best]), int(found.down.flat[best]))


def _joined(table: Integers, moves: Moves, axis: int) -> Integers:
    """The axis becomes one of moves: under a move's minus, plus and minus cells change their places."""
    found = _over(table, moves.plus, axis)
    if moves.minus.shape[1]:
        other = _over(table, moves.minus, axis)
        found[0] += other[0]
        np.minimum(found[1:], other[:0:-1], out=found[1:])
    return found


def _over(table: Integers, rows: Integers, axis: int) -> Integers:
    """Costs (first) added and slacks (the others) compared over the elements of each row."""
    before: Any = (slice(None),) * axis
    found: Integers = table[(*before, rows[:, 0])]
    for column in rows.T[1:]:
        other = table[(*before, column)]
        found[0] += other[0]
        np.minimum(found[1:], other[1:], out=found[1:])
    return found


def _total(costs: Integers, moves: Moves) -> Integers:
    return np.asarray(costs[moves.plus].sum(1) + costs[moves.minus].sum(1))


def _elements(moves: Moves, row: int, size: int) -> Integers:
    both = np.concatenate([moves.plus[row], moves.minus[row]])
    return both[both < size]


def _ranks(values: Integers, axis: int) -> list[int]:
    """Elements with the largest sums first."""
    sums = values.sum(tuple(k for k in range(values.ndim) if k != axis))
    ranks = np.empty(sums.size, np.int64)
    ranks[np.argsort(-sums, kind="stable")] = np.arange(sums.size)
    return [int(rank) for rank in ranks]
