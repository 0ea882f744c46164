"""Random numbers by address: the same seed, table, year and chunk give the same ones, whoever draws them and when."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def stream(seed: int, table: str, year: int, chunk: int) -> np.random.Generator:
    """A stream of its own: the upper half of Philox's counter is the address, so no two streams can meet."""
    return np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(table.encode())], counter=[0, 0, year, chunk]))


def pick(rng: np.random.Generator, weights: npt.ArrayLike, size: int) -> Ints:
    """`size` places in `weights`, each as often as its weight says."""
    rising = np.cumsum(np.asarray(weights, np.float64))
    found = np.searchsorted(rising, rng.random(size) * rising[-1], side="right")
    return np.asarray(np.minimum(found, len(rising) - 1))
