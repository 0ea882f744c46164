"""A count cube in memory, or mapped from its file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from datasets.catalogue import DataSet
from disclosure.tables import Secret

Counts: TypeAlias = npt.NDArray[np.unsignedinteger]


class Cube(Secret):
    """Rows of each combination of atoms: unsigned integers of shape (atoms of axes[0], atoms of axes[1], …).

    axes: names of variables; time, where it is one of them, is the first, so that one census is one piece.
    """

    __slots__ = ("axes", "counts")

    def __init__(self, axes: tuple[str, ...], counts: Counts) -> None:
        if len(axes) != counts.ndim or len(set(axes)) != len(axes):
            raise ValueError("want one dimension for each axis, and no axis twice")
        self.axes, self.counts = axes, counts


def shape_of(data_set: DataSet, axes: Sequence[str]) -> tuple[int, ...]:
    return tuple(len(data_set.by_name[name].atoms) for name in axes)


def dtype_of(data_set: DataSet) -> np.dtype[np.unsignedinteger]:
    """Wide enough for all rows there can be, and so for every sum over cells that are disjoint."""
    return np.dtype(np.uint32 if data_set.max_rows < 2**32 else np.uint64)
