"""Canonical predicates: a reduced ordered decision diagram over the variables' finite domains.

Two criteria that admit the same rows, whatever the data, have equal predicates, and unequal ones differ on some row
that could exist. (Canonicity of reduced ordered diagrams: Bryant 1986, Theorem 1, "Graph-Based Algorithms for
Boolean Function Manipulation"; for many-valued variables: Srinivasan et al. 1990.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Edges: TypeAlias = tuple[tuple[int, int], ...]
"""(bit mask of atoms, child) pairs; the masks split the variable's domain, the children differ."""
FALSE, TRUE = 0, 1


class TooComplex(ValueError):
    """The criteria need a larger diagram than the public limit."""


@dataclass(frozen=True, slots=True)
class Node:
    level: int
    edges: Edges


@dataclass(frozen=True, slots=True)
class Predicate:
    """Canonical: nodes numbered in depth-first order from the root; 0 is false, 1 true, node i stands at i − 2.

    ``sizes[level]`` is the number of atoms of the variable at that level.
    """

    sizes: tuple[int, ...]
    nodes: tuple[Node, ...]
    root: int

    def holds(self, atoms: Sequence[int]) -> bool:
        """Whether a row with these atoms, one per level, is admitted."""
        at = self.root
        while at > TRUE:
            node = self.nodes[at - 2]
            bit = 1 << atoms[node.level]
            at = next(child for mask, child in node.edges if mask & bit)
        return at == TRUE

    def admitted(self, level: int) -> int:
        """Bit mask of the atoms of this level that some admitted row has."""
        everything = (1 << self.sizes[level]) - 1
        found, seen, stack = 0, set[int](), [self.root]
        if self.root == FALSE:
            return 0
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            if at == TRUE or self.nodes[at - 2].level > level:
                return everything
            node = self.nodes[at - 2]
            for mask, child in node.edges:
                if child == FALSE:
                    continue
                if node.level < level:
                    stack.append(child)
                else:
                    found |= mask
        return found

    def paths(self) -> Iterator[tuple[tuple[int, int], ...]]:
        """Disjoint conjunctions of (level, mask) whose union is the predicate; none repeats a level."""

        def walk(at: int, path: tuple[tuple[int, int], ...]) -> Iterator[tuple[tuple[int, int], ...]]:
            if at == TRUE:
                yield path
            elif at != FALSE:
                node = self.nodes[at - 2]
                for mask, child in node.edges:
                    yield from walk(child, (*path, (node.level, mask)))

        return walk(self.root, ())

    @property
    def path_count(self) -> int:
        """How many paths there are, without walking them."""
        return self._count(self.root, {FALSE: 0, TRUE: 1})

    def _count(self, at: int, counts: dict[int, int]) -> int:
        if at not in counts:
            counts[at] = sum(self._count(child, counts) for _, child in self.nodes[at - 2].edges)
        return counts[at]

    def canonical(self) -> list[object]:
        """A JSON value that is equal exactly for equal predicates."""
        return [self.root, [[n.level, [[hex(m), c] for m, c in n.edges]] for n in self.nodes]]


class Algebra:
    """Builds predicates over fixed domains. One per request; `limit` bounds its work by public numbers, and so does
    `pairs`, of edges that meet: each takes as long as a variable has atoms."""

    def __init__(self, sizes: Sequence[int], limit: int = 4000, pairs: int | None = None) -> None:
        self._sizes = tuple(sizes)
        self._limit, self._pairs = limit, pairs
        self._nodes: list[Node] = []
        self._ids: dict[Node, int] = {}
        self._work = 0

    def member(self, level: int, mask: int) -> int:
        """The variable's atom is one of the mask's."""
        everything = (1 << self._sizes[level]) - 1
        return self._node(level, [(mask & everything, TRUE), (everything & ~mask, FALSE)])

    def both(self, left: int, right: int) -> int:
        return self._apply(
            left, right, lambda a, b: FALSE if FALSE in (a, b) else b if a == TRUE else a if b == TRUE else None
        )

    def either(self, left: int, right: int) -> int:
        return self._apply(
            left, right, lambda a, b: TRUE if TRUE in (a, b) else b if a == FALSE else a if b == FALSE else None
        )

    def negate(self, root: int) -> int:
        done = {FALSE: TRUE, TRUE: FALSE}

        def walk(at: int) -> int:
            if at not in done:
                node = self._nodes[at - 2]
                done[at] = self._node(node.level, [(mask, walk(child)) for mask, child in node.edges])
            return done[at]

        return walk(root)

    def all_of(self, parts: Iterable[int]) -> int:
        root = TRUE
        for part in parts:
            root = self.both(root, part)
        return root

    def any_of(self, parts: Iterable[int]) -> int:
        root = FALSE
        for part in parts:
            root = self.either(root, part)
        return root

    def predicate(self, root: int) -> Predicate:
        """Number the nodes from the root, so that the result depends on the function alone."""
        order: dict[int, int] = {FALSE: FALSE, TRUE: TRUE}
        nodes: list[Node | None] = []

        def visit(at: int) -> int:
            if at not in order:
                place = len(nodes)
                order[at] = place + 2
                nodes.append(None)
                node = self._nodes[at - 2]
                nodes[place] = Node(node.level, tuple((mask, visit(child)) for mask, child in node.edges))
            return order[at]

        top = visit(root)
        return Predicate(self._sizes, tuple(n for n in nodes if n is not None), top)

    def _node(self, level: int, edges: Iterable[tuple[int, int]]) -> int:
        by_child: dict[int, int] = {}
        for mask, child in edges:
            if mask:
                by_child[child] = by_child.get(child, 0) | mask
        if len(by_child) == 1:
            return next(iter(by_child))
        node = Node(level, tuple(sorted(((m, c) for c, m in by_child.items()), key=lambda e: e[0] & -e[0])))
        if node not in self._ids:
            self._nodes.append(node)
            self._ids[node] = len(self._nodes) + 1
            if len(self._nodes) > self._limit:
                raise TooComplex
        return self._ids[node]

    def _apply(self, left: int, right: int, leaf: Callable[[int, int], int | None]) -> int:
        done: dict[tuple[int, int], int] = {}

        def walk(a: int, b: int) -> int:
            found = a if a == b else leaf(a, b)
            if found is not None:
                return found
            if (a, b) not in done:
                self._work += 1
                if self._work > 50 * self._limit:
                    raise TooComplex
                level, parts = self._meet(a, b)
                done[a, b] = self._node(level, [(mask, walk(c, d)) for mask, c, d in parts])
            return done[a, b]

        return walk(left, right)

    def _meet(self, a: int, b: int) -> tuple[int, list[tuple[int, int, int]]]:
        """The upper of two nodes' levels, and its domain split so that each part has one child on either side."""
        last = len(self._sizes)
        level = min(self._level(a, last), self._level(b, last))
        mine, theirs = self._edges(a, level), self._edges(b, level)
        if self._pairs is not None:
            self._pairs -= len(mine) * len(theirs)
            if self._pairs < 0:
                raise TooComplex
        return level, [(m & n, c, d) for m, c in mine for n, d in theirs if m & n]

    def _level(self, at: int, last: int) -> int:
        return self._nodes[at - 2].level if at > TRUE else last

    def _edges(self, at: int, level: int) -> Edges:
        if at > TRUE and self._nodes[at - 2].level == level:
            return self._nodes[at - 2].edges
        return (((1 << self._sizes[level]) - 1, at),)
