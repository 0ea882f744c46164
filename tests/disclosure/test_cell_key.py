"""Perturbation by cell keys: the laws of the table, and the same noise for the same records."""

from __future__ import annotations

import math
from collections.abc import Callable
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from disclosure.cell_key import Flex, Parameters, PTable, Row, maximum_entropy, perturbed, perturbed_sums
from disclosure.cell_key.keys import Keys, mixed
from disclosure.cell_key.lookup import changes
from disclosure.cell_key.ptable import KEYS
from disclosure.tables import Integers

TABLE = maximum_entropy(Parameters(9, 5.0, 3))
FREE = maximum_entropy(Parameters(10, 5.0))
FLEX = Flex(small=0.2, large=0.03, point=1000, weights=(1.0, 0.5, 0.3), steps=2)


def random_keys(count: int, seed: int = 1) -> Keys:
    return np.random.default_rng(seed).integers(0, 2**64, count, np.uint64)


@given(keys=st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_each_key_is_hashed_for_itself(keys: list[int]) -> None:
    found = mixed(np.array(keys, np.uint64), b"counts")
    wanted = [blake2b(key.to_bytes(8, "little"), digest_size=8, person=b"counts").digest() for key in keys]
    assert found.tolist() == [int.from_bytes(digest, "little") for digest in wanted]
    assert found.dtype == np.uint64


def test_mixing_keeps_shapes_and_parts_purposes() -> None:
    keys = random_keys(12).reshape(3, 4)
    one, other = mixed(keys, b"counts"), mixed(keys, b"random rounding")
    assert one.shape == (3, 4)
    assert not (one == other).any()
    with pytest.raises(ValueError, match="uint64"):
        mixed(keys.astype(np.int64), b"counts")


def look_up(table: PTable, count: int, key: int) -> int:
    return int(changes(np.array([count]), np.array([key], np.uint64), table)[0])


def wrong_places(table: PTable, lookup: Callable[[PTable, int, int], int]) -> int:
    """How many first and last keys of the ranges of a table do not give their change."""
    wrong = 0
    for count, row in enumerate(table.rows):
        low = 0
        for change, share in zip(row.changes, row.shares, strict=True):
            wrong += (lookup(table, count, low) != change) + (lookup(table, count, low + share - 1) != change)
            low += share
    return wrong


@pytest.mark.parametrize("table", [TABLE, FREE])
def test_every_range_of_keys_starts_and_ends_where_its_share_says(table: PTable) -> None:
    assert wrong_places(table, look_up) == 0


def test_a_threshold_that_is_one_key_off_is_caught() -> None:
    """The positive control."""
    assert wrong_places(TABLE, lambda table, count, key: look_up(table, count, max(key - 1, 0))) > 100


def p_value(found: Integers, row: Row) -> float:
    """Chi-square of the realised changes against the row's law; rare changes are taken together, others give 0."""
    seen = np.array([(found == change).sum() for change in row.changes])
    if seen.sum() < found.size:
        return 0.0
    wanted = np.array(row.shares) / KEYS * found.size
    rare = wanted < 10
    if rare.any():
        seen, wanted = np.append(seen[~rare], seen[rare].sum()), np.append(wanted[~rare], wanted[rare].sum())
    return float(stats.chisquare(seen, wanted).pvalue)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 12, 13, 14, 1000])
def test_realised_changes_have_the_law_of_their_row(count: int) -> None:
    counts = np.full(20_000, count, np.int64)
    found = perturbed(counts, random_keys(20_000, count), TABLE) - counts
    assert p_value(found, TABLE.row(count)) > 1e-4


@pytest.mark.parametrize("count", [1, 3, 7, 13])
def test_a_planted_shift_of_one_change_is_caught(count: int) -> None:
    """The positive control: each range of keys gives the change of the range before it."""
    row = TABLE.row(count)
    shifted = np.roll(row.changes, 1)[np.searchsorted(row.highest, random_keys(20_000))]
    assert p_value(shifted, row) < 1e-9


def test_law_of_a_neighbouring_row_is_caught() -> None:
    """A positive control too: rows are counted from 1 by mistake."""
    planted = changes(np.full(20_000, 6, np.int64), random_keys(20_000), TABLE)
    assert p_value(planted, TABLE.row(7)) < 1e-4


