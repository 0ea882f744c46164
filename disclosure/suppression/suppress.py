"""Which cells to hide so that no primary cell's interval is narrower than asked.

The pattern is a union of parts that each depend on the table and on one thing that a policy asks:

* step s of the table's own sequence (`sequence`), where s is the largest value of the primary cells below which every
  cell is primary, or their width if that is more, but no more than `STEPS`;
* for each other primary cell, certificates: those that the sequence has for it, or boxes of its own where it is larger
  than `STEPS`, of each width up to that asked.

Lemma. More primary cells or wider intervals, of widths up to `STEPS`, never show a cell that was hidden. Proof. More
primary cells leave s as it is or raise it, and so do wider intervals; the sequence only grows. Another primary cell's
certificates depend on the table, the cell and its width alone, and a larger width adds to them; if the cell falls under
the sequence, at a step no earlier than its value, the sequence holds them already. ∎

The lemma is of boxes. Where they do not prove every width, more is hidden by linear programs (`repair`), which promises
nothing of the kind; nor does the optimal method. Wider intervals than `STEPS` are asked of sums, in proportion to each.
They come last and share what is hidden, so that less is hidden; the lemma does not hold for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence as Several
from dataclasses import dataclass

import numpy as np

from disclosure.cube import Cube, Dimension
from disclosure.suppression.box import Boxes, place
from disclosure.suppression.certificate import Certificate
from disclosure.suppression.optimal import optimal
from disclosure.suppression.order import Order, canonical, reordered
from disclosure.suppression.problem import CannotProtect, Method, Pattern, Problem
from disclosure.suppression.repair import repaired
from disclosure.suppression.sequence import Sequence
from disclosure.tables import Flags, Integers, Secret

STEPS = 20
"""Values and widths up to which the sequence goes. Thresholds are below it."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of the tables that are tried at all."""

    dimensions: int = 4
    cells: int = 50_000

    def check(self, dimensions: Several[Dimension]) -> None:
        if len(dimensions) > self.dimensions:
            raise CannotProtect(f"at most {self.dimensions} dimensions can be protected together; fewer would pass")
        sizes = [dimension.size for dimension in dimensions]
        if math.prod(sizes) > self.cells:
            raise CannotProtect(
                f"{math.prod(sizes)} cells with all totals, at most {self.cells} can be protected together; "
                f"{_coarser(dimensions)} or fewer dimensions would pass"
            )


def suppress(problem: Problem, method: Method = Method.BOX, size: Size | None = None) -> Pattern:
    """A pattern that hides all primary and earlier hidden cells, and proves each primary one's width.

    Deterministic. CannotProtect where neither boxes nor repairs can, or the table is larger than `size`.
    """
    if method is Method.NONE:
        return Pattern(problem.primary | problem.hidden, np.zeros(problem.cube.shape, np.int64))
    (size or Size()).check(problem.cube.dimensions)
    if (problem.primary & (problem.known | (problem.cube.values < problem.floor))).any():
        raise CannotProtect("a cell to be hidden was shown before; the rules of that time would pass")
    order = canonical(problem.cube.dimensions, _content(problem))
    choose = optimal if method is Method.OPTIMAL else _protected
    return _put_back(choose(_ordered(problem, order)), order)


class _Union(Secret):
    """Of parts of a pattern: hidden cells and what is proved of them, flat."""

    def __init__(self, size: int) -> None:
        self.hidden, self.certified = np.zeros(size, np.bool_), np.zeros(size, np.int64)

    def add(self, sequence: Sequence) -> None:
        self.hidden |= sequence.hidden
        self.certified = np.maximum(self.certified, sequence.widths)

    def take(self, cell: int, certificate: Certificate) -> None:
        cells = list(certificate.cells)
        self.hidden[cells] = True
        self.certified[cells] = np.maximum(self.certified[cells], certificate.shared)
        self.certified[cell] = max(int(self.certified[cell]), certificate.width)


def _protected(problem: Problem) -> Pattern:
    pattern = boxes(problem)
    enough = pattern.certified >= np.where(problem.primary, problem.width, problem.hidden & ~problem.known)
    return pattern if enough.all() else repaired(problem, pattern)[0]


