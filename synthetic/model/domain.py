"""The public domain of a model: its columns, and how many codes each has. Nothing of it comes from the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Clique = tuple[str, ...]
"""Columns, in the order of the domain."""
Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[Any]
"""Of integers: rows by columns."""


class OutsideDomain(ValueError):
    """A value, or a column, that the domain does not have. The message names nothing of the data."""


@dataclass(frozen=True, slots=True)
class Domain:
    """``sizes[i]`` is the number of codes of column ``names[i]``: its values are 0 … sizes[i] − 1."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __init__(self, names: Iterable[str], sizes: Iterable[int]) -> None:
        object.__setattr__(self, "names", tuple(map(str, names)))
        object.__setattr__(self, "sizes", tuple(map(int, sizes)))
        object.__setattr__(self, "places", {name: i for i, name in enumerate(self.names)})
        if not self.names or len(self.names) != len(self.sizes):
            raise ValueError("a domain has at least one column, and one size for each")
        if len(self.places) != len(self.names):
            raise ValueError("the columns of a domain have different names")
        if not 1 <= min(self.sizes) <= max(self.sizes) <= 1 << 16:
            raise ValueError("a column of a domain has from 1 to 65,536 codes")

    def clique(self, columns: Iterable[str]) -> Clique:
        """These columns, each once, in the order of the domain."""
        return tuple(sorted(set(columns), key=self._place))

    def named(self, places: Sequence[int]) -> Clique:
        return tuple(self.names[i] for i in places)

    def places_of(self, clique: Clique) -> tuple[int, ...]:
        return tuple(self._place(name) for name in clique)

    def shape(self, clique: Clique) -> tuple[int, ...]:
        return tuple(self.sizes[self._place(name)] for name in clique)

    def cells(self, clique: Clique) -> int:
        return prod(self.shape(clique))

    def _place(self, name: str) -> int:
        if name not in self.places:
            raise OutsideDomain(f"no column of the domain is called {name!r}")
        return self.places[name]
