"""Controlled rounding: every number of a table a multiple of the base, every total exactly the sum of its parts.

Let x be a cell, base·f the multiple of the base below it and y the number of bases by which the released number exceeds
that. Strictly (zero-restricted), y is 0 or 1, and 0 for multiples: so each number moves by less than a base. What is
least is the sum of |released − x| over all cells of all margins.

Theorem. In a two-way table of which at most one dimension has levels between its codes and its total, a strict rounding
exists, and every vertex of the linear program's solution set is one. Proof: y = (x − base·f) / base satisfies all
constraints, so the program is feasible and bounded. What it bounds are sums of y over sets of inner cells. Say the rows
have levels. The sets (element of the rows) × (one column) form a forest, any two being nested or disjoint; the sets
(element of the rows) × (all columns) form a tree, with the total at its root. Let y flow down the forest from a common
root, each set on an arc from the set above it; from its smallest set there on an arc of its own, the inner cell, to its
smallest set of the tree; and up the tree. Each number of the table is then the flow on one arc. So the program is one
of a flow with whole bounds, whose vertices are whole (Hoffman & Kruskal 1956). ∎ For plain two-way tables this is
Bacharach (Management Science 12, 1966) and Causey, Cox & Ernst (JASA 80, 1985). With three dimensions, or levels in
both, there may be no strict rounding at all (Causey, Cox & Ernst, 1985).

So nothing is taken on trust: the program is solved by the simplex method; if its vertex is whole, that is the answer;
if not, or if there is no strict answer, by branch and bound, first strictly, then with numbers up to two and three
bases away. The answer is checked in integers. It is deterministic: a time limit can only refuse, never choose another
table. It is not unbiased (Cox, JASA 82, 1987, makes an unbiased one of two-way tables, by drawing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from disclosure.cube import Cube
from disclosure.tables import Flags, Floats, Integers

MOST_CELLS = 50_000
MOST_CELLS_BRANCHED = 5_000
"""Where the linear program alone may not do: tables of three dimensions, and others whose vertex is not whole."""
SECONDS = 60.0
_FARTHEST = 2
"""Bases beyond the strict ones that a number may move if there is no other way."""
_GAP = 0.1
"""How far the sum of changes may be from its least, relatively, in branch and bound."""
_WHOLE = 1e-6
_SOLVED, _IMPOSSIBLE = 0, 2


class CannotRound(Exception):
    """No additive rounding was found within the limits. `reason` is for people and tells nothing of the data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """Cells that an earlier release has shown, and what it showed: flags, and int64 of the same shape."""

    shown: Flags
    values: Integers


def controlled(cube: Cube, base: int, published: Published | None = None, seconds: float = SECONDS) -> Integers:
    """The additive rounding of a whole table that changes least; raises CannotRound.

    seconds: for one run of the solver; there are one or two for each number of bases that is tried.
    """
    _check_size(cube, MOST_CELLS)
    if sum(len(dimension.codes) > 1 for dimension in cube.dimensions) > 2:
        _check_size(cube, MOST_CELLS_BRANCHED)
    for reach in range(_FARTHEST + 1):
        found = _solve(_program(cube, base, published, reach), cube, seconds)
        if found is not None:
            return _checked(cube, found * base)
    raise CannotRound(f"no rounding that adds up has every number within {base * (_FARTHEST + 1)} of the truth")


def _checked(cube: Cube, rounded: Integers) -> Integers:
    """The same, once all totals were found to be sums; a solver is not believed."""
    try:
        return Cube(cube.dimensions, rounded).values
    except ValueError:
        raise CannotRound("the solver's rounding does not add up") from None


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """y = middle + up − down, three blocks of unknowns. whole: what is added to y, in bases."""

    whole: Integers
    cost: Floats
    lines: scipy.sparse.csr_array
    right: Integers
    low: Integers
    high: Integers


