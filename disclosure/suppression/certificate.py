"""What each hidden cell's interval rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from disclosure.suppression.box import Box
from disclosure.tables import Secret


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Certificate(Secret):
    """While these cells (flat numbers) are hidden, the interval of the one whose certificate it is is at least `width`
    wide, and that of any of them at least `shared`.
    """

    cells: frozenset[int]
    width: int
    shared: int

    @classmethod
    def of(cls, boxes: Sequence[Box]) -> Certificate:
        """Of the cell that goes up in all of them."""
        cells = frozenset(cell for box in boxes for cell in box.cells.tolist())
        width = max(box.up for box in boxes) + max(box.down for box in boxes)
        return cls(cells, width, min(box.up + box.down for box in boxes))


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
