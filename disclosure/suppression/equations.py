"""The lines of a cube as linear equations over those of its cells that are not known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
import scipy

from disclosure.cube import Dimension
from disclosure.tables import Flags, Integers

Matrix: TypeAlias = "scipy.sparse.csr_array[np.int64, tuple[int, int]]"
EMPTY = np.zeros(0, np.int64)


def equations(dimensions: Sequence[Dimension], unknown: Flags) -> Matrix:
    """One row for each line that holds an unknown cell, +1 at parts and −1 at the total; a column for each of them.

    unknown: flags of the cube's shape; columns stand in its row-major order. A move of the unknown cells keeps all that
    is known exactly if every row gives 0 for it.
    """
    place = np.full(unknown.shape, -1, np.int64)
    place[unknown] = np.arange(np.count_nonzero(unknown))
    rows, columns, signs, height = [EMPTY], [EMPTY], [EMPTY], 0
    for cells in _lines(dimensions, place):
        member, line = np.nonzero(cells >= 0)
        rows.append(height + line)
        columns.append(cells[member, line])
        signs.append(np.where(member == len(cells) - 1, -1, 1))
        height += cells.shape[1]
    shape = (height, int(np.count_nonzero(unknown)))
    found: Matrix = scipy.sparse.csr_array((_joined(signs), (_joined(rows), _joined(columns))), shape)
    return found[np.diff(found.indptr) > 0]


def _joined(parts: Sequence[Integers]) -> Integers:
    return np.concatenate(parts).astype(np.int64)


def _lines(dimensions: Sequence[Dimension], place: Integers) -> Iterator[Integers]:
    """For every line of every dimension: its parts and, last, its total, at all coordinates of other dimensions."""
    for axis, dimension in enumerate(dimensions):
        along = np.moveaxis(place, axis, 0)
        for line in dimension.lines:
            yield along[[*line.parts, line.total]].reshape(len(line.parts) + 1, -1)


def determined(lines: Matrix) -> Flags:
    """Unknowns that are given away by a line in which all others are known, one after the other."""
    entries, known = abs(lines), np.zeros(lines.shape[1], np.bool_)
    while True:
        alone = (entries @ (~known).astype(np.int64)) == 1
        found = ((entries.T @ alone.astype(np.int64)) > 0) & ~known
        if not found.any():
            return known
        known |= found


def components(lines: Matrix) -> Integers:
    """For each unknown, the number of its component: no line joins unknowns of two components."""
    neighbours = abs(lines).T @ abs(lines)
    _, labels = scipy.sparse.csgraph.connected_components(neighbours, directed=False)
    return np.asarray(labels, np.int64)
