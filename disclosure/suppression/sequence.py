"""Patterns of one table that grow with its smallest cells: the steps by which a stricter policy only ever hides more.

Step s hides every cell with a value of at most s and protects it to a width of s, starting from what the step before
hides. It depends on the table, on what is known of it and on s, and on no policy: so the pattern for a threshold of t,
which is that of step t − 1, contains the pattern for every lower threshold, whatever was chosen on the way.

In a small table each step then shows what it has hidden itself and does not need (`thin`).
"""

from __future__ import annotations

import numpy as np

from disclosure.suppression.box import Box, Boxes, place
from disclosure.suppression.certificate import Certificate, Certificates
from disclosure.suppression.problem import Problem
from disclosure.suppression.thin import Moving, thinned
from disclosure.tables import Flags, Integers, Secret

SMALL = 64
"""Hidden cells up to which a step is thinned out."""


class Sequence(Secret):
    """hidden: flags of the cells that the steps so far hide, flat. Earlier hidden ones have a width of 1."""

    def __init__(self, problem: Problem) -> None:
        cube = problem.cube
        self._cube, self._floor, self._values = cube, problem.floor, cube.values.ravel()
        self._open = (~problem.known & (cube.values >= problem.floor)).ravel()
        self._boxes = Boxes(cube, problem.known, problem.hidden, problem.floor)
        self.certificates = Certificates()
        self.hidden = problem.hidden.ravel().copy()
        self._grow(self.hidden & self._open, 1)

    def step(self, size: int) -> None:
        self._grow(self._open & (self._values <= size), max(1, size))

    @property
    def widths(self) -> Integers:
        """That the certificates prove, flat."""
        found = np.zeros(self.hidden.size, np.int64)
        for cell in np.flatnonzero(self.hidden).tolist():
            found[cell] = self.certificates[cell].width
        return found

    def _grow(self, small: Flags, need: int) -> None:
        kept = self.hidden | small
        self.hidden = kept.copy()
        self._boxes.free(np.flatnonzero(small))
        self._protect(small, need)
        if np.count_nonzero(self.hidden) <= SMALL:
            self._thin(kept, np.where(small, need, 1))

    def _protect(self, cells: Flags, need: int) -> None:
        """Small cells first. A cell that another one's box protects has no box of its own."""
        places = np.flatnonzero(cells)
        for cell in places[np.argsort(self._values[places], kind="stable")].tolist():
            if self.certificates[cell].width < need:
                self._hide(cell, self._boxes.protect(place(cell, self._cube.shape), need))

    def _hide(self, cell: int, boxes: tuple[Box, ...]) -> None:
        for box in boxes:
            self.hidden[box.cells] = True
            self._boxes.free(box.cells)
            shared = Certificate.of([box])
            for other in box.cells.tolist():
                self._keep(other, shared)
        if boxes:
            self._keep(cell, Certificate.of(boxes))

    def _keep(self, cell: int, certificate: Certificate) -> None:
        if certificate.width > self.certificates[cell].width:
            self.certificates.put(cell, certificate)

    def _thin(self, kept: Flags, need: Integers) -> None:
        """Large cells are tried first."""
        added = np.flatnonzero(self.hidden & ~kept)
        moving = Moving(self._cube, (self.hidden & self._open).reshape(self._cube.shape), self._floor)
        order = added[np.argsort(-self._values[added], kind="stable")]
        shown = thinned(moving, order.tolist(), np.minimum(need, self.widths), self.certificates)
        self.hidden[shown] = False
        self._boxes.charge(np.array(shown, np.int64))
