"""Small tables with totals for the tests of suppression, and an attacker who tries all tables one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product

import numpy as np

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.suppression.problem import Pattern, Problem
from disclosure.tables import Flags, Integers

Cell = tuple[int, ...]


def plain(*sizes: int) -> tuple[Dimension, ...]:
    return tuple(Dimension.of(Chain.plain(size)) for size in sizes)


def flags(shape: tuple[int, ...], cells: Collection[Cell]) -> Flags:
    found = np.zeros(shape, np.bool_)
    for cell in cells:
        found[cell] = True
    return found


def problem(
    dimensions: Sequence[Dimension],
    codes: object,
    primary: Collection[Cell] = (),
    *,
    known: Collection[Cell] = (),
    floor: int = 0,
    width: int = 1,
) -> Problem:
    """codes: values of all codes. Cells below the floor are known."""
    cube = Cube(tuple(dimensions), add_totals(np.array(codes, np.int64), dimensions))
    shape = cube.shape
    return Problem(
        cube,
        flags(shape, primary),
        np.zeros(shape, np.bool_),
        flags(shape, known) | (cube.values < floor),
        floor,
        np.full(shape, width, np.int64),
    )


def pattern(hidden: Flags) -> Pattern:
    """Nothing certified: all is left to the audit."""
    return Pattern(hidden, np.zeros(hidden.shape, np.int64))


def every_table(problem: Problem, hidden: Flags) -> Integers:
    """All tables that an attacker cannot exclude, along the last axis; the total of all is shown.

    It tries all values of the hidden codes up to the greatest number there is, adds up and compares.
    """
    cube = problem.cube
    at = np.ix_(*[dimension.codes for dimension in cube.dimensions])
    codes, open_ = cube.values[at], (hidden & ~problem.known)[at]
    tries = list(product(range(int(cube.values.max()) + 1), repeat=int(open_.sum())))
    tables = np.repeat(codes[..., None], len(tries), -1)
    tables[open_] = np.array(tries, np.int64).reshape(len(tries), -1).T
    full = add_totals(tables, cube.dimensions)
    fits = np.ones(len(tries), np.bool_)
    for axis, dimension in enumerate(cube.dimensions):
        for line in dimension.lines:
            off = full.take(line.parts, axis).sum(axis) != full.take(line.total, axis)
            fits &= ~off.reshape(-1, len(tries)).any(0)
    known = ~hidden | problem.known
    fits &= (full[known] == cube.values[known][:, None]).all(0) & (full[~known] >= problem.floor).all(0)
    return full[..., fits]