def _program(cube: Cube, base: int, published: Published | None, reach: int) -> _Program:
    whole, left = np.divmod(cube.values.ravel(), base)
    middle_low, middle_high = np.zeros_like(whole), (left > 0).astype(np.int64)
    far = np.full_like(whole, reach)
    if published is not None:
        shown = published.shown.ravel()
        fixed = _in_bases(cube, base, published)[shown] - whole[shown]
        middle_low[shown] = middle_high[shown] = fixed
        far[shown] = 0
    lines = _lines(cube)
    nothing = np.zeros_like(far)
    # Without reach the blocks up and down are not there at all.
    blocks = [lines, lines, -lines][: 3 if reach else 1]
    size = len(blocks) * whole.size
    return _Program(
        whole,
        np.concatenate([base - 2 * left, np.full(2 * whole.size, base)])[:size].astype(np.float64),
        scipy.sparse.csr_array(scipy.sparse.hstack(blocks)),
        -(lines @ whole),
        np.concatenate([middle_low, nothing, nothing])[:size],
        np.concatenate([middle_high, far, np.minimum(far, whole)])[:size],
    )


def _in_bases(cube: Cube, base: int, published: Published) -> Integers:
    values = published.values
    if published.shown.shape != cube.shape or values.shape != cube.shape or values.dtype != np.int64:
        raise ValueError(f"want flags and int64 values of {cube.shape}")
    if (values[published.shown] % base).any() or (values[published.shown] < 0).any():
        raise ValueError("published: wants multiples of the base, none below 0")
    return values.ravel() // base


def _lines(cube: Cube) -> scipy.sparse.csr_array:
    """One row for each line in each place of the other dimensions: parts less total, which is to be 0."""
    places = np.arange(cube.values.size).reshape(cube.shape)
    rows, columns, signs, count = [], [], [], 0
    for axis, dimension in enumerate(cube.dimensions):
        for line in dimension.lines:
            members = places.take((*line.parts, line.total), axis)
            members = np.moveaxis(members, axis, 0).reshape(len(line.parts) + 1, -1)
            rows.append(np.broadcast_to(count + np.arange(members.shape[1]), members.shape).ravel())
            columns.append(members.ravel())
            signs.append(np.repeat([1] * len(line.parts) + [-1], members.shape[1]))
            count += members.shape[1]
    if not rows:
        return scipy.sparse.csr_array((0, places.size), dtype=np.int64)
    entries = (np.concatenate(rows), np.concatenate(columns))
    return scipy.sparse.csr_array((np.concatenate(signs), entries), shape=(count, places.size))


def _solve(program: _Program, cube: Cube, seconds: float) -> Integers | None:
    """Numbers in bases, or None if there are none."""
    found = _run(program, 0, seconds)
    if found.status == _SOLVED and not _is_whole(found.x):
        _check_size(cube, MOST_CELLS_BRANCHED)
        found = _run(program, 1, seconds)
    if found.status == _IMPOSSIBLE:
        return None
    if found.status != _SOLVED:
        raise CannotRound("no additive rounding was found in time; take coarser groups or fewer dimensions")
    blocks = np.rint(found.x).astype(np.int64).reshape(-1, program.whole.size)
    signs = np.array([1, 1, -1], np.int64)[: len(blocks)]
    bases: Integers = program.whole + signs @ blocks
    return bases.reshape(cube.shape)


def _run(program: _Program, integrality: int, seconds: float) -> scipy.optimize.OptimizeResult:
    """The linear program (integrality 0) or the one in whole numbers (1), by HiGHS."""
    return scipy.optimize.milp(
        program.cost,
        integrality=np.full(program.cost.size, integrality),
        bounds=scipy.optimize.Bounds(program.low, program.high),
        constraints=scipy.optimize.LinearConstraint(program.lines, program.right, program.right),
        options={"time_limit": seconds, "mip_rel_gap": _GAP},
    )


def _is_whole(x: Floats) -> bool:
    return bool((np.abs(x - np.rint(x)) < _WHOLE).all())


def _check_size(cube: Cube, most: int) -> None:
    if cube.values.size > most:
        raise CannotRound(f"no table of this kind with more than {most} cells; take coarser groups or fewer dimensions")
