"""How a fit may ask of the data: pupils in the cells of a clique, and nothing else."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from synthetic.model.domain import Clique, Codes, Domain, Integers, OutsideDomain


class Counter(Protocol):
    def count_cells(self, clique: Clique, domain: Domain) -> Integers:
        """Pupils in each cell, in the shape ``domain.shape(clique)``. Each pupil is in exactly one cell.

        The last sentence is what the sensitivity rests on (`synthetic.model.measure`).
        """
        ...


class ArrayCounter:
    """Counts rows of an array: one row a pupil, one column a column of the domain. For tests and benchmarks.

    Raises OutsideDomain where a value is not in the domain: it is for the caller to have an "other" code.
    """

    def __init__(self, codes: Codes, domain: Domain) -> None:
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] != len(domain.names):
            raise ValueError("wants one row for each pupil, and one column for each column of the domain")
        if codes.size and (codes.min() < 0 or (codes.max(axis=0) >= np.array(domain.sizes)).any()):
            raise OutsideDomain("a value is outside the domain")
        self._columns = [np.ascontiguousarray(codes[:, i], dtype=np.int32) for i in range(len(domain.names))]
        self._domain = domain

    def count_cells(self, clique: Clique, domain: Domain) -> Integers:
        if domain != self._domain:
            raise OutsideDomain("these codes are of another domain")
        return table_of(self._columns, clique, domain)


def table_of(columns: list[Codes], clique: Clique, domain: Domain) -> Integers:
    """Rows in each cell of the clique."""
    cells = domain.cells(clique)
    index: Codes = np.zeros(len(columns[0]), dtype=np.int64 if cells >= 1 << 31 else np.int32)
    for place in domain.places_of(clique):
        index *= domain.sizes[place]
        index += columns[place]
    return np.bincount(index, minlength=cells).astype(np.int64).reshape(domain.shape(clique))