def key_sums(records: Keys, sets: list[Integers]) -> Keys:
    return np.array([records[members].sum(dtype=np.uint64) for members in sets])


def test_the_same_records_get_the_same_noise_in_any_order_and_table() -> None:
    rng = np.random.default_rng(5)
    records = random_keys(300)
    sets = [rng.choice(300, rng.integers(1, 200), replace=False) for _ in range(50)]
    counts = np.array([members.size for members in sets])
    first = perturbed(counts, key_sums(records, sets), TABLE)
    order = rng.permutation(50)
    again = perturbed(counts[order], key_sums(records, [rng.permutation(sets[i]) for i in order]), TABLE)
    assert np.array_equal(first[order], again)


def halves(key: int, uniform: Callable[[Keys], Keys]) -> float:
    """Variance of what the two parts of one set are changed by together, over its splits; key is that of the whole."""
    first = random_keys(20_000)
    both = np.stack([first, np.uint64(key) - first])
    return float(changes(np.full(both.shape, 100, np.int64), uniform(both), FREE).sum(axis=0).var())


def test_the_noise_of_two_parts_does_not_cancel() -> None:
    """Positive control: by sums of keys as they are, it cancels in every split of a set whose sum is 0."""
    for part in (0, 1, 4):
        assert halves(part * 2**61, lambda keys: mixed(keys, b"counts")) == pytest.approx(10, rel=0.05)
    assert halves(0, lambda keys: keys) < 0.01


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_zeros_stay_and_no_hidden_count_is_shown(counts: list[int], seed: int) -> None:
    exact = np.array(counts, np.int64)
    found = perturbed(exact, np.where(exact > 0, random_keys(exact.size, seed), np.uint64(0)), TABLE)
    assert (found[exact == 0] == 0).all()
    assert ((found == 0) | (found > 3)).all()
    assert (np.abs(found - exact) <= 9).all()


def test_a_table_may_take_zeros_up_but_not_structural_ones() -> None:
    table = maximum_entropy(Parameters(5, 3.0, 2, zeros=0.25))
    counts, keys = np.zeros(20_000, np.int64), random_keys(20_000)
    structural = np.arange(20_000) < 5_000
    found = perturbed(counts, keys, table, structural)
    assert not found[structural].any()
    assert set(found[~structural].tolist()) == {0, 3}
    assert (found[~structural] == 3).mean() == pytest.approx(0.25, abs=4 * math.sqrt(0.1875 / 15_000))
    with pytest.raises(ValueError, match="a key of categories for each zero"):
        perturbed(counts, np.zeros_like(keys), table)
    assert not perturbed(counts, np.zeros_like(keys), table, np.ones(20_000, np.bool_)).any()


def test_wrong_arrays_are_refused() -> None:
    counts, keys = np.array([3, 0]), np.array([5, 0], np.uint64)
    wrong: list[tuple[Integers, Keys]] = [
        (counts, keys[:1]), (counts - 1, keys), (counts.astype(np.int32), keys), (counts, keys.astype(np.int64)),
    ]  # fmt: skip
    for these, those in wrong:
        with pytest.raises(ValueError, match="want int64 counts from 0"):
            perturbed(these, those, TABLE)
    for structural in (np.array([True, False]), np.array([True])):
        with pytest.raises(ValueError, match="on zeros only"):
            perturbed(counts, keys, TABLE, structural)


def amounts(cells: int, contributors: int, seed: int = 3) -> tuple[Integers, Integers]:
    """Sums of log-normal amounts, and the three largest of each."""
    rng = np.random.default_rng(seed)
    found = np.sort(np.rint(np.exp(rng.normal(8, 1.5, (cells, contributors)))).astype(np.int64), axis=1)
    return found.sum(axis=1), np.ascontiguousarray(found[:, :-4:-1])


def test_the_flex_function_falls_from_small_to_large_without_a_step() -> None:
    at = FLEX.magnitude(np.array([1.0, 999.9999, 1000.0, 1000.0001, 1e4, 1e12]))
    assert at[:3] == pytest.approx(0.2)
    assert at[3] == pytest.approx(0.2, rel=1e-5)
    assert 0.03 < at[4] < 0.2
    assert at[5] == pytest.approx(0.03, rel=1e-3)