def boxes(problem: Problem) -> Pattern:
    """The pattern of the lemma, which is certified as far as boxes can."""
    values, width = problem.cube.values.ravel(), np.minimum(problem.width.ravel(), STEPS)
    last, small = _split(problem)
    found, sequence = _Union(values.size), Sequence(problem)
    found.add(sequence)
    until = {cell: max(int(values[cell]), int(width[cell])) for cell in small}
    for size in range(problem.floor, max([last, *until.values()]) + 1):
        sequence.step(size)
        if size == last:
            found.add(sequence)
        for cell in small:
            if values[cell] <= size <= until[cell]:
                found.take(cell, sequence.certificates[cell])
    _add_own(problem, found)
    _add_wide(problem, found)
    found.hidden |= problem.primary.ravel()
    shape = problem.cube.shape
    return Pattern(found.hidden.reshape(shape), np.where(found.hidden, found.certified, 0).reshape(shape))


def _split(problem: Problem) -> tuple[int, list[int]]:
    """The last step that the primary cells ask for (below the floor: none), and small cells that it leaves."""
    values, primary = problem.cube.values, problem.primary
    shown = ~problem.known & (values >= problem.floor) & ~primary
    core = primary & (values < values[shown].min(initial=STEPS + 1))
    asked = np.maximum(values, np.where(problem.width <= STEPS, problem.width, 1))[core]
    last = int(asked.max(initial=problem.floor - 1))
    return last, [int(cell) for cell in np.flatnonzero(primary & ~core & (values <= STEPS))]


def _add_own(problem: Problem, found: _Union) -> None:
    """Boxes of their own for cells that no step of the sequence reaches: small cells first."""
    values, width = problem.cube.values, problem.width
    own = Boxes(problem.cube, problem.known, problem.hidden, problem.floor)
    for cell in _ascending(problem.primary & (values > STEPS) & (width <= STEPS), values):
        best = 0
        for need in range(1, int(width.flat[cell]) + 1):
            if best < need and (chosen := own.protect(place(cell, values.shape), need)):
                certificate = Certificate.of(chosen)
                found.take(cell, certificate)
                best = certificate.width


def _add_wide(problem: Problem, found: _Union) -> None:
    """Boxes that share cells with all that is hidden, for intervals wider than any step's: small cells first."""
    values, width = problem.cube.values, problem.width
    free = problem.primary | found.hidden.reshape(values.shape)
    shared = Boxes(problem.cube, problem.known, free, problem.floor)
    for cell in _ascending(problem.primary & (width > STEPS), values):
        need = int(width.flat[cell])
        if found.certified[cell] < need and (chosen := shared.protect(place(cell, values.shape), need)):
            certificate = Certificate.of(chosen)
            found.take(cell, certificate)
            shared.free(np.array(sorted(certificate.cells)))


def _ascending(flags: Flags, values: Integers) -> list[int]:
    cells = np.flatnonzero(flags)
    return [int(cell) for cell in cells[np.argsort(values.ravel()[cells], kind="stable")]]


def _coarser(dimensions: Several[Dimension]) -> str:
    sizes = [len(dimension.codes) for dimension in dimensions]
    return f"coarser codes in dimension {1 + sizes.index(max(sizes))}"


def _content(problem: Problem) -> Integers:
    return problem.cube.values * 4 + problem.known * 2 + problem.hidden


def _ordered(problem: Problem, order: Order) -> Problem:
    at, dimensions = np.ix_(*order), problem.cube.dimensions
    cube = Cube(
        tuple(reordered(dimension, own) for dimension, own in zip(dimensions, order, strict=True)),
        problem.cube.values[at],
    )
    flags = (problem.primary[at], problem.hidden[at], problem.known[at])
    return Problem(cube, *flags, problem.floor, problem.width[at])


def _put_back(pattern: Pattern, order: Order) -> Pattern:
    hidden, certified = np.empty_like(pattern.hidden), np.empty_like(pattern.certified)
    hidden[np.ix_(*order)], certified[np.ix_(*order)] = pattern.hidden, pattern.certified
    return Pattern(hidden, certified)
