"""The source files of a whole cut: chunk by chunk of pupils, each chunk's tables one file per year (and term)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from datasets.catalogue import Catalogue, DataSet
from synthetic.npd.fit import coded, fitted
from synthetic.npd.parquet import Writer
from synthetic.npd.tables import TABLES, school_rows
from synthetic.npd.world import Chunk, Rows, World

Progress = Callable[[str, int, int], None]
"""Called with what begins now, how many parts of how many are done; the last call has all done."""
PUPILS_PER_CHUNK = 50_000
Written = list[tuple[str, Path]]


def silent(name: str, done: int, total: int) -> None:
    """Nobody watches."""


def make(
    catalogue: Catalogue,
    folder: Path,
    pupils: int,
    years: range,
    seed: int,
    progress: Progress = silent,
    workers: int = 1,
) -> dict[str, list[Path]]:
    """Write Parquet files for every data set of `catalogue` into `folder`; returns data set → its files, in order.

    pupils: all who are of school age in any of the years (some 14 in 20 + years of them in one census). years: by the
    year in which the academic year ends; a data set has files for those that its catalogue knows. The same arguments
    give the same bytes, whatever the number of workers; memory is some 500 MB per worker. Raises ValueError where the
    catalogue lacks schools, or a code that the generator knows.
    """
    world = World(catalogue, years, seed)
    chunks = [
        Chunk(world, i, range(first, min(first + PUPILS_PER_CHUNK, pupils)))
        for i, first in enumerate(range(0, pupils, PUPILS_PER_CHUNK))
    ]
    world.schools  # noqa: B018 - made once, before several threads ask for it
    done, lock = 0, threading.Lock()

    def counted(chunk: Chunk) -> Written:
        nonlocal done
        written = _write_chunk(chunk, folder)
        with lock:
            done += 1
            progress("pupils", done, len(chunks) + 1)
        return written

    progress("schools", 0, len(chunks) + 1)
    files: dict[str, list[Path]] = {d.id: [] for d in catalogue.data_sets}
    for name, path in _write_schools(world, folder):
        files[name].append(path)
    with ThreadPoolExecutor(workers) as pool:
        for written in pool.map(counted, chunks):
            for name, path in written:
                files[name].append(path)
    progress("made", len(chunks) + 1, len(chunks) + 1)
    return files
