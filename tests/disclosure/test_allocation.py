"""Shares of a price are the best ones, and depend on nothing but the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize

from disclosure.allocation import LEAST_SHARE, UNITS, allocate
from disclosure.consistency import variances
from disclosure.margins import Chain, Margin
from disclosure.tables import Floats
from tests.lib.dense import all_margins, margins_of, tables


@st.composite
def balanced(draw: st.DrawFn) -> tuple[Chain, ...]:
    """Tables in which the groups of a level have equally many parts: the balanced version is the table itself."""
    chains = [Chain.plain(n) for n in draw(st.lists(st.integers(1, 5), max_size=2))]
    groups, each = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    tree = Chain(groups * each, (tuple(i // each for i in range(groups * each)), (0,) * groups))
    return (*chains, tree)


@st.composite
def questions(
    draw: st.DrawFn, chains: st.SearchStrategy[tuple[Chain, ...]]
) -> tuple[tuple[Chain, ...], dict[Margin, int]]:
    table = draw(chains)
    margins = draw(margins_of(table))
    alike = draw(st.booleans())
    distances = st.just(9) if alike else st.integers(1, 1000)
    return table, {margin: draw(distances) for margin in margins}


def objective(chains: Sequence[Chain], l2_squared: Mapping[Margin, int], shares: Floats) -> float:
    """By the exact variances, which are tested against an oracle of their own; ρ = 1/2."""
    noise = {margin: distance / share for (margin, distance), share in zip(l2_squared.items(), shares, strict=True)}
    return sum(float(spread.mean()) for spread in variances(chains, noise).values())


def best(chains: Sequence[Chain], l2_squared: Mapping[Margin, int]) -> float:
    """By scipy, from several places."""
    count = len(l2_squared)
    starts = [np.full(count, 1 / count), *np.random.default_rng(5).dirichlet(np.ones(count), 2)]
    found = [
        minimize(
            lambda shares: np.log(objective(chains, l2_squared, np.maximum(shares, LEAST_SHARE / 2))),
            LEAST_SHARE + start * (1 - count * LEAST_SHARE),
            method="SLSQP",
            bounds=[(LEAST_SHARE, 1)] * count,
            constraints=[LinearConstraint(np.ones(count), 1, 1)],
        )
        for start in starts
    ]
    shares = min(found, key=lambda result: float(result.fun)).x
    return objective(chains, l2_squared, np.asarray(shares) / np.sum(shares))


@settings(max_examples=40)
@given(question=questions(balanced()))
def test_no_shares_are_better(question: tuple[tuple[Chain, ...], dict[Margin, int]]) -> None:
    chains, l2_squared = question
    shares = np.array(list(allocate(chains, l2_squared).values()))
    assert objective(chains, l2_squared, shares) == pytest.approx(best(chains, l2_squared), rel=0.01)


def test_equal_shares_are_not_the_best() -> None:
    """The positive control: a per cent can be told from what comes easily."""
    chains = (Chain.plain(5), Chain(6, ((0, 0, 0, 1, 1, 1), (0, 0))))
    l2_squared = {(0, 0): 1, (1, 1): 50, (1, 2): 1}
    assert objective(chains, l2_squared, np.full(3, 1 / 3)) > 1.05 * best(chains, l2_squared)


@given(question=questions(tables()))
def test_shares_are_shares(question: tuple[tuple[Chain, ...], dict[Margin, int]]) -> None:
    chains, l2_squared = question
    found = allocate(chains, l2_squared)
    units = [round(share * UNITS) for share in found.values()]
    assert list(found) == list(l2_squared)
    assert [unit / UNITS for unit in units] == list(found.values()), "whole units"
    assert sum(units) == UNITS
    assert min(found.values()) >= LEAST_SHARE


@given(question=questions(tables()), factor=st.sampled_from([2, 10, 10**15]))
def test_neither_order_nor_scale_matters(question: tuple[tuple[Chain, ...], dict[Margin, int]], factor: int) -> None:
    chains, l2_squared = question
    found = allocate(chains, l2_squared)
    assert allocate(chains, dict(reversed(l2_squared.items()))) == found
    assert allocate(chains, {margin: distance * factor for margin, distance in l2_squared.items()}) == found


def test_the_last_bits_do_not_matter() -> None:
    """Shares are rounded so far from where floats differ that a step more or fewer changes nothing."""
    chains = (Chain(152, (tuple(i % 10 for i in range(152)), (0,) * 10)), Chain.plain(15), Chain.plain(2))
    whole = all_margins(chains)
    more = dict.fromkeys(whole, 1)
    with pytest.MonkeyPatch.context() as patch:
        found = allocate(chains, more)
        patch.setattr("disclosure.allocation._STEPS", 10_000)
        assert allocate(chains, more) == found


def test_a_closed_form() -> None:
    """Cells and total of a large table tell each other next to nothing: then shares are in proportion to Δ."""
    found = allocate((Chain.plain(10_000),), {(0,): 1, (1,): 9})
    assert found == pytest.approx({(0,): 0.25, (1,): 0.75}, abs=0.001)


def test_one_margin_gets_it_all() -> None:
    assert allocate((Chain.plain(3),), {(0,): 7}) == {(0,): 1.0}


def test_a_margin_that_tells_nothing_gets_the_least() -> None:
    found = allocate((Chain.plain(3), Chain.plain(4)), {(0, 0): 1, (0, 1): 10**9, (1, 0): 10**9})
    assert found == {(0, 0): 0.96, (0, 1): LEAST_SHARE, (1, 0): LEAST_SHARE}


def test_what_cannot_be_allocated() -> None:
    with pytest.raises(ValueError, match="sensitivity"):
        allocate((Chain.plain(3),), {(0,): 0})
    with pytest.raises(ValueError, match="too many"):
        allocate([Chain.plain(2)] * 6, dict.fromkeys(all_margins([Chain.plain(2)] * 6), 1))
    assert len(allocate([Chain.plain(2)] * 6, dict.fromkeys(all_margins([Chain.plain(2)] * 6)[:50], 1))) == 50
