"""Sums over what a decision diagram admits, without walking its paths one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datasets.cubes.cube import Counts
from datasets.predicate import FALSE, TRUE, Predicate

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Of an array of counts. axis: which; atoms: of the variable, those that its places stand for; kept: whether it is
    shown, so that it is never summed over."""

    axis: int
    atoms: Places
    kept: bool


def bits(mask: int, size: int) -> npt.NDArray[np.bool_]:
    """The mask of atoms as flags."""
    octets = np.frombuffer(mask.to_bytes(-(-size // 8), "little"), np.uint8)
    return np.unpackbits(octets, count=size, bitorder="little").astype(bool)


def summed(counts: Counts, predicate: Predicate, dimensions: Mapping[int, Dimension]) -> Counts:
    """The counts of admitted cells, summed over the tested dimensions that are not kept (length 1 in the result).

    dimensions: by level, of every variable that the diagram tests. Counts flow from the root down: those that reach a
    node are added up there, once, whichever paths they took. Time: edges × cells. No sum is over a cell twice.
    """
    order = sorted(range(len(predicate.nodes)), key=lambda i: predicate.nodes[i].level)
    arrived: dict[int, Counts] = {predicate.root: counts}
    for i in order:
        node, reached = predicate.nodes[i], arrived.pop(i + 2)
        here = dimensions[node.level]
        for mask, child in node.edges:
            if child == FALSE:
                continue
            below = predicate.nodes[child - 2].level if child > TRUE else len(predicate.sizes)
            skipped = [d.axis for at, d in dimensions.items() if node.level < at < below and not d.kept]
            part = _of_edge(reached, here, bits(mask, predicate.sizes[node.level])[here.atoms])
            part = part.sum(tuple(skipped), part.dtype, keepdims=True) if skipped else part
            arrived[child] = arrived[child] + part if child in arrived else part
    return arrived[TRUE]


def _of_edge(counts: Counts, dimension: Dimension, admitted: npt.NDArray[np.bool_]) -> Counts:
    """Those of some atoms: summed, or with zeros for the others where the dimension is kept."""
    along = [1] * counts.ndim
    along[dimension.axis] = admitted.size
    if dimension.kept:
        return np.where(admitted.reshape(along), counts, counts.dtype.type(0))
    part: Counts = counts.compress(admitted, dimension.axis).sum(dimension.axis, counts.dtype, keepdims=True)
    return part
