"""Rounded tables that add up exactly, and stay as near to the estimate as they say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure.additive import LIMIT, additive, rounding_bound, rounding_variance
from disclosure.margins import Chain, Margin, fold, kept, shape
from disclosure.rounding import nearest
from disclosure.tables import Floats, Integers
from tests.lib.dense import all_margins, design, tables
from tests.lib.effort import examples

PARTS = 1024
"""Values here are whole numbers of parts, so that they and their sums are known exactly, as integers."""
REGIONS = Chain(12, ((2, 0, 1, 0, 2, 1, 0, 0, 2, 0, 1, 0), (0, 0, 0)))
CHAINS = (Chain.plain(5), REGIONS, Chain.plain(4))
BASES = st.sampled_from([1, 2, 5, 10, 1000])


@st.composite
def estimates(draw: st.DrawFn) -> tuple[tuple[Chain, ...], Integers, int]:
    """A table in parts, and a base. Cells are alike, small, or large; halves of a base are what rounds worst."""
    chains, base = draw(tables()), draw(BASES)
    size = (*(chain.size for chain in chains), *draw(st.sampled_from([(), (2,)])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = {
        "alike": lambda: np.full(size, draw(st.integers(-(10**6), 10**6))),
        "halves": lambda: base * PARTS // 2 * rng.integers(-3, 4, size) - rng.integers(0, 2, size),
        "small": lambda: np.rint(rng.normal(0, base * PARTS, size)).astype(np.int64),
        "large": lambda: rng.integers(-(10**9) * PARTS, 10**9 * PARTS, size),
    }
    return chains, values[draw(st.sampled_from(sorted(values)))](), base


def deviation(chains: Sequence[Chain], rounded: Integers, parts: Integers, margin: Margin) -> Integers:
    """Of a margin's cells from the estimate, in parts, by integers only."""
    batch = parts.shape[len(chains) :]
    dense = design(chains, margin).astype(np.int64) @ parts.reshape(-1, math.prod(batch))
    exact = dense.reshape(shape(chains, margin) + batch)
    return np.asarray(fold(rounded, chains, margin) * PARTS - exact)


@settings(max_examples=examples(1000))
@given(estimate=estimates())
def test_every_margin_adds_up_and_is_near(estimate: tuple[tuple[Chain, ...], Integers, int]) -> None:
    chains, parts, base = estimate
    rounded = additive(parts / PARTS, chains, base)
    assert rounded.dtype == np.int64
    assert rounded.shape == parts.shape
    for margin in all_margins(chains):
        folded = fold(rounded, chains, margin)
        assert (folded % base == 0).all()
        for axis, chain in enumerate(chains):
            if margin[axis] + 1 < len(chain.sizes):
                total = fold(rounded, chains, (*margin[:axis], margin[axis] + 1, *margin[axis + 1 :]))
                for element in range(total.shape[axis]):
                    own = [i for i, parent in enumerate(chain.parents[margin[axis]]) if parent == element]
                    assert np.array_equal(folded.take(own, axis).sum(axis), total.take(element, axis))
        assert np.abs(deviation(chains, rounded, parts, margin)).max() <= rounding_bound(chains, margin, base) * PARTS


