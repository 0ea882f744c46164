"""An order of a table's elements that depends on what the table says and not on how its rows and columns stand.

Where two candidates cost the same, the first is taken. So tables are put in an order of their own first, and the
pattern is put back afterwards: a table whose rows, columns or labels are permuted has the same pattern, permuted.

Elements are told apart by colour refinement (as for graphs, Weisfeiler and Leman 1968): an element's colour is made of
the numbers in its cells with the colours of the other elements that make up each cell, of the total above it and of the
parts below it, until no more elements can be told apart. Twins, codes of one line with the same numbers, then stand as
they stood; exchanging them changes nothing of the table. So do elements that are still alike after that, if any: one is
set apart and colours are refined again, at most `APART` times. Where twins are permuted, the pattern is the same up to
that exchange.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from disclosure.cube import Dimension, Line
from disclosure.tables import Integers

Colours = npt.NDArray[np.uint64]
Order = tuple[Integers, ...]

APART = 64
ODD = tuple(np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


def mixed(numbers: Colours) -> Colours:
    """Each sent to another one, far away (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    found = numbers + ODD[0]
    found = (found ^ (found >> np.uint64(30))) * ODD[1]
    found = (found ^ (found >> np.uint64(27))) * ODD[2]
    return np.asarray(found ^ (found >> np.uint64(31)), np.uint64)


def canonical(dimensions: Sequence[Dimension], content: Integers) -> Order:
    """For each dimension its elements in the order of their own, totals after their parts.

    content: one number per cell, int64 of the cube's shape, in which all that tells cells apart has been put.
    """
    cells = mixed(content.astype(np.uint64))
    colours = _refined(dimensions, cells, [np.zeros(dimension.size, np.uint64) for dimension in dimensions])
    twins = [_twins(dimension, content, axis) for axis, dimension in enumerate(dimensions)]
    colours = _refined(dimensions, cells, [mixed(a + b) for a, b in zip(colours, twins, strict=True)])
    for _ in range(APART):
        alike = [(axis, element) for axis, own in enumerate(colours) if (element := _alike(own)) is not None]
        if not alike:
            break
        axis, element = alike[0]
        colours[axis][[element]] = mixed(colours[axis][[element]] + ODD[0])
        colours = _refined(dimensions, cells, colours)
    return tuple(
        np.lexsort((own, _heights(dimension))).astype(np.int64)
        for dimension, own in zip(dimensions, colours, strict=True)
    )


def reordered(dimension: Dimension, order: Integers) -> Dimension:
    """The same dimension, with element order[i] in place i."""
    place = np.argsort(order)
    lines = [Line(int(place[x.total]), tuple(sorted(int(place[part]) for part in x.parts))) for x in dimension.lines]
    return Dimension(dimension.size, tuple(sorted(lines, key=lambda line: (line.total, line.parts))))


def _refined(dimensions: Sequence[Dimension], cells: Colours, colours: list[Colours]) -> list[Colours]:
    """Until a round tells no more elements apart."""
    kinds = 0
    while (told := sum(np.unique(own).size for own in colours)) > kinds:
        kinds = told
        whole = cells
        for axis, own in enumerate(colours):
            along = [1] * cells.ndim
            along[axis] = own.size
            whole = mixed(whole + own.reshape(along))
        colours = [_recoloured(d, whole, axis, colours[axis]) for axis, d in enumerate(dimensions)]
    return colours


def _recoloured(dimension: Dimension, cells: Colours, axis: int, own: Colours) -> Colours:
    sums = cells.sum(tuple(k for k in range(cells.ndim) if k != axis), dtype=np.uint64)
    below, above = np.zeros_like(own), np.zeros_like(own)
    for line in dimension.lines:
        parts = list(line.parts)
        together = mixed(mixed(own[parts]).sum(keepdims=True, dtype=np.uint64))
        below[[line.total]] += together
        above[parts] = mixed(mixed(own[[line.total]]) + together)
    return mixed(mixed(mixed(mixed(own) + sums) + below) + above)


def _twins(dimension: Dimension, content: Integers, axis: int) -> Colours:
    """How many of its twins stand before each element."""
    found, seen = np.zeros(dimension.size, np.uint64), dict[tuple[int, bytes], int]()
    codes, rows = set(dimension.codes), np.moveaxis(content, axis, 0)
    for number, line in enumerate(dimension.lines):
        for part in line.parts:
            if part in codes:
                kind = (number, rows[part].tobytes())
                found[part] = seen.get(kind, 0)
                seen[kind] = seen.get(kind, 0) + 1
    return found


def _alike(colours: Colours) -> int | None:
    """The first element of the first colour that several have."""
    kinds, first, counts = np.unique(colours, return_index=True, return_counts=True)
    several = np.flatnonzero(counts > 1)
    return int(first[several[0]]) if kinds.size and several.size else None


def _heights(dimension: Dimension) -> Integers:
    found = np.zeros(dimension.size, np.int64)
    for line in sorted(dimension.lines, key=lambda line: line.total):
        found[line.total] = max(found[line.total], 1 + int(found[list(line.parts)].max()))
    return found
