"""An attacker with a textbook linear program, for tables by one or two variables with all their totals.

It shares no code with the audit. In such a table the matrix of the sums is that of a network, so the program's ends are
those of an attacker who knows that counts are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

Cell = tuple[str | None, ...]
"""A code for each variable, None where it is added up."""
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True, repr=False)
class Attacker:
    """bounds: of every cell what is known of it alone, totals among them. The attacker adds up what must add up."""

    bounds: Mapping[Cell, Ends]

    def intervals(self, cells: Iterable[Cell]) -> dict[Cell, Ends]:
        lines, places = self._lines(), {cell: i for i, cell in enumerate(self.bounds)}
        return {cell: (self._end(lines, places[cell], 1), self._end(lines, places[cell], -1)) for cell in cells}

    def widths(self, cells: Iterable[Cell]) -> dict[Cell, float]:
        return {cell: most - least for cell, (least, most) in self.intervals(cells).items()}

    def _end(self, lines: sparse.csr_array, place: int, sign: int) -> float:
        costs = np.zeros(len(self.bounds))
        costs[place] = sign
        solved = linprog(costs, A_eq=lines, b_eq=np.zeros(lines.shape[0]), bounds=list(self.bounds.values()))
        if solved.status != 0:
            raise AssertionError("what the attacker knows is true, so some table fits")
        return sign * float(solved.fun)

    def _lines(self) -> sparse.csr_array:
        places = {cell: i for i, cell in enumerate(self.bounds)}
        parts: dict[tuple[Cell, int], list[int]] = {}
        for cell, place in places.items():
            for axis, code in enumerate(cell):
                if code is not None:
                    parts.setdefault(((*cell[:axis], None, *cell[axis + 1 :]), axis), []).append(place)
        matrix: npt.NDArray[np.float64] = np.zeros((len(parts), len(places)))
        for row, ((total, _), own) in enumerate(parts.items()):
            matrix[row, own], matrix[row, places[total]] = 1, -1
        return sparse.csr_array(matrix)
