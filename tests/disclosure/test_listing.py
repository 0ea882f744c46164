"""Listed groups below HTTP: the law of who is listed, what it costs in δ, and the thresholds that follow."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from disclosure import noise
from disclosure.accounting import ATTO, NANO
from disclosure.accuracy import count_intervals
from disclosure.listing import Listing, OutOfReach, Terms, least_threshold, list_groups
from disclosure.noise import sigma, threshold_loss
from disclosure.sensitivity import Contribution, Moves, moves
from disclosure.tables import ExactGroups, Integers

PRICE = 5_000_000
FALSE_ALARM = 1e-6
MOVES = [Moves(1, 1, 1), Moves(3, 3, 1), Moves(6, 36, 6), Moves(3, 12, 2), Moves(40, 40, 1)]


def exact_tail(k: int, scale: float) -> float:
    """P(N ≥ k) of the discrete Gaussian, summed term by term."""
    reach = math.ceil(40 * scale) + abs(k)
    mass = np.exp(-0.5 * (np.arange(-reach, reach + 1) / scale) ** 2)
    return float(math.fsum(mass[reach + k :]) / math.fsum(mass))


def exact_delta(m: Moves, price: int, threshold: int) -> float:
    """The theorem's: that any of l0 groups of linf rows each is listed."""
    return -math.expm1(m.l0 * math.log1p(-exact_tail(threshold - m.linf, sigma(m.l2_squared, price))))


def groups(counts: list[int] | Integers) -> ExactGroups:
    return ExactGroups(np.arange(len(counts), dtype=np.int64), np.asarray(counts, np.int64))


# What it costs


@pytest.mark.parametrize("m", MOVES)
@pytest.mark.parametrize("delta", [10**4, 10**6, 10**12])
def test_the_threshold_is_the_least_that_the_map_allows_and_the_truth_is_within(m: Moves, delta: int) -> None:
    least = least_threshold(m, PRICE, delta)
    assert threshold_loss(m, PRICE, least)[1] <= Fraction(delta, ATTO)
    assert least == m.linf + 1 or threshold_loss(m, PRICE, least - 1)[1] > Fraction(delta, ATTO)
    assert exact_delta(m, PRICE, least) <= delta / ATTO


@settings(max_examples=60)
@given(
    l0=st.integers(1, 50), linf=st.integers(1, 9), price=st.integers(1_000_000, NANO), delta=st.integers(10**6, 10**16)
)
def test_the_map_and_the_truth_never_exceed_what_is_charged(l0: int, linf: int, price: int, delta: int) -> None:
    m = Moves(l0, l0 * linf**2, linf)
    terms = Terms(m, price, delta, least_threshold(m, price, delta))
    assert list_groups(groups([linf]), terms).counts.size <= 1, "nothing is refused"
    assert exact_delta(m, price, terms.threshold) <= delta / ATTO


def test_opendps_own_threshold_would_be_too_low() -> None:
    """Why counts equal to it are left out: they are told, but its δ does not count them. The positive control."""
    m, price = Moves(1, 1, 1), NANO // 2
    claimed = threshold_loss(m, price, 5)[1]  # of a mechanism whose own threshold is 4
    assert claimed == pytest.approx(0.00135, rel=1e-2)
    assert exact_delta(m, price, 5) <= claimed < exact_delta(m, price, 4) / 3


def test_too_many_groups_of_one_pupil_have_no_threshold() -> None:
    with pytest.raises(OutOfReach):
        least_threshold(Moves(10**5, 10**5, 1), PRICE, 10**6)


def test_too_little_noise_or_too_low_a_threshold_is_refused_before_any_value_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terms = Terms(MOVES[0], PRICE, 10**6, least_threshold(MOVES[0], PRICE, 10**6))
    with pytest.raises(RuntimeError, match="delta that was charged"):
        list_groups(groups([500]), replace(terms, threshold=terms.threshold - 1))
    honest = sigma
    monkeypatch.setattr(noise, "sigma", lambda l2, price: honest(l2, price) * (1 - 1e-6))
    with pytest.raises(RuntimeError, match="price that was charged"):
        list_groups(groups([500]), terms)


