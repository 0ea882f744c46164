"""Cubes as files: NumPy's own format, mapped into memory, so that opening one reads its head alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets.catalogue import DataSet
from datasets.cubes.cube import Counts, Cube, dtype_of, shape_of


class CubeRefused(Exception):
    """A file is not a cube of this data set."""


def save_cube(path: Path, counts: Counts) -> None:
    with path.open("xb") as file:
        np.save(file, counts, allow_pickle=False)


def read_cube(path: Path, data_set: DataSet, axes: tuple[str, ...]) -> Cube:
    """Raises CubeRefused. What is in the cells is not read: sha256 tells whether they are those that were written."""
    known = {v.name for v in data_set.domain}
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise CubeRefused(f"{path.name}: missing or unreadable") from None
    if not known >= set(axes) or (mapped.shape, mapped.dtype) != (shape_of(data_set, axes), dtype_of(data_set)):
        raise CubeRefused(f"{path.name}: is no count of {', '.join(axes)}")
    # A plain array over the mapping: the subclass would cost every slice some microseconds.
    return Cube(axes, np.asarray(mapped))
