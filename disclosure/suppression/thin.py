"""Hidden cells of a small table that are not needed are shown again.

Boxes have more cells than need be: the attacker's tables move along cycles of any form. A cell is shown again if each
cell whose certificate rests on it has another one without it, which a linear program finds: the greatest and the least
move of that cell over those cells that are still hidden. As in `attacker` (lemma 1) a move counts only once it is
rounded to integers and checked, for lines and bounds, in integers.
"""

from __future__ import annotations

import numpy as np

from disclosure.cube import Cube
from disclosure.suppression.attacker import REACH
from disclosure.suppression.certificate import NOTHING, Certificate, Certificates
from disclosure.suppression.equations import equations
from disclosure.suppression.highs import WHOLE, Program
from disclosure.tables import Flags, Integers, Secret


class Moving(Secret):
    """Moves of hidden cells, which are flags of the cube's shape, each known to be at least `floor`."""

    def __init__(self, cube: Cube, hidden: Flags, floor: int) -> None:
        self._cells = np.flatnonzero(hidden)
        self._place = {int(cell): place for place, cell in enumerate(self._cells)}
        self._lines = equations(cube.dimensions, hidden)
        self._lower = np.maximum(floor - cube.values.ravel()[self._cells], -REACH)
        self._program = Program(self._lines, self._lower, np.full_like(self._lower, REACH))
        self._shown: dict[int, int] = {}

    def show(self, cell: int) -> None:
        self._shown[self._place[cell]] = 0

    def hide(self, cell: int) -> None:
        del self._shown[self._place[cell]]

    def certificate(self, cell: int, need: int) -> Certificate | None:
        """Of a width of at least `need`, if there is one of integers."""
        width, cells = 0, set[int]()
        for sign in (1.0, -1.0):
            move = self._furthest(self._place[cell], sign)
            if move is not None and move[self._place[cell]]:
                width += abs(int(move[self._place[cell]]))
                cells.update(self._cells[np.flatnonzero(move)].tolist())
            if width >= need:
                return Certificate(frozenset(cells), width, 1)
        return None

    def _furthest(self, place: int, sign: float) -> Integers | None:
        costs = np.zeros(self._cells.size)
        costs[place] = sign
        move = self._program.maximise(costs, self._shown)
        found = np.rint(move).astype(np.int64)
        sums = np.asarray(self._lines @ found)
        whole = (np.abs(move - found) <= WHOLE).all() and not sums.any()
        within = (found >= self._lower).all() and (found <= REACH).all() and not found[list(self._shown)].any()
        return found if whole and within else None


def thinned(moving: Moving, candidates: list[int], need: Integers, certificates: Certificates) -> list[int]:
    """Which candidates (flat numbers, in the order in which they are tried) are shown again.

    need: of every cell, flat, the least width. Candidates themselves need none: one that stays hidden is in a move of
    another cell, so it has a width of at least 1. Certificates are changed so that none rests on cells shown.
    """
    for candidate in candidates:
        certificates.put(candidate, NOTHING)
    left, before = list(candidates), len(candidates) + 1
    while len(left) < before:
        before = len(left)
        left = [cell for cell in left if not _shown(moving, cell, need, certificates)]
    for cell in left:
        shared = certificates[certificates.resting_on(cell)[0]]
        certificates.put(cell, Certificate(shared.cells, shared.shared, shared.shared))
    return [cell for cell in candidates if cell not in set(left)]


def _shown(moving: Moving, cell: int, need: Integers, certificates: Certificates) -> bool:
    moving.show(cell)
    found = []
    for other in certificates.resting_on(cell):
        certificate = moving.certificate(other, int(need[other]))
        if certificate is None:
            moving.hide(cell)
            return False
        found.append((other, certificate))
    for other, certificate in found:
        certificates.put(other, certificate)
    return True
