"""Structural zeros: combinations of codes that no row can have, by public definition.

They are part of what a model is told beforehand, as its domain is, and no function of the data. A row that has one all
the same is counted as any other, so that what is measured, its sensitivity and its noise stay as they are; the model
then gives it no place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from synthetic.model.domain import Domain, Floats
from synthetic.model.junction import Graph, JunctionTree, Places, calibrate, spread, summed

Flags = NDArray[np.bool_]
LARGEST = 100_000
"""Cells of a junction tree of zeros alone: they have to leave room for what is measured."""


class ZerosRefused(ValueError):
    """The zeros contradict the domain or each other. The message names columns and codes."""


@dataclass(frozen=True, slots=True)
class Zero:
    """No row has one of these codes in each of these columns at once: (column, its codes) of two columns or more."""

    of: tuple[tuple[str, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        columns = [name for name, _ in self.of]
        if len(columns) < 2 or len(set(columns)) != len(columns) or not all(codes for _, codes in self.of):
            raise ZerosRefused("wants codes of two columns or more, each once")


@dataclass(frozen=True)
class Zeros:
    """All zeros over one domain. Raises ZerosRefused where they leave a code that nobody could have."""

    domain: Domain
    all: tuple[Zero, ...] = ()

    def __post_init__(self) -> None:
        for zero in self.all:
            for name, codes in zero.of:
                (size,) = self.domain.shape((name,))
                if not all(0 <= code < size for code in codes):
                    raise ZerosRefused(f"{name}: has the codes 0 to {size - 1}")
        if self.all:
            self._refuse_codes_of_nobody()

    @cached_property
    def cells(self) -> Mapping[Places, Flags]:
        """Of each set of columns that zeros speak of: where nobody can be."""
        found: dict[Places, Flags] = {}
        for zero in self.all:
            places, cells = self._cells(zero)
            found[places] = found.get(places, np.zeros(cells.shape, np.bool_)) | cells
        return found

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

    def _cells(self, zero: Zero) -> tuple[Places, Flags]:
        codes = dict(zero.of)
        places = self.domain.places_of(self.domain.clique(codes))
        inside = [np.isin(np.arange(self.domain.sizes[i]), codes[self.domain.names[i]]) for i in places]
        return places, reduce(np.logical_and.outer, inside)

    def _refuse_codes_of_nobody(self) -> None:
        graph = Graph(self.domain.sizes, self.cells)
        if graph.cells > LARGEST:
            raise ZerosRefused(f"the columns that zeros speak of have more than {LARGEST:,} cells together")
        tree = JunctionTree.of(graph)
        logs = self.logs(tree)
        if any(bool(np.isneginf(each).all()) for each in logs):
            raise ZerosRefused("nobody could be anywhere")
        with np.errstate(divide="ignore", invalid="ignore"):
            tables, _ = calibrate(tree, logs)
        for place in sorted({i for places in self.cells for i in places}):
            home = tree.home((place,))
            nobody = np.flatnonzero(~(summed(tables[home], tree.cliques[home], (place,)) > 0))
            if nobody.size:
                raise ZerosRefused(f"{self.domain.names[place]}: nobody could have code {nobody[0]}")