@pytest.mark.parametrize("wrong", [{"delta": 0}, {"threshold": 1}])
def test_terms_without_a_delta_or_a_threshold_are_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="threshold above"):
        replace(Terms(MOVES[0], PRICE, 10**6, 73), **wrong)  # type: ignore[arg-type]


def test_the_event_says_all_that_the_loss_follows_from() -> None:
    event = Terms(MOVES[2], PRICE, 10**6, 444).event("q")
    assert (event.l0, event.l2_squared, event.linf) == (6, 36, 6)
    assert (event.nano_rho, event.delta, event.threshold, event.question) == (PRICE, 10**6, 444, "q")


# Who is listed

LOUD = Terms(Moves(1, 1, 1), 50_000_000, 10**16, least_threshold(Moves(1, 1, 1), 50_000_000, 10**16))
"""Noise of deviation 3.2, and a δ of a hundredth, so that what it allows can be seen."""
EACH = 4_000


def p_value(shift: int) -> float:
    """That groups of each size are listed as often as the law of the noise says, were the threshold `shift` higher."""
    sizes = range(LOUD.threshold - 9, LOUD.threshold + 10)
    listed = list_groups(groups(np.repeat(np.array(sizes), EACH)), LOUD)
    seen = np.bincount(listed.cells // EACH, minlength=len(sizes))
    statistic = 0.0
    for place, size in enumerate(sizes):
        share = exact_tail(LOUD.threshold + shift - size, LOUD.sigma)
        statistic += (seen[place] - EACH * share) ** 2 / (EACH * share * (1 - share))
    return float(stats.chi2.sf(statistic, len(sizes)))


def test_a_group_is_listed_with_the_probability_of_its_size() -> None:
    """19 sizes, each expecting 7 or more of either kind. A false alarm has probability 1e-6."""
    assert p_value(0) > FALSE_ALARM


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_threshold_off_by_one_would_be_caught(shift: int) -> None:
    assert p_value(shift) < 1e-12


def test_what_is_listed_has_the_noise_that_was_bought_given_that_it_passed() -> None:
    size = LOUD.threshold
    counts = list_groups(groups([size] * 20_000), LOUD).counts
    assert counts.min() == size, "a count that just passes is there"
    k = np.arange(size, size + 8)
    tail = exact_tail(0, LOUD.sigma)
    share = np.array([exact_tail(x - size, LOUD.sigma) - exact_tail(x - size + 1, LOUD.sigma) for x in k]) / tail
    seen = np.array([(counts == x).sum() for x in k])
    observed = np.append(seen, counts.size - seen.sum())
    assert stats.chisquare(observed, counts.size * np.append(share, 1 - share.sum())).pvalue > FALSE_ALARM


def test_cells_keep_their_counts_in_their_order() -> None:
    """Over several parts, drawn side by side."""
    cells = np.arange(9_001, dtype=np.int64) * 111_109
    found = list_groups(ExactGroups(cells, np.arange(9_001, dtype=np.int64) * 1_000 + 1), LOUD)
    assert np.array_equal(found.cells, cells[1:]), "all but the first, whose only row is far under the threshold"
    assert np.abs(found.counts - (np.arange(1, 9_001) * 1_000 + 1)).max() < 100


def test_nobody_is_no_group() -> None:
    assert list_groups(groups([]), LOUD).cells.size == 0


# The black box: a pupil in groups of their own

RUNS = 20_000


def betrayed(m: Moves, terms: Terms, runs: int) -> int:
    """Runs in which any of the groups that one pupil alone is in was listed, in as many as they can be."""
    listed = list_groups(groups([m.linf] * (m.l0 * runs)), terms)
    return len(np.unique(listed.cells // m.l0))


@pytest.mark.parametrize("m", [Moves(1, 1, 1), Moves(3, 12, 2)])
def test_a_pupil_alone_is_told_of_with_probability_delta_at_most(m: Moves) -> None:
    price, delta = 50_000_000, 10**16
    seen = betrayed(m, Terms(m, price, delta, least_threshold(m, price, delta)), RUNS)
    assert stats.binom.sf(seen - 1, RUNS, delta / ATTO) > FALSE_ALARM
    assert stats.binom.sf(seen - 1, RUNS, delta / ATTO / 20) < 1e-9, "a test that sees nothing tests nothing"


def test_one_row_less_of_threshold_would_be_caught() -> None:
    """Positive control: OpenDP's mechanism as it comes, at the δ that its own map says."""
    m, price = Moves(1, 1, 1), NANO // 2
    claimed = float(threshold_loss(m, price, 5)[1])
    bare = noise._thresholded(m, price, 5)  # tells counts from 4 on
    seen = len(bare(dict.fromkeys(range(RUNS), 1)))
    assert stats.binom.sf(seen - 1, RUNS, claimed) < 1e-9


# The largest

LISTINGS = st.lists(st.integers(1, 30), max_size=40)


@given(counts=LISTINGS, most=st.integers(1, 20))
def test_the_largest_are_kept_and_had_to_reach_what_is_said(counts: list[int], most: int) -> None:
    listing = Listing(np.arange(len(counts)), np.array(counts, np.int64))
    kept, least = listing.largest(most, 1)
    assert kept.cells.size <= most
    assert kept.cells.size == len(counts) or least > 1
    assert [i for i, n in enumerate(counts) if n >= least] == kept.cells.tolist()
    for cell in kept.cells.tolist():
        for other in (least, least + 50):
            again = Listing(listing.cells, np.where(listing.cells == cell, other, listing.counts)).largest(most, 1)
            assert cell in again[0].cells and again[1] == least, "given the others, it is this number that decides"
        lower = Listing(listing.cells, np.where(listing.cells == cell, least - 1, listing.counts)).largest(most, 1)
        assert cell not in lower[0].cells or least == 1


@pytest.mark.parametrize("most", [1_000, 40])
def test_intervals_cover_given_that_a_group_is_listed(most: int) -> None:
    """Groups of all sizes, also where only the largest are shown. Simulated; SE of a share of 20,000 or more: 0.2 %."""
    generator = np.random.default_rng(20261121)
    truth, scale, threshold = np.repeat(np.arange(5, 205), 2), 10.0, 73
    hits, shown = 0, 0
    for _ in range(600):
        noisy = truth + np.rint(generator.normal(0, scale, truth.size)).astype(np.int64)
        passed = np.flatnonzero(noisy >= threshold)
        kept, least = Listing(passed, noisy[passed]).largest(most, threshold)
        rounded = (kept.counts[:, None] + 2) // 5 * 5
        lower, upper = count_intervals(rounded, scale, 5, least, 0.95)
        inside = (lower[:, 0] <= truth[kept.cells]) & (truth[kept.cells] <= upper[:, 0])
        hits, shown = hits + int(inside.sum()), shown + inside.size
    assert shown > 20_000
    assert 0.94 < hits / shown < 0.975


# Sizes of a change


def test_sizes_of_a_change() -> None:
    assert moves(Contribution((2, 2, 2), 5)) == Moves(6, 12, 2)
    assert moves(Contribution((6,), 2)) == Moves(2, 36, 6)
    assert moves(Contribution((6,), 100, (2,))) == Moves(6, 12, 2)
    assert moves(Contribution((1,), 1)) == Moves(1, 1, 1)


@pytest.mark.parametrize("wrong", [(0, 1, 1), (1, 1, 2), (1, 0, 0)])
def test_sizes_that_no_change_has(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no change"):
        Moves(*wrong)


# The exact list stays where it is


def test_exact_groups_show_nothing_and_cannot_be_copied_out() -> None:
    secret = groups([7, 8, 9])
    assert "3" not in repr(secret) and "7" not in repr(secret)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="never"):
            copied(secret)


@pytest.mark.parametrize(
    ("cells", "counts"), [([0, 0], [1, 1]), ([1, 0], [1, 1]), ([0], [0]), ([-1], [1]), ([0, 1], [1]), ([0.0], [1])]
)
def test_exact_groups_are_cells_with_rows(cells: list[int], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"each cell|want int64"):
        ExactGroups(np.array(cells), np.array(counts))
