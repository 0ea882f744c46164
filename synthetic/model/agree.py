"""Noisy margins that overlap, made to agree: the least squares answer, in closed form.

Each table is the sum of its interactions: one for each set A of its columns, orthogonal to the others, and the same
numbers whichever table holds it. With independent noise of standard deviation σ in each cell of a table over c, its
interaction over A is known from it with variance σ²·(cells of c outside A) per cell, and independently of its others.
So the best estimate of each interaction is the mean of what the tables say, weighted by inverse variance, and the
tables put together from these agree wherever they overlap (Xiao, Ding, Wang & Kifer, arXiv 2305.08175, use the same
decomposition). It is post-processing of noisy numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from synthetic.model.domain import Floats
from synthetic.model.junction import Places, spread


def agreed(tables: Mapping[Places, tuple[Floats, float]], sizes: tuple[int, ...]) -> dict[Places, Floats]:
    """Tables of shares with the standard deviation of a cell's noise → tables that agree, each with a sum of one."""
    weighted: dict[Places, tuple[Floats, float]] = {}
    for clique, (table, spread_of) in tables.items():
        for inner in _subsets(clique):
            outside = table.size / max(1, int(np.prod([sizes[i] for i in inner])))
            weight = 1 / (spread_of**2 * outside)
            total, weights = weighted.get(inner, (0.0, 0.0))
            weighted[inner] = (total + weight * interaction(table, clique, inner), weights + weight)
    parts = {inner: np.asarray(total / weights) for inner, (total, weights) in weighted.items()}
    parts[()] = np.ones(())
    return {clique: _together(parts, clique, sizes) for clique in tables}


def interaction(table: Floats, clique: Places, inner: Places) -> Floats:
    """Of the columns `inner`, over their cells: what no fewer of them can say."""
    kept = table.sum(axis=tuple(axis for axis, i in enumerate(clique) if i not in inner))
    for axis in range(len(inner)):
        kept = kept - kept.mean(axis=axis, keepdims=True)
    return np.asarray(kept)


def _together(parts: Mapping[Places, Floats], clique: Places, sizes: tuple[int, ...]) -> Floats:
    cells = int(np.prod([sizes[i] for i in clique]))
    whole = np.zeros([sizes[i] for i in clique])
    for inner in _subsets(clique):
        part = parts[inner]
        whole += spread(part, inner, clique, sizes) * (part.size / cells)
    return whole


def _subsets(clique: Places) -> Iterator[Places]:
    for width in range(len(clique) + 1):
        yield from combinations(clique, width)
