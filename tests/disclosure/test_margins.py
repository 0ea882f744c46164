"""Chains of levels, and sums of a table to a margin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosure.margins import Chain, check, fold, kept, shape
from tests.lib.dense import all_margins, design, tables, trees

SCHOOLS = Chain(5, ((1, 0, 1, 2, 0), (0, 1, 0), (0, 0)))


@pytest.mark.parametrize(
    ("size", "parents"),
    [
        (0, ()),
        (2, ()),  # more than one element in the end
        (2, ((0, 1),)),
        (2, ((0,),)),  # a code without a parent
        (2, ((0, 0, 0),)),
        (2, ((0, 2), (0, 0, 0))),  # an element without parts
        (2, ((-1, 0), (0, 0))),
        (2, ((1, 1),)),
    ],
)
def test_a_chain_is_nested_and_total(size: int, parents: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"element|code|level"):
        Chain(size, parents)


def test_levels() -> None:
    assert SCHOOLS.sizes == (5, 3, 2, 1)
    assert SCHOOLS.ancestors(0).tolist() == [0, 1, 2, 3, 4]
    assert SCHOOLS.ancestors(2).tolist() == [1, 0, 1, 0, 0]
    assert SCHOOLS.order().tolist() == [1, 4, 3, 0, 2], "by region, then by authority"
    assert Chain.plain(3).sizes == (3, 1)
    assert Chain(1, ()).sizes == (1,)


@given(chain=trees())
def test_in_order_every_element_is_a_run(chain: Chain) -> None:
    for level, size in enumerate(chain.sizes):
        assert np.count_nonzero(np.diff(chain.ancestors(level)[chain.order()])) == size - 1


@given(data=st.data(), chains=tables())
def test_a_fold_is_the_sum_over_the_design_matrix(data: st.DataObject, chains: tuple[Chain, ...]) -> None:
    batch = data.draw(st.sampled_from([(), (3,), (2, 2)]))
    size = (*(chain.size for chain in chains), *batch)
    values = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-(2**59), 2**59, size)
    for margin in all_margins(chains):
        folded = fold(values, chains, margin)
        assert folded.dtype == np.int64
        dense = design(chains, margin).astype(np.int64) @ values.reshape(-1, int(np.prod(batch)))
        assert np.array_equal(folded, dense.reshape(shape(chains, margin) + batch)), "beyond what a float could hold"


def test_only_the_finest_table_is_folded() -> None:
    with pytest.raises(ValueError, match="want a table"):
        fold(np.zeros((3, 2)), (SCHOOLS, Chain.plain(2)), (0, 1))


def test_a_margin_keeps_the_axes_along_which_it_has_cells() -> None:
    chains = (SCHOOLS, Chain.plain(2), Chain.plain(1))
    assert [kept(chains, m) for m in [(0, 0, 0), (2, 0, 1), (3, 0, 0), (3, 1, 1)]] == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("margins", "match"),
    [
        ([(0, 0), (4, 0)], "not a level"),
        ([(0, 0), (0, -1)], "not a level"),
        ([(0, 0), (0,)], "not a level"),
        ([(0, 1)], "finest"),
        ([], "finest"),
    ],
)
def test_margins_that_are_none(margins: list[tuple[int, ...]], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        check((SCHOOLS, Chain.plain(2)), margins)


def test_one_axis_at_most_has_levels_between() -> None:
    with pytest.raises(ValueError, match="at most one axis"):
        check((SCHOOLS, SCHOOLS), [(0, 0)])
