"""Elementary moves: changes of a table that no published sum shows, and what they prove of an attacker's intervals.

A move along one dimension changes some of its elements by +1 (plus) and others by −1 (minus) so that every line of the
dimension still adds up. Through an element there are as many as there are ways to carry its change on: down to one
code in each line of every total that moves, and up either until another part of the same line takes it back with the
opposite sign, or through the last total (then nothing takes it back).

Lemma. Let u₁, …, u_d be moves along the d dimensions of a cube and W their tensor product, which is +1, −1 or 0 in each
cell. Let all cells of its support be hidden, none of them known to the attacker otherwise, each with a true value x of
at least the floor. With

    up   = least x − floor over the cells where W = −1 (without bound where there is none),
    down = least x − floor over the cells where W = +1,

the attacker's interval of a cell holds [x − down, x + up] where W = +1 and [x − up, x + down] where W = −1; its width
is at least up + down in every cell of the support.

Proof. Along dimension k a line's difference (total less parts) of W is the tensor product of the other moves with the
difference of u_k along that line, which is 0: W keeps every line of the cube. So for each integer t from −down to up
the table x + tW has the same lines and the same released and known cells, and its hidden cells stay at or above the
floor, by the choice of up and down: it is a table that the attacker cannot tell from x. A cell where W = ±1 takes all
values x ± t in these. ∎

With one dimension per axis of a plain table this is the hypercube ("box") of the suppression literature (Giessing and
Repsilber 2002); the rest carries it over to hierarchies and to totals that are split in several ways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from disclosure.cube import Dimension, Line
from disclosure.tables import Integers

WAYS_DOWN = 8
"""Ways down from a total that are tried when the total itself is to be moved; from any other part all are."""

Elements = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """plus, minus: (moves, length) elements, each row filled up with the dimension's size. The element is in plus."""

    plus: Integers
    minus: Integers

    def __len__(self) -> int:
        return len(self.plus)

    def only(self, chosen: Integers) -> Moves:
        return Moves(self.plus[chosen], self.minus[chosen])


class Routes:
    """Moves of one dimension. ranks: the elements in the order in which they are to be tried, one rank each."""

    __slots__ = ("_found", "_lines", "_of", "_ranks", "_size")

    def __init__(self, dimension: Dimension, ranks: Sequence[int]) -> None:
        self._size, self._ranks = dimension.size, ranks
        self._of: dict[int, Line] = {part: line for line in dimension.lines for part in line.parts}
        self._lines: defaultdict[int, list[Line]] = defaultdict(list)
        for line in dimension.lines:
            self._lines[line.total].append(line)
        self._found: dict[int, Moves] = {}

    def through(self, element: int) -> Moves:
        """All that are tried: never none."""
        if element not in self._found:
            ways = self._down(element)[:WAYS_DOWN]
            pairs = [pair for way in ways for pair in self._carry(element, way)]
            plus, minus = zip(*pairs, strict=True)
            self._found[element] = Moves(self._filled(plus), self._filled(minus))
        return self._found[element]

    def _carry(self, element: int, plus: Elements) -> Iterator[tuple[Elements, Elements]]:
        """Moves that have `plus` below and at the element, however the change is carried on above it."""
        line = self._of.get(element)
        if line is None:
            yield plus, ()
            return
        for part in self._ranked(line):
            if part != element:
                yield from ((plus, minus) for minus in self._down(part))
        for sides in self._choices([other for other in self._lines[line.total] if other is not line]):
            yield from self._carry(line.total, (*plus, line.total, *sides))

    def _down(self, element: int) -> list[Elements]:
        """The element, and one code below it in each of its lines, with the totals between."""
        return [(element, *below) for below in self._choices(self._lines.get(element, []))]

    def _choices(self, lines: Sequence[Line]) -> list[Elements]:
        """One way down in each line. Of several lines the first ways stand together, then the second ones, …"""
        ways = [[way for part in self._ranked(line) for way in self._down(part)] for line in lines]
        if not ways:
            return [()]
        together = zip_longest(*ways)
        return [sum((way or options[-1] for way, options in zip(row, ways, strict=True)), ()) for row in together]

    def _ranked(self, line: Line) -> list[int]:
        return sorted(line.parts, key=lambda part: self._ranks[part])

    def _filled(self, rows: Sequence[Elements]) -> Integers:
        found = np.full((len(rows), max(map(len, rows))), self._size, np.int64)
        for place, row in enumerate(rows):
            found[place, : len(row)] = row
        return found
