"""Structural zeros: combinations of codes that no row can have, by public definition.

They are part of what a model is told beforehand, as its domain is, and no function of the data. A row that has one all
the same is counted as any other, so that what is measured, its sensitivity and its noise stay as they are; the model
then gives it no place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synthetic.model.domain import Domain, Floats
from synthetic.model.junction import Graph, JunctionTree, Places, calibrate, spread, summed

Flags = NDArray[np.bool_]
LARGEST, MOST, WIDEST = 100_000, 1_000, 16
"""Cells of a junction tree of zeros alone, which have to leave room for what is measured; zeros; columns of one."""


class ZerosRefused(ValueError):
    """The zeros contradict the domain or each other. The message names columns and codes."""


@dataclass(frozen=True, slots=True)
class Zero:
    """No row has one of these codes in each of these columns at once: (column, its codes) of two columns or more."""

    of: tuple[tuple[str, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        columns = [name for name, _ in self.of]
        if (
            not 2 <= len(columns) <= WIDEST
            or len(set(columns)) != len(columns)
            or not all(codes for _, codes in self.of)
        ):
            raise ZerosRefused(f"wants codes of two columns or more, each once, and of at most {WIDEST}")


@dataclass(frozen=True)
class Zeros:
    """All zeros over one domain. Raises ZerosRefused where they leave nobody a place, or are too many or too large."""

    domain: Domain
    all: tuple[Zero, ...] = ()

    def __post_init__(self) -> None:
        if len(self.all) > MOST:
            raise ZerosRefused(f"wants at most {MOST:,} rules")
        for zero in self.all:
            for name, codes in zero.of:
                (size,) = self.domain.shape((name,))
                if not all(0 <= code < size for code in codes):
                    raise ZerosRefused(f"{name}: has the codes 0 to {size - 1}")
        if self.all:
            self._refuse_large()
            if not self._could_be(0).any():
                raise ZerosRefused("nobody could be anywhere")

    @cached_property
    def cells(self) -> Mapping[Places, Flags]:
        """Of each set of columns that zeros speak of: where nobody can be."""
        found: dict[Places, Flags] = {}
        for zero in self.all:
            places = self._places(zero)
            found.setdefault(places, np.zeros([self.domain.sizes[i] for i in places], np.bool_))
            found[places][np.ix_(*(codes for _, codes in sorted(zero.of, key=self._place)))] = True
        return found

    @cached_property
    def codes_of_nobody(self) -> frozenset[tuple[str, int]]:
        """Codes that no row could have. They are in order where other codes cannot occur here, and else a mistake."""
        places = sorted({i for places in self.cells for i in places})
        return frozenset(
            (self.domain.names[i], int(code)) for i in places for code in np.flatnonzero(~self._could_be(i))
        )

    def of(self, clique: Places) -> Flags:
        """Where nobody can be in a table of these columns, by zeros that speak of no other."""
        found = np.zeros([self.domain.sizes[i] for i in clique], np.bool_)
        for places, cells in self.cells.items():
            if set(places) <= set(clique):
                found |= spread(cells, places, clique, self.domain.sizes)
        return found

    def logs(self, tree: JunctionTree) -> list[Floats]:
        """Log-potentials of a tree that has a clique for each set of columns: −∞ where nobody can be."""
        found = [np.zeros(tree.shape(clique)) for clique in tree.cliques]
        for places, cells in self.cells.items():
            home = tree.home(places)
            found[home] += spread(np.where(cells, -np.inf, 0.0), places, tree.cliques[home], tree.sizes)
        return found

    def _refuse_large(self) -> None:
        """Before any table is made."""
        graph = Graph(self.domain.sizes, map(self._places, self.all))
        if sum(graph.weight(mask) for mask in graph.triangulated() if mask.bit_count() > 1) > LARGEST:
            raise ZerosRefused(f"the columns that rules speak of have more than {LARGEST:,} cells together")

    def _place(self, part: tuple[str, tuple[int, ...]]) -> int:
        return self.domain.places[part[0]]

    def _places(self, zero: Zero) -> Places:
        return self.domain.places_of(self.domain.clique(name for name, _ in zero.of))

    def _could_be(self, column: int) -> Flags:
        """Which of its codes have a place."""
        tree, tables = self._even
        home = tree.home((column,))
        return np.asarray(summed(tables[home], tree.cliques[home], (column,)) > 0)

    @cached_property
    def _even(self) -> tuple[JunctionTree, list[Floats]]:
        """The same weight for all that could be; none where nothing could."""
        tree = JunctionTree.of(Graph(self.domain.sizes, self.cells))
        with np.errstate(divide="ignore", invalid="ignore"):
            tables, log_z = calibrate(tree, self.logs(tree))
        return tree, tables if np.isfinite(log_z) else [np.zeros_like(table) for table in tables]