def test_cell_by_cell_is_not_near() -> None:
    """The positive control: 240 cells of 2.5 rounded one by one are out by 600 in all, and the bound sees it."""
    parts = np.full((5, 12, 4), 5 * PARTS // 2)
    everything = (1, 2, 1)
    for rounded, near in ((nearest(parts // PARTS + 1, 5), False), (additive(parts / PARTS, CHAINS, 5), True)):
        within = np.abs(deviation(CHAINS, rounded, parts, everything)) <= rounding_bound(CHAINS, everything, 5) * PARTS
        assert within.all() == near


def test_groups_that_are_no_runs_are_not_near() -> None:
    """The positive control: without the order of the chain, regions are no boxes."""
    rng = np.random.default_rng(3)
    parts = rng.integers(0, 20 * PARTS, (5, 12, 4, 200))
    alphabetical = additive(parts / PARTS, [Chain.plain(n) for n in (5, 12, 4)], 5)
    bound = rounding_bound(CHAINS, (1, 1, 1), 5) * PARTS
    assert np.abs(deviation(CHAINS, alphabetical, parts, (1, 1, 1))).max() > bound
    assert np.abs(deviation(CHAINS, additive(parts / PARTS, CHAINS, 5), parts, (1, 1, 1))).max() <= bound


@pytest.mark.parametrize(("margin", "bound"), [((1, 2, 1), 2.5), ((0, 2, 1), 5), ((1, 1, 1), 5), ((0, 1, 0), 20)])
def test_the_bound_is_about_reached(margin: Margin, bound: float) -> None:
    assert rounding_bound(CHAINS, margin, 5) == bound
    rng = np.random.default_rng(7)
    parts = rng.integers(-20 * PARTS, 20 * PARTS, (5, 12, 4, 2000))
    worst = np.abs(deviation(CHAINS, additive(parts / PARTS, CHAINS, 5), parts, margin)).max() / PARTS
    assert 0.75 * bound < worst <= bound


def inside(chains: Sequence[Chain], values: Floats) -> Floats:
    """Cells that are not the first of an axis, in the order of the runs: those with all their corners."""
    for axis, chain in enumerate(chains):
        if values.shape[axis] > 1:
            order = chain.order() if values.shape[axis] == chain.size else np.arange(values.shape[axis])
            values = values.take(order[1:], axis)
    return values


@pytest.mark.parametrize("margin", all_margins(CHAINS))
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_the_variance_is_what_is_said(margin: Margin, spread: float) -> None:
    """4,000 tables under noise of half a base, and of three: the least for which it is claimed, and more."""
    base = 10
    rng = np.random.default_rng(11)
    truth = rng.poisson(3, (5, 12, 4, 1))
    parts = np.rint((truth + rng.normal(0, spread * base, (5, 12, 4, 4000))) * PARTS).astype(np.int64)
    errors = deviation(CHAINS, additive(parts / PARTS, CHAINS, base), parts, margin) / PARTS
    said = rounding_variance(CHAINS, margin, base)
    assert said == base**2 * 2 ** kept(CHAINS, margin) / 12
    assert inside(CHAINS, errors).var(axis=-1).mean() == pytest.approx(said, rel=0.1)
    assert errors.var(axis=-1).mean() <= 1.05 * said
    assert abs(errors.mean()) < 0.2 * math.sqrt(said)


def test_without_noise_the_variance_is_only_a_manner_of_speaking() -> None:
    """Why noise is asked for: halves of a base alternate between two corners, and every cell is out by half a base."""
    errors = additive(np.full((10,), 2.5), (Chain.plain(10),), 5) - 2.5
    assert (np.abs(errors) == 2.5).all()
    assert rounding_variance((Chain.plain(10),), (0,), 5) < 2.5**2


def test_large_tables_of_large_numbers() -> None:
    """50,000 cells up to 10⁹ add up to 5·10¹³, where a float64 has steps of 1/128."""
    chains = (Chain(250, (tuple(i % 9 for i in range(250)), (0,) * 9)), Chain.plain(20), Chain.plain(10))
    parts = np.random.default_rng(2).integers(0, 10**9 * PARTS, (250, 20, 10))
    for base in (1, 5):
        rounded = additive(parts / PARTS, chains, base)
        for margin in all_margins(chains):
            off = fold(rounded, chains, margin) * PARTS - fold(parts, chains, margin)
            assert np.abs(off).max() <= rounding_bound(chains, margin, base) * PARTS


@pytest.mark.parametrize("values", [[LIMIT / 2, -LIMIT / 2], [math.nan, 0], [math.inf, 0], [-math.inf, math.inf]])
def test_what_is_too_large(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        additive(np.array(values), (Chain.plain(2),), 5)
    assert additive(np.array([LIMIT / 4, -LIMIT / 2]), (Chain.plain(2),), 1).tolist() == [2**51, -(2**52)]


def test_a_table_has_its_shape_and_a_base() -> None:
    with pytest.raises(ValueError, match="want a table"):
        additive(np.zeros((5, 12)), CHAINS, 5)
    with pytest.raises(ValueError, match="base"):
        additive(np.zeros((5, 12, 4)), CHAINS, 0)


def test_whole_multiples_stay_what_they_are() -> None:
    values = 5 * np.random.default_rng(1).integers(-100, 100, (5, 12, 4))
    assert np.array_equal(additive(values.astype(np.float64), CHAINS, 5), values)
