"""Random small tables with margins, and the textbook least squares that the closed forms must agree with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
from hypothesis import strategies as st

from disclosure.margins import Chain, Margin
from disclosure.tables import Floats

MOST_CELLS = 120


def incidence(chain: Chain, level: int) -> Floats:
    """(elements of the level, codes): 1 where the code belongs to the element."""
    found = np.eye(chain.size)
    for parents in chain.parents[:level]:
        up = np.zeros((max(parents) + 1, len(parents)))
        for child, parent in enumerate(parents):
            up[parent, child] = 1
        found = up @ found
    return found


def design(chains: Sequence[Chain], margin: Margin) -> Floats:
    """(cells of the margin, cells of the table)."""
    return reduce(np.kron, [incidence(c, level) for c, level in zip(chains, margin, strict=True)], np.ones((1, 1)))


def least_squares(
    chains: Sequence[Chain], measured: Mapping[Margin, tuple[Floats, float]]
) -> dict[Margin, tuple[Floats, Floats]]:
    """Values and variances of every margin from the normal equations, in the order of the flat table."""
    designs = {margin: design(chains, margin) for margin in measured}
    information = sum(designs[m].T @ designs[m] / v for m, (_, v) in measured.items())
    covariance = np.linalg.inv(information)
    right = sum(designs[m].T @ y.reshape(len(designs[m]), -1) / v for m, (y, v) in measured.items())
    return {
        m: ((a @ covariance @ right).reshape(measured[m][0].shape), np.diag(a @ covariance @ a.T))
        for m, a in designs.items()
    }


@st.composite
def trees(draw: st.DrawFn, most: int = 9) -> Chain:
    """Two to four levels, groups of any size, elements in any order; or one level of one element."""
    size = draw(st.integers(1, most))
    parents: list[tuple[int, ...]] = []
    at = size
    for _ in range(draw(st.integers(0, 2))):
        groups = draw(st.integers(1, at))
        rest = draw(st.lists(st.integers(0, groups - 1), min_size=at - groups, max_size=at - groups))
        parents.append(tuple(draw(st.permutations([*range(groups), *rest]))))
        at = groups
    if at > 1 or draw(st.booleans()):
        parents.append((0,) * at)
    return Chain(size, tuple(parents))


@st.composite
def tables(draw: st.DrawFn) -> tuple[Chain, ...]:
    """Up to four axes, at most one of them with levels between, anywhere among them."""
    plain = draw(st.lists(st.integers(1, 4).map(Chain.plain), max_size=3))
    if draw(st.booleans()):
        plain.insert(draw(st.integers(0, len(plain))), draw(trees()))
    while np.prod([chain.size for chain in plain]) > MOST_CELLS:
        plain.pop(next(i for i, chain in enumerate(plain) if len(chain.sizes) <= 2))
    return tuple(plain)


def all_margins(chains: Sequence[Chain]) -> list[Margin]:
    return list(itertools.product(*(range(len(chain.sizes)) for chain in chains)))


@st.composite
def margins_of(draw: st.DrawFn, chains: Sequence[Chain], most: int = 8) -> list[Margin]:
    """The finest and some others, in any order."""
    first, *others = all_margins(chains)
    some = draw(st.lists(st.sampled_from(others), unique=True, max_size=most - 1)) if others else []
    return draw(st.permutations([first, *some]))
