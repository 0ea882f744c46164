"""Rows from a model, so spread that the model's margins are kept: not independent draws.

Columns are drawn one after another, each given the columns of its clique that are there already. Rows stand in the
order of those; a golden-ratio sequence (Weyl) runs along them, and each row takes the code into whose part of its own
distribution its number of the sequence falls. Any stretch of n rows has numbers spread evenly up to O(log n / n), so
each group of parents gets its codes to within a few rows; and since the order within a group is that of the columns
before, siblings are spread over each other too instead of falling in step.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthetic.model.domain import Codes, Floats
from synthetic.model.estimate import Fitted
from synthetic.model.junction import Places, summed

CHUNK = 1 << 18
"""Rows that are spread together. A chunk's rows depend on the seed, its number and its length alone."""
GOLDEN = np.uint32(0x9E3779B9)
"""2^32 over the golden ratio: odd, so that its multiples run through all numbers of 32 bits."""
TOP = np.uint32((1 << 32) - 1)
"""Above all numbers of the sequence, as they are used."""
FEW = 12
"""Codes of a column up to which comparing with each is faster than a search."""

Words = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Draws one column. ends: for each combination of parents, where each code but the last ends, in 2^-32."""

    column: int
    parents: Places
    ends: Words


class Sampler:
    def __init__(self, fitted: Fitted) -> None:
        if not all(bool(np.isfinite(table).all()) for table in fitted.tables):
            raise ValueError("the model has no distribution: its margins and rules contradict each other")
        self._sizes = fitted.tree.sizes
        self._dtype: Any = np.uint8 if max(self._sizes) <= 1 << 8 else np.uint16
        self._steps = tuple(_steps(fitted))

    def rows(self, rows: int, seed: int, workers: int = 1, first: int = 0) -> Codes:
        """first: number of the first chunk, where rows are drawn in parts of whole chunks."""
        out = np.empty((rows, len(self._sizes)), dtype=self._dtype)

        def fill(part: tuple[int, int]) -> None:
            number, length = part
            out[number * CHUNK : number * CHUNK + length] = self.draw(length, seed, first + number).T

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(fill, chunks(rows)))
        return out

    def draw(self, rows: int, seed: int, chunk: int) -> Codes:
        """One chunk: columns by rows."""
        stream = np.random.Generator(np.random.Philox(key=np.array([seed, chunk], dtype=np.uint64)))
        out = np.zeros((len(self._sizes), rows), dtype=self._dtype)
        order = np.arange(rows, dtype=np.int32)
        weyl = np.arange(rows, dtype=np.uint32) * GOLDEN
        for step in self._steps:
            order, group = self._grouped(step, out, order)
            numbers = np.minimum(weyl + stream.integers(0, 1 << 32, dtype=np.uint32), TOP - np.uint32(1))
            drawn = _pick(step.ends, group, numbers, self._dtype)
            out[step.column][order] = drawn
            order = order[np.argsort(drawn, kind="stable")]
        return out[:, stream.permutation(rows)]

    def _grouped(self, step: Step, out: Codes, order: NDArray[np.int32]) -> tuple[NDArray[np.int32], Words]:
        """Rows in the order of their parents, and which combination of them each has."""
        group = np.zeros(len(order), dtype=np.uint32)
        if not step.parents:
            return order, group
        for parent in step.parents:
            group *= np.uint32(self._sizes[parent])
            group += out[parent][order]
        by = np.argsort(_narrow(group, len(step.ends)), kind="stable")
        return order[by], group[by]


def chunks(rows: int) -> Iterator[tuple[int, int]]:
    """(number, rows) of each chunk."""
    for number, start in enumerate(range(0, rows, CHUNK)):
        yield number, min(CHUNK, rows - start)


def _steps(fitted: Fitted) -> Iterator[Step]:
    done: list[int] = []
    for clique, table in zip(fitted.tree.cliques, fitted.tables, strict=True):
        for column in [i for i in clique if i not in done]:
            yield _step(column, tuple(i for i in clique if i in done), clique, table)
            done.append(column)


def _step(column: int, parents: Places, clique: Places, table: Floats) -> Step:
    kept = tuple(i for i in clique if i in parents or i == column)
    joint = np.moveaxis(summed(table, clique, kept), kept.index(column), -1)
    rows = joint.reshape(-1, joint.shape[-1])
    # Parents that cannot occur together have no distribution; they get that of all, and no row has them.
    rows = np.where(rows.sum(axis=1, keepdims=True) > 0, rows, rows.sum(axis=0))
    ends = np.cumsum(rows, axis=1) / rows.sum(axis=1, keepdims=True) * 2.0**32
    # From its last possible code on a row's parts end at the top, which no number of the sequence reaches.
    ends[np.cumsum(rows[:, ::-1], axis=1)[:, ::-1] == rows] = TOP
    return Step(column, parents, np.minimum(ends[:, :-1], TOP).astype(np.uint32))


def _narrow(group: Words, groups: int) -> NDArray[Any]:
    """In as few bits as will do: numpy sorts 16 bits by radix."""
    if groups > 1 << 16:
        return group
    return group.astype(np.uint8 if groups <= 1 << 8 else np.uint16)


def _pick(ends: Words, group: Words, numbers: Words, dtype: Any) -> Codes:
    codes = ends.shape[1] + 1
    if codes <= FEW:
        drawn = np.zeros(len(group), dtype=dtype)
        for k in range(codes - 1):
            drawn += numbers >= ends[:, k][group]
        return drawn
    # One search for all: each group's ends are shifted to a stretch of their own.
    shift = np.arange(len(ends), dtype=np.uint64) << np.uint64(32)
    wanted = (group.astype(np.uint64) << np.uint64(32)) | numbers
    at = np.searchsorted((ends + shift[:, None]).ravel(), wanted, side="right")
    return np.asarray(at - group.astype(np.int64) * (codes - 1)).astype(dtype)