def test_noise_of_one_contributor_is_read_between_two_rows() -> None:
    """By hand: x = 500 below the flex point, so delta = 100; X = 730 is 7.3 deltas; one step per delta."""
    flex = Flex(small=0.2, large=0.03, point=1000)
    keys = random_keys(200)
    rows = [FREE.row(i).look_up(mixed(keys, b"sum 0")) for i in (7, 8)]
    wanted = np.rint(730 + 100 * (0.7 * rows[0] + 0.3 * rows[1]))
    found = perturbed_sums(np.full(200, 730), np.full((200, 1), 500), keys, FREE, flex)
    assert np.abs(found - wanted).max() <= 1
    assert np.unique(found).size > 5


@given(seed=st.integers(0, 2**32), contributors=st.integers(3, 8), steps=st.integers(1, 5))
def test_no_sum_becomes_negative(seed: int, contributors: int, steps: int) -> None:
    flex = Flex(small=1.0, large=0.9, point=10_000, weights=(3.0, 2.0, 1.0), steps=steps)
    total, largest = amounts(50, contributors, seed)
    found = perturbed_sums(total, largest, random_keys(50, seed), FREE, flex)
    assert (found >= 0).all()
    assert np.array_equal(found, perturbed_sums(total, largest, random_keys(50, seed), FREE, flex))


def off(extra: float) -> float:
    """Mean change of a sum of few contributors, in standard errors."""
    flex = Flex(small=0.2, large=0.03, point=1000, weights=(5.0,), extra=extra)
    keys = random_keys(50_000)
    found = perturbed_sums(
        np.full(keys.size, 1500), np.full((keys.size, 1), 900), keys, FREE, flex, np.ones(keys.size, np.bool_)
    )
    return abs(float(found.mean()) - 1500) / float(found.std()) * math.sqrt(keys.size)


def test_changes_of_sums_are_unbiased_unless_they_are_raised() -> None:
    """Positive control: extra noise in a small cell is cut off at 0, as documented, and that is seen."""
    assert off(0.0) < 4
    assert off(2.0) > 10


def test_sensitive_cells_get_at_least_the_extra_noise() -> None:
    flex = Flex(small=0.2, large=0.03, point=1000, weights=(1.0,), extra=2.5)
    keys = random_keys(500)
    total, largest = np.full(500, 100_000), np.full((500, 1), 500)
    sensitive = np.arange(500) < 250
    moved = np.abs(perturbed_sums(total, largest, keys, FREE, flex, sensitive) - total)
    assert (moved[sensitive] >= 250).all()
    assert (moved[~sensitive] < 250).any()


def test_a_sum_without_contributors_stays() -> None:
    nothing = np.zeros((3, 3), np.int64)
    assert not perturbed_sums(np.zeros(3, np.int64), nothing, random_keys(3), FREE, FLEX).any()


def test_wrong_sums_are_refused() -> None:
    total, largest = amounts(4, 5)
    keys = random_keys(4)
    with pytest.raises(ValueError, match="the contributors that count"):
        perturbed_sums(total, largest[:, :2], keys, FREE, FLEX)
    with pytest.raises(ValueError, match="one uint64 key"):
        perturbed_sums(total, largest, keys[:2], FREE, FLEX)
    for sums, contributors in [(-total, largest), (total, largest[:, ::-1]), (total, -largest)]:
        with pytest.raises(ValueError, match="descend"):
            perturbed_sums(sums, contributors, keys, FREE, FLEX)
    with pytest.raises(ValueError, match="keeps zeros"):
        perturbed_sums(total, largest, keys, maximum_entropy(Parameters(3, 3.0, zeros=0.1)), FLEX)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"small": 0.02}, "small, large"), ({"large": 0.0}, "small, large"), ({"small": 1.5}, "small, large"),
        ({"point": 0.0}, "point, power"), ({"power": 0.5}, "point, power"), ({"point": math.inf}, "point, power"),
        ({"weights": ()}, "weights"), ({"weights": (1.0, 0.0)}, "weights"),
        ({"steps": 0}, "steps, extra"), ({"extra": -1.0}, "steps, extra"),
    ],
)  # fmt: skip
def test_a_flex_function_that_makes_no_sense_is_refused(wrong: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Flex(**({"small": 0.2, "large": 0.03, "point": 1000.0} | wrong))
