"""Noisy margins of one table made to add up, each at least as precise as it was measured.

Setting. x is a table over one tree axis (elements at nested levels) and plain axes (kept or summed over). Margins are
measured with independent noise of mean 0 and one variance per margin; the finest margin is among them.

Theorem. The estimates below are the weighted least squares estimates; by Gauss–Markov none that is linear and unbiased
has a smaller variance in any cell of any margin, so no margin is less precise than it was measured. The variances are
exact. They depend on chains, margins and noise variances only: on public things.

Proof idea. (1) On a plain axis of n elements let P = 11ᵀ/n and Q = 1 − P. For a set E of plain axes let θ_E be x with Q
along the axes of E and summed over the others: x is the sum over E of θ_E / Π n_b (b not in E), an orthogonal
decomposition. A margin that keeps the plain axes K ⊇ E shows θ_E at its level of the tree: it is summed over K − E and
given Q along E, and the noise is then v·Π n_b (b in K − E) times the projection Q⊗…⊗Q. Other margins show nothing of
it. Projections of white noise on orthogonal spaces are uncorrelated, so least squares falls apart into one problem for
each E, and within it into equal ones for each direction of the range of Q⊗…⊗Q.

(2) Each of these is a tree whose every node is the sum of its children, measured with precision W[E][level]:
`disclosure/trees.py`.

(3) A cell of a margin that keeps K has, from θ_E with E ⊆ K, the variance var_E(node)·Π (1 − 1/n_b) (b in E)·Π n_b⁻² (b
in K − E); parts of different E are uncorrelated and add. ∎
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from disclosure.margins import Chain, Margin, check, finest, fold, shape
from disclosure.tables import Floats
from disclosure.trees import leaves, node_variances

Effect: TypeAlias = tuple[bool, ...]
"""For each plain axis, whether the effect varies along it."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """values: (*sizes of the margin's levels, *batch). variance: (*sizes of the margin's levels), per cell, exact."""

    values: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class _Layout:
    """The table with its tree axis in front; a table of plain axes only gets a tree of one node."""

    tree: Chain
    axis: int | None
    plain: tuple[int, ...]

    def split(self, margin: Margin) -> tuple[int, Effect]:
        """The level of the tree, and which of the plain axes are kept."""
        rest = [level for axis, level in enumerate(margin) if axis != self.axis]
        level = 0 if self.axis is None else margin[self.axis]
        return level, tuple(level == 0 for level in rest)

    def forward(self, values: Floats) -> Floats:
        return values[None] if self.axis is None else np.moveaxis(values, self.axis, 0)

    def back(self, values: Floats) -> Floats:
        return values[0] if self.axis is None else np.moveaxis(values, 0, self.axis)

    def effects(self, kept: Effect) -> list[Effect]:
        """Those that a margin with these plain axes shows; along an axis of one element nothing varies."""
        return list(
            itertools.product(
                *((False, True) if k and n > 1 else (False,) for k, n in zip(kept, self.plain, strict=True))
            )
        )

    def summed(self, effect: Effect, kept: Effect) -> int:
        """Π n_b over the kept axes along which the effect does not vary."""
        return math.prod(n for n, e, k in zip(self.plain, effect, kept, strict=True) if k and not e)


def _layout(chains: Sequence[Chain]) -> _Layout:
    axis = next((i for i, chain in enumerate(chains) if len(chain.sizes) > 2), None)
    tree = Chain(1, ()) if axis is None else chains[axis]
    return _Layout(tree, axis, tuple(chain.size for i, chain in enumerate(chains) if i != axis))


def consistent(chains: Sequence[Chain], measured: Mapping[Margin, tuple[Floats, float]]) -> dict[Margin, Estimate]:
    """The best linear unbiased estimate of every measured margin; every total is the sum of its parts.

    measured: table (*sizes of the margin's levels, *batch) and noise variance of each margin. Batch entries are
    independent copies. Sums agree as far as float64 does, since every margin is the fold of one finest table.
    """
    noise = {margin: variance for margin, (_, variance) in measured.items()}
    spread = variances(chains, noise)
    _check_shapes(chains, measured)
    layout = _layout(chains)
    weights = _weights(layout, noise)
    shown = _shown(layout, measured)
    whole = (True,) * len(layout.plain)
    table = sum(
        leaves(layout.tree, shown[effect], weights[effect]) / layout.summed(effect, whole) for effect in weights
    )
    best = layout.back(np.asarray(table))
    return {margin: Estimate(fold(best, chains, margin), spread[margin]) for margin in measured}


def variances(chains: Sequence[Chain], measured: Mapping[Margin, float]) -> dict[Margin, Floats]:
    """The variance of each cell of each margin's estimate, (*sizes of the margin's levels), from noise variances."""
    check(chains, measured)
    if not all(0 < variance < math.inf for variance in measured.values()):
        raise ValueError("a noise variance must be positive and finite")
    layout = _layout(chains)
    nodes = {effect: node_variances(layout.tree, w) for effect, w in _weights(layout, measured).items()}
    return {margin: _cell_variances(layout, nodes, margin, shape(chains, margin)) for margin in measured}


def _check_shapes(chains: Sequence[Chain], measured: Mapping[Margin, tuple[Floats, float]]) -> None:
    batch = measured[finest(chains)][0].shape[len(chains) :]
    for margin, (values, _) in measured.items():
        if values.shape != shape(chains, margin) + batch:
            raise ValueError(f"margin {margin}: want {shape(chains, margin) + batch}, not {values.shape}")


def _weights(layout: _Layout, measured: Mapping[Margin, float]) -> dict[Effect, list[float]]:
    """W[effect][level]: the precision with which a node of that level is measured, for each effect of the table."""
    found = {effect: [0.0] * len(layout.tree.sizes) for effect in layout.effects((True,) * len(layout.plain))}
    for margin, variance in measured.items():
        level, kept = layout.split(margin)
        for effect in layout.effects(kept):
            found[effect][level] += 1 / (variance * layout.summed(effect, kept))
    return found


def _shown(layout: _Layout, measured: Mapping[Margin, tuple[Floats, float]]) -> dict[Effect, dict[int, Floats]]:
    """For each effect and level the sum of its measurements, each times its precision."""
    found: dict[Effect, dict[int, Floats]] = {}
    for margin, (values, variance) in measured.items():
        level, kept = layout.split(margin)
        for effect, part in _parts(layout, kept, layout.forward(values)).items():
            weighted = part / (variance * layout.summed(effect, kept))
            levels = found.setdefault(effect, {})
            levels[level] = levels[level] + weighted if level in levels else weighted
    return found


def _parts(layout: _Layout, kept: Effect, values: Floats) -> dict[Effect, Floats]:
    """For each effect that a margin shows: contrasts along its axes, sums (of length 1) over the others."""
    parts: dict[Effect, Floats] = {(): values}
    for axis, (keep, n) in enumerate(zip(kept, layout.plain, strict=True), start=1):
        split: dict[Effect, Floats] = {}
        for effect, part in parts.items():
            total = part.sum(axis=axis, keepdims=True)
            split[(*effect, False)] = total
            if keep and n > 1:
                split[(*effect, True)] = part - total / n
        parts = split
    return parts


def _cell_variances(
    layout: _Layout, nodes: Mapping[Effect, Sequence[Floats]], margin: Margin, size: tuple[int, ...]
) -> Floats:
    """Parts of different effects add; every cell of one node has the same variance."""
    level, kept = layout.split(margin)
    found: Floats = np.zeros(layout.tree.sizes[level])
    for effect in layout.effects(kept):
        varying = math.prod(1 - 1 / n for n, e in zip(layout.plain, effect, strict=True) if e)
        found += nodes[effect][level] * varying / layout.summed(effect, kept) ** 2
    return np.array(np.broadcast_to(layout.back(found.reshape(-1, *(1,) * len(layout.plain))), size))
