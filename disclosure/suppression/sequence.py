"""Patterns of one table that grow with its smallest cells: the steps by which a stricter policy only ever hides more.

Step s hides every cell with a value of at most s and protects it to a width of s, starting from what the step before
hides. It depends on the table, on what is known of it and on s, and on no policy: so the pattern for a threshold of t,
which is that of step t − 1, contains the pattern for every lower threshold, whatever was chosen on the way.

For each hidden cell a certificate is kept: cells that, all hidden, prove its interval (`moves`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from disclosure.suppression.box import Box, Boxes
from disclosure.suppression.problem import Problem
from disclosure.tables import Flags, Integers, Secret


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Certificate(Secret):
    """While these cells (flat numbers) are hidden, the interval of the one whose certificate it is is at least `width`
    wide, and that of any of them at least `shared`.
    """

    cells: frozenset[int]
    width: int
    shared: int

    @classmethod
    def of(cls, boxes: Iterable[Box]) -> Certificate:
        """Of the cell that goes up in all of them."""
        found = list(boxes)
        cells = frozenset(cell for box in found for cell in box.cells.tolist())
        width = max(box.up for box in found) + max(box.down for box in found)
        return cls(cells, width, min(box.up + box.down for box in found))


NOTHING = Certificate(frozenset(), 0, 0)


class Certificates(Secret):
    """Of the hidden cells, and which of them rest on which cell."""

    def __init__(self) -> None:
        self._own: dict[int, Certificate] = {}
        self._users: defaultdict[int, set[int]] = defaultdict(set)

    def __getitem__(self, cell: int) -> Certificate:
        return self._own.get(cell, NOTHING)

    def put(self, cell: int, certificate: Certificate) -> None:
        for other in self[cell].cells:
            self._users[other].discard(cell)
        self._own[cell] = certificate
        for other in certificate.cells:
            self._users[other].add(cell)

    def resting_on(self, cell: int) -> list[int]:
        return sorted(self._users[cell])


class Sequence(Secret):
    """hidden: flags of the cells that the steps so far hide, flat. Earlier hidden ones have a width of 1."""

    def __init__(self, problem: Problem) -> None:
        values = problem.cube.values
        self.open = (~problem.known & (values >= problem.floor)).ravel()
        self.hidden = problem.hidden.ravel().copy()
        self.certificates = Certificates()
        self._values, self._shape = values.ravel(), values.shape
        self._boxes = Boxes(problem.cube, problem.known, problem.hidden, problem.floor)
        self._protect(self.hidden & self.open, 1)

    def step(self, size: int) -> None:
        small = self.open & (self._values <= size)
        self.hidden |= small
        self._boxes.free(np.flatnonzero(small))
        self._protect(small, max(1, size))

    def _protect(self, cells: Flags, need: int) -> None:
        """Small cells first. A cell that another one's box protects has no box of its own."""
        places = np.flatnonzero(cells)
        for cell in places[np.argsort(self._values[places], kind="stable")].tolist():
            if self.certificates[cell].width < need:
                at = tuple(int(i) for i in np.unravel_index(cell, self._shape))
                boxes = self._boxes.protect(at, need)
                if boxes:
                    self._hide(cell, boxes)

    def _hide(self, cell: int, boxes: tuple[Box, ...]) -> None:
        for box in boxes:
            self.hidden[box.cells] = True
            self._boxes.free(box.cells)
            shared = Certificate.of([box])
            for other in box.cells.tolist():
                self._keep(other, shared)
        self._keep(cell, Certificate.of(boxes))

    def _keep(self, cell: int, certificate: Certificate) -> None:
        if certificate.width > self.certificates[cell].width:
            self.certificates.put(cell, certificate)

    @property
    def widths(self) -> Integers:
        found = np.zeros(self.hidden.size, np.int64)
        for cell in np.flatnonzero(self.hidden).tolist():
            found[cell] = self.certificates[cell].width
        return found
