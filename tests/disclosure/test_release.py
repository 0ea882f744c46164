"""One table protected as a whole: what is hidden, how the rest is shown, and that a stricter policy shows no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure.aggregates import Count, DistinctCount, Sum
from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.official import Earlier, Exact, Flagged, Protected, Summed, count_bounds, protect_release
from disclosure.policy import Policy
from disclosure.rules import RULES
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import Integers
from tests.lib.official import policy

POLICY = policy()
ONLY = Dimension.splits([])
COUNTS = st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=3, max_size=6)


def exact(codes: Integers, *more: Dimension, rows_each: int = 1) -> Exact:
    """Of two dimensions and nothing else, or with the last one given."""
    dimensions = (*(Dimension.of(Chain.plain(size)) for size in codes.shape[:2]), *(more or (ONLY,)))
    values = add_totals(codes if more else codes[..., None], dimensions)
    none = np.zeros(values.shape, np.bool_)
    each = np.full((1,) * values.ndim, rows_each, np.int64)
    return Exact(Cube(dimensions, values), each, none, {}, {}, {}, {})


def nothing(of: Exact) -> Earlier:
    none, base = np.zeros(of.counts.shape, np.bool_), np.zeros(of.counts.shape[:-1], np.bool_)
    return Earlier(Flagged(none, none), {a: Flagged(base, base) for a in (*of.present, *of.sums)})


def protect(of: Exact, under: Policy = POLICY) -> Protected:
    return protect_release(of, nothing(of), under)


def table(rows: list[list[int]]) -> Integers:
    return np.array(rows, np.int64)


def hidden(codes: Integers, under: Policy) -> np.ndarray:
    """What is not shown: all, where the table is refused."""
    try:
        return protect(exact(codes), under).counts.hidden
    except CannotProtect:
        return np.ones((codes.shape[0] + 1, codes.shape[1] + 1, 1), np.bool_)


@settings(max_examples=60, deadline=None)
@given(COUNTS, st.integers(3, 14), st.integers(1, 5), st.integers(2, 12), st.integers(0, 4))
def test_a_stricter_policy_never_shows_more(
    rows: list[list[int]], threshold: int, more: int, width: int, wider: int
) -> None:
    loose = {"value = 10\nzeros": f"value = {threshold}\nzeros", "width = 9": f"width = {width}"}
    strict = {"value = 10\nzeros": f"value = {threshold + more}\nzeros", "width = 9": f"width = {width + wider}"}
    before, after = hidden(table(rows), policy(**loose)), hidden(table(rows), policy(**strict))
    assert not (before & ~after).any()


@settings(max_examples=40, deadline=None)
@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(rows: list[list[int]], random: object) -> None:
    codes = table(rows)
    across, down = list(range(codes.shape[0])), list(range(codes.shape[1]))
    random.shuffle(across)  # type: ignore[attr-defined]
    random.shuffle(down)  # type: ignore[attr-defined]
    one, other = hidden(codes, POLICY), hidden(codes[np.ix_(across, down)], POLICY)
    back = one[np.ix_([*across, codes.shape[0]], [*down, codes.shape[1]], [0])]
    if len({tuple(row) for row in codes.tolist()}) == codes.shape[0]:
        assert (back == other).all()
    else:
        assert back.sum() == other.sum(), "rows that are alike may change places"


def test_thresholds_are_of_pupils() -> None:
    """Twelve rows of pupils who may have six each could be two pupils."""
    codes = table([[12, 60, 90], [60, 90, 80], [80, 60, 70]])
    once, six = (protect(exact(codes, rows_each=each)).counts.hidden[0, 0, 0] for each in (1, 6))
    assert (once, six) == (False, True)


def test_a_count_is_shown_with_every_count_that_could_be_shown_so() -> None:
    codes = table([[11, 62, 93], [67, 98, 84], [80, 61, 75]])
    for changes in ({}, {'method = "conventional"': 'method = "controlled"'}):
        under = policy(**changes)
        found = protect(exact(codes), under).counts
        low, high = count_bounds(found.values, under)
        truth = exact(codes).counts.values
        assert ((low <= truth) & (truth <= high))[~found.hidden].all()
        assert (found.values % 5 == 0).all()


def test_controlled_rounding_adds_up_and_random_rounding_goes_by_the_records() -> None:
    codes = table([[11, 62, 93], [67, 98, 84], [80, 61, 75]])
    controlled = protect(exact(codes), policy(**{'method = "conventional"': 'method = "controlled"'})).counts.values
    assert (controlled[:-1].sum(0) == controlled[-1]).all()
    random = policy(**{'method = "conventional"': 'method = "random"'})
    keys = np.arange(16, dtype=np.int64).reshape(4, 4, 1) * 2**59
    one, two = (protect(replace(exact(codes), keys=keys), random).counts.values for _ in range(2))
    other = protect(replace(exact(codes), keys=keys + 12345), random).counts.values
    assert (one == two).all()
    assert (one != other).any()
    with pytest.raises(ValueError, match="record keys"):
        protect(exact(codes), random)


def test_cell_keys_move_counts_and_never_to_small_ones() -> None:
    words = 'plain = "p"\nsource = "s"\nverified = false\nowner = "o"'
    key = f'[cell_key]\nmax_noise = 5\nvariance = 3\nnot_shown = 2\nzeros = "keep"\n{words}\n\n[rounding]'
    codes = np.full((12, 12), 40, np.int64)
    keys = np.random.default_rng(1).integers(0, 2**62, (13, 13, 1))
    under = policy(**{"[rounding]": key, "base = 5": "base = 1"})
    found = protect(replace(exact(codes), keys=keys), under).counts.values[:-1, :-1, 0]
    assert found.min() >= 35
    assert found.max() <= 45
    assert len(set(found.ravel().tolist())) > 4
    assert abs(found.mean() - 40) < 0.5
    low, high = count_bounds(found, under)
    assert ((low <= 40) & (high >= 40)).all()


def test_structural_zeros_are_no_secret_and_must_be_empty() -> None:
    codes = table([[0, 62, 93], [67, 98, 84], [80, 61, 75]])
    never = np.zeros((4, 4, 1), np.bool_)
    never[0, 0, 0] = True
    assert not protect(replace(exact(codes), structural=never)).counts.hidden.any()
    assert protect(exact(codes)).counts.hidden[0, 0, 0], "a zero that could have been otherwise"
    codes[0, 0] = 3
    with pytest.raises(CannotProtect, match="impossible"):
        protect(replace(exact(codes), structural=never))


def test_sums_are_hidden_with_their_counts_and_shown_no_better_than_a_count() -> None:
    codes = table([[3, 62, 93], [67, 98, 84], [80, 61, 75]])
    plain = exact(codes)
    rows = plain.counts.values[..., 0]
    ones = Sum("flag", 0, 1, 0)
    values = add_totals(codes // 3, plain.counts.dimensions[:-1])
    summed = Summed(values, values, rows, 0, 1, None)
    found = protect(replace(plain, sums={ones: summed}, distinct={DistinctCount("school"): rows}))
    assert (found.counts.hidden[..., 0] <= found.sums[ones].hidden).all()
    assert (found.sums[ones].values % 5 == 0).all(), "the sum of a 0/1 variable is a count"
    assert (found.distinct[DistinctCount("school")].hidden == found.counts.hidden[..., 0]).all()


def test_counts_of_values_are_a_table_of_their_own() -> None:
    codes = table([[60, 62, 93], [67, 98, 84], [80, 61, 75]])
    plain = exact(codes)
    present = codes.copy()
    present[1, 1] = 4
    values = add_totals(present, plain.counts.dimensions[:-1])
    found = protect(replace(plain, present={Count(("score",)): values}))
    assert not found.counts.hidden.any()
    assert found.present[Count(("score",))].hidden[1, 1]
    assert found.present[Count(("score",))].hidden.sum() >= 4


def test_a_table_that_is_mostly_small_cells_is_refused() -> None:
    sparse = '[sparsity]\nmost_share = 0.3\nplain = "p"\nsource = "s"\nverified = false\nowner = "o"\n\n[rounding]'
    codes = table([[3, 2, 93], [4, 5, 6], [7, 1, 75]])
    with pytest.raises(CannotProtect, match="small"):
        protect(exact(codes), policy(**{"[rounding]": sparse}))


def test_every_rule_is_judged_somewhere() -> None:
    """Of counts and of sums when they are protected; of what is made of them when an answer is finished."""
    of_counts = {"minimum_count", "class_disclosure", "minimum_schools"}
    of_sums = {"dominance", "p_percent", "pq"}
    of_answers = {"denominators", "quantile_sides"}
    of_output_checks_alone = {"residual_dof"}
    judged = of_counts | of_sums | of_answers | of_output_checks_alone
    assert judged == {rule.name for rule in RULES}


def flag(ones: Integers, rows: Integers) -> Exact:
    """How many of the rows of each cell have 1, of a number that is 0 or 1."""
    plain = exact(rows)
    values = add_totals(ones, plain.counts.dimensions[:-1])
    return replace(plain, sums={FLAG: Summed(values, values, plain.counts.values[..., 0], 0, 1, None)})


FLAG = Sum("flag", 0, 1, 0)


@pytest.mark.parametrize("few", [0, 3, 197, 200])
def test_the_sum_of_a_number_that_is_0_or_1_is_hidden_where_few_have_either(few: int) -> None:
    ones, rows = np.full((4, 4), 100), np.full((4, 4), 200)
    assert not protect(flag(ones, rows)).sums[FLAG].hidden.any()
    ones[1, 2] = few
    found = protect(flag(ones, rows))
    assert not found.counts.hidden.any()
    assert found.sums[FLAG].hidden[1, 2]
    assert found.sums[FLAG].hidden.sum() >= 4


def test_what_was_shown_under_a_looser_policy_protects_nothing_under_a_stricter_one() -> None:
    """Rows of eight or nine pupils were shown. Hidden now, they are known still, and leave a part of one no room."""
    codes = table([[3, 5], [4, 5], [4, 4], [5, 4], [130, 140]])
    of = exact(codes)
    assert protect(of).counts.hidden[:4, 2].all(), "without a past"
    known = np.zeros(of.counts.shape, np.bool_)
    known[:, 2] = True
    earlier = Earlier(Flagged(known, np.zeros_like(known)), {})
    with pytest.raises(CannotProtect):
        protect_release(of, earlier, POLICY)
    one = policy(**{"width = 9": "width = 1"})
    found = protect_release(of, earlier, one).counts.hidden
    assert found[:4, 2].all(), "shown no more"
    assert not found[4, 2].any()


def test_pupils_and_counts_of_values_are_perturbed_as_counts_of_rows_are() -> None:
    """Else they would tell the number that the keys have moved."""
    words = 'plain = "p"\nsource = "s"\nverified = false\nowner = "o"'
    key = f'[cell_key]\nmax_noise = 5\nvariance = 3\nnot_shown = 2\nzeros = "keep"\n{words}\n\n[rounding]'
    under = policy(**{"[rounding]": key, "base = 5": "base = 1"})
    plain = exact(np.full((12, 12), 40, np.int64))
    rows = plain.counts.values[..., 0]
    keys = np.random.default_rng(1).integers(0, 2**62, (13, 13, 1))
    found = protect(replace(plain, keys=keys, present={VALUES: rows}, distinct={DistinctCount(): rows}), under)
    assert (found.counts.values[..., 0] != rows).any()
    assert (found.present[VALUES].values == found.counts.values[..., 0]).all()
    assert (found.distinct[DistinctCount()].values == found.counts.values[..., 0]).all()


VALUES = Count(("score",))
