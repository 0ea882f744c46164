"""Junction trees: which cliques a graph has once it is triangulated, and exact marginals of a log-linear model.

The model is p(x) ∝ exp Σ_c θ_c(x_c) over measured cliques c. Its marginals over the cliques of a junction tree come
from two passes of messages (Lauritzen & Spiegelhalter 1988, in the form of Jensen, Lauritzen & Olesen 1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from synthetic.model.domain import Floats

T = TypeVar("T", bound=np.generic)
Places = tuple[int, ...]
"""Columns by their places in the domain, ascending."""
FAINT = 1e-200
"""A weight that is not divided by."""


class Graph:
    """An undirected graph over columns, as bit masks: `links[i]` holds column i and what it is joined to."""

    def __init__(self, sizes: Sequence[int], cliques: Iterable[Places] = ()) -> None:
        self.sizes = tuple(sizes)
        self.links = [1 << i for i in range(len(self.sizes))]
        for clique in cliques:
            self.join(clique)

    def join(self, clique: Places) -> None:
        mask = sum(1 << i for i in clique)
        for i in clique:
            self.links[i] |= mask

    def with_clique(self, clique: Places) -> Graph:
        other = Graph(self.sizes)
        other.links = list(self.links)
        other.join(clique)
        return other

    def has(self, clique: Places) -> bool:
        mask = sum(1 << i for i in clique)
        return all(self.links[i] & mask == mask for i in clique)

    def triangulated(self) -> list[int]:
        """Maximal cliques after the greedy elimination that makes the smallest table at each step."""
        links, left = list(self.links), set(range(len(self.sizes)))
        found: list[int] = []
        weight = {i: self.weight(links[i]) for i in left}
        while left:
            chosen = min(left, key=lambda i: (weight[i], i))
            mask = links[chosen]
            if not any(mask | each == each for each in found):
                found.append(mask)
            left.remove(chosen)
            around = [i for i in left if mask >> i & 1]
            for i in around:
                links[i] = (links[i] | mask) & ~(1 << chosen)
                weight[i] = self.weight(links[i])
        return found

    def weight(self, mask: int) -> int:
        return prod(size for i, size in enumerate(self.sizes) if mask >> i & 1)

    @property
    def cells(self) -> int:
        """Of the junction tree that `triangulated` leads to."""
        return sum(map(self.weight, self.triangulated()))


def places_of(mask: int) -> Places:
    return tuple(i for i in range(mask.bit_length()) if mask >> i & 1)


@dataclass(frozen=True)
class JunctionTree:
    """``cliques[0]`` is the root; ``parent[i]`` < i is the clique that clique i hangs on, −1 for the root."""

    sizes: tuple[int, ...]
    cliques: tuple[Places, ...]
    parent: tuple[int, ...]

    @staticmethod
    def of(graph: Graph) -> JunctionTree:
        """A spanning tree of greatest separators (Prim), which has the running intersection property."""
        masks = graph.triangulated()
        first = max(range(len(masks)), key=lambda i: graph.weight(masks[i]))
        order, parent, rest = [first], [-1], [i for i in range(len(masks)) if i != first]
        while rest:
            _, child, place = max(
                ((masks[i] & masks[j]).bit_count(), -i, -p) for i in rest for p, j in enumerate(order)
            )
            order.append(-child)
            parent.append(-place)
            rest.remove(-child)
        return JunctionTree(graph.sizes, tuple(places_of(masks[i]) for i in order), tuple(parent))

    def shape(self, clique: Places) -> tuple[int, ...]:
        return tuple(self.sizes[i] for i in clique)

    @cached_property
    def separators(self) -> tuple[Places, ...]:
        return tuple(
            () if up < 0 else tuple(i for i in clique if i in self.cliques[up])
            for clique, up in zip(self.cliques, self.parent, strict=True)
        )

    def home(self, clique: Places) -> int:
        """The smallest clique of the tree that holds this one."""
        holding = [i for i, each in enumerate(self.cliques) if set(clique) <= set(each)]
        return min(holding, key=lambda i: prod(self.shape(self.cliques[i])))


def spread(values: NDArray[T], inner: Places, outer: Places, sizes: Sequence[int]) -> NDArray[T]:
    """A table over `inner` as one that broadcasts over `outer`."""
    return values.reshape([sizes[i] if i in inner else 1 for i in outer])


def summed(table: Floats, outer: Places, inner: Places) -> Floats:
    """The marginal over `inner` of a table over `outer`."""
    axes = tuple(axis for axis, i in enumerate(outer) if i not in inner)
    return table.sum(axis=axes) if axes else table


def calibrate(tree: JunctionTree, logs: Sequence[Floats]) -> tuple[list[Floats], float]:
    """(probabilities over each clique, log Z) of p(x) ∝ exp Σ logs over all cliques of the tree.

    Messages to the root are logarithms, so that no weight is lost on the way, however far apart weights are; what is
    next to nothing beside the largest of a clique is a probability of nought. Some x must have a weight.
    """
    logs, tables, ups = list(logs), list[Floats](logs), list[Floats](logs)
    log_z = 0.0
    for i in range(len(logs) - 1, -1, -1):
        up, between, top = tree.parent[i], tree.separators[i], float(logs[i].max())
        tables[i] = np.exp(logs[i] - top)
        ups[i] = summed(tables[i], tree.cliques[i], between)
        total = float(ups[i].sum())
        log_z += top + float(np.log(total))
        if up < 0:
            tables[i] /= total
        else:
            message = _message(ups[i], logs[i], top, tree.cliques[i], between) - float(np.log(total))
            logs[up] = logs[up] + spread(message, between, tree.cliques[up], tree.sizes)
    for i in range(1, len(tables)):
        up, between = tree.parent[i], tree.separators[i]
        wanted = summed(tables[up], tree.cliques[up], between)
        if ((ups[i] < FAINT) & (wanted > 0)).any():
            tables[i], ups[i] = _conditional(logs[i], tree.cliques[i], between), np.ones_like(wanted)
        ratio = np.divide(wanted, ups[i], where=ups[i] > 0, out=np.zeros_like(wanted))
        tables[i] *= spread(ratio, between, tree.cliques[i], tree.sizes)
    return tables, log_z


def _message(sums: Floats, logs: Floats, top: float, clique: Places, between: Places) -> Floats:
    """Logarithms of the sums of exp(logs − top) over all columns but those between."""
    if (sums >= FAINT).all():
        return np.asarray(np.log(sums))
    weights, own = _from_own_largest(logs, clique, between)
    with np.errstate(divide="ignore"):
        found = np.log(summed(weights, clique, between)) + (own - top).reshape(sums.shape)
    return np.asarray(found)


def _conditional(logs: Floats, clique: Places, between: Places) -> Floats:
    """Of a clique's other columns, given those between."""
    weights, own = _from_own_largest(logs, clique, between)
    total = np.broadcast_to(summed(weights, clique, between).reshape(own.shape), weights.shape)
    return np.divide(weights, total, where=total > 0, out=np.zeros_like(weights))


def _from_own_largest(logs: Floats, clique: Places, between: Places) -> tuple[Floats, Floats]:
    """exp(logs − largest) with the largest for each combination of the columns between, and these; nought where there
    is no weight at all."""
    axes = tuple(axis for axis, i in enumerate(clique) if i not in between)
    largest = logs.max(axis=axes, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    return np.exp(logs - largest), largest


def logs_of(tree: JunctionTree, potentials: Mapping[Places, Floats], homes: Mapping[Places, int]) -> list[Floats]:
    """Log-potentials of the tree's cliques: each measured clique's added at its home."""
    logs = [np.zeros(tree.shape(clique)) for clique in tree.cliques]
    for clique, values in potentials.items():
        home = homes[clique]
        logs[home] += spread(values, clique, tree.cliques[home], tree.sizes)
    return logs
