"""Least squares on one tree whose every node is the sum of its children, in two passes.

Every node of a level is measured with independent noise of one precision (inverse variance), which is 0 where a level
is not measured; the leaves are. Nothing else is known of the leaves.

Upward, a node's own measurement and the sum of its children's estimates (independent, as their leaves are disjoint) are
averaged by inverse variance. Downward, once the best estimate t of a sum c = Σ zᵢ is known, child i with variance sᵢ is
corrected by sᵢ/S·(t − c), S = Σ sᵢ, and has variance sᵢ − sᵢ²/S + (sᵢ/S)²·var t: the rest of the tree tells nothing of
the children but through their sum. This is Gaussian belief propagation, exact on trees; it is the two-pass algorithm of
Hay, Rastogi, Miklau & Suciu (PVLDB 3(1), 2010, arXiv 0904.0942), for unequal weights and unequal numbers of children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from disclosure.margins import Chain, group_sums
from disclosure.tables import Floats


def _upward(tree: Chain, weights: Sequence[float]) -> tuple[list[Floats], list[Floats]]:
    """For each level: the variance of a node given its subtree, and that of the sum of its children's estimates.

    Codes have no children: the variance of their sum is infinite.
    """
    below = np.full(tree.size, np.inf)
    own, sums = [1 / (weights[0] + 1 / below)], [below]
    for weight, parents in zip(weights[1:], tree.parents, strict=True):
        below = group_sums(own[-1], np.array(parents))
        sums.append(below)
        own.append(1 / (weight + 1 / below))
    return own, sums


def node_variances(tree: Chain, weights: Sequence[float]) -> list[Floats]:
    """Variance of every node given all measurements, by level."""
    own, sums = _upward(tree, weights)
    found = [own[-1]]
    for level in reversed(range(len(tree.parents))):
        parents = np.array(tree.parents[level])
        share = own[level] / sums[level + 1][parents]
        found.append(own[level] * (1 - share) + share**2 * found[-1][parents])
    return found[::-1]


def leaves(tree: Chain, shown: Mapping[int, Floats], weights: Sequence[float]) -> Floats:
    """The estimates of the codes given all measurements. shown[level]: (nodes, ...), measurements times precision."""
    own, sums = _upward(tree, weights)
    column = (-1, *(1,) * (shown[0].ndim - 1))
    estimates, totals = [shown[0] * own[0].reshape(column)], []
    for level, groups in enumerate(tree.parents, start=1):
        totals.append(group_sums(estimates[-1], np.array(groups)))
        seen = totals[-1] / sums[level].reshape(column) + shown.get(level, 0.0)
        estimates.append(seen * own[level].reshape(column))
    best = estimates.pop()
    for level in reversed(range(len(tree.parents))):
        parents = np.array(tree.parents[level])
        share = (own[level] / sums[level + 1][parents]).reshape(column)
        best = estimates[level] + share * (best - totals[level])[parents]
    return best
