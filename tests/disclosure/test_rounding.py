"""Rounding: the nearest, the random that is fair and repeats itself, and the controlled that adds up."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure.cell_key.keys import Keys
from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.rounding import CannotRound, Published, Rounding, RoundingMethod, low, nearest, preimage, rounded
from disclosure.rounding import controlled as module
from disclosure.rounding.controlled import controlled
from disclosure.rounding.random import LARGEST_BASE, by_key, share_of
from disclosure.tables import Integers
from tests.lib.dense import trees

BASES = st.sampled_from([2, 3, 5, 7, 10, 100])
KEYS = st.integers(0, 2**64 - 1)
CONTROLLED = RoundingMethod.CONTROLLED


def plain(*sizes: int) -> tuple[Dimension, ...]:
    return tuple(Dimension.of(Chain.plain(size)) for size in sizes)


def cube_of(dimensions: tuple[Dimension, ...], codes: Integers) -> Cube:
    return Cube(dimensions, add_totals(codes.astype(np.int64), dimensions))


def poisson(dimensions: tuple[Dimension, ...], seed: int, mean: float) -> Cube:
    rng = np.random.default_rng(seed)
    return cube_of(dimensions, rng.poisson(mean, [len(dimension.codes) for dimension in dimensions]))


def adds_up(dimensions: tuple[Dimension, ...], values: Integers) -> bool:
    return all(
        np.array_equal(values.take(line.parts, axis).sum(axis), values.take(line.total, axis))
        for axis, dimension in enumerate(dimensions)
        for line in dimension.lines
    )


@st.composite
def networks(draw: st.DrawFn) -> Cube:
    """One or two dimensions, one of them with levels between its codes and their total."""
    tree = Dimension.of(draw(trees(8)))
    other = plain(draw(st.integers(1, 5)))
    dimensions = draw(st.sampled_from([(tree,), (tree, *other), (*other, tree)]))
    return poisson(dimensions, draw(st.integers(0, 2**32)), draw(st.sampled_from([0.5, 4.0, 60.0])))


def split(seed: int, rows: int, bins: list[int], records: int) -> Cube:
    """Records in rows, counted in all and by several variables at once."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, rows, records)
    counts = [np.zeros((rows, size), np.int64) for size in bins]
    for table in counts:
        np.add.at(table, (places, rng.integers(0, table.shape[1], records)), 1)
    return cube_of((*plain(rows), Dimension.splits(bins)), np.concatenate(counts, axis=1))


@st.composite
def cubes(draw: st.DrawFn) -> Cube:
    """Levels in both dimensions, one count split in several ways, three dimensions."""
    seed, mean = draw(st.integers(0, 2**32)), draw(st.sampled_from([0.5, 4.0, 60.0]))
    match draw(st.sampled_from(["levels", "splits", "dimensions"])):
        case "levels":
            return poisson((Dimension.of(draw(trees(6))), Dimension.of(draw(trees(6)))), seed, mean)
        case "splits":
            bins = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
            return split(seed, draw(st.integers(1, 5)), bins, draw(st.integers(0, 200)))
        case _:
            return poisson(plain(2, draw(st.integers(1, 4)), draw(st.integers(1, 3))), seed, mean)


@given(values=st.lists(st.integers(0, 10**12), min_size=1), base=BASES)
def test_the_nearest_is_a_multiple_at_most_half_a_base_away(values: list[int], base: int) -> None:
    exact = np.array(values, np.int64)
    found = nearest(exact, base)
    assert not (found % base).any()
    assert (2 * np.abs(found - exact) <= base).all()
    first, last = preimage(found, base)
    assert ((first <= exact) & (exact <= last)).all()
    assert np.array_equal(nearest(first, base), found)
    assert np.array_equal(nearest(last, base), found)
    assert (nearest(last + 1, base) == found + base).all()


def test_a_half_goes_up() -> None:
    assert nearest(np.array([4, 5, 14, 15, 2, 3]), 10).tolist() == [0, 10, 10, 20, 0, 0]


@given(key=KEYS, base=st.integers(1, LARGEST_BASE))
def test_shares_of_keys_are_exact(key: int, base: int) -> None:
    assert share_of(np.array([key], np.uint64), base).tolist() == [key * base >> 64]


@given(value=st.integers(0, 10**12), base=st.integers(2, 10**6))
def test_as_many_keys_round_up_as_make_it_unbiased(value: int, base: int) -> None:
    """Up for keys below r·2^64/b and for no others: the mean over all 2^64 keys is the value, to less than b·2^-64."""
    whole, left = divmod(value, base)
    up = -(-left * 2**64 // base)
    assert 0 <= up * base - left * 2**64 < base
    keys = [key for key in (0, up - 1, up, 2**64 - 1) if 0 <= key < 2**64]
    found = by_key(np.full(len(keys), value, np.int64), np.array(keys, np.uint64), base)
    assert found.tolist() == [base * (whole + (key < up)) for key in keys]


@pytest.mark.parametrize("base", [2, 4, 8, 3, 5, 10])
def test_the_mean_over_an_even_grid_of_keys_is_the_value(base: int) -> None:
    grid = np.array([-(-place * 2**64 // (16 * base)) for place in range(16 * base)], np.uint64)
    for value in range(3 * base + 1):
        found = by_key(np.full(grid.shape, value, np.int64), grid, base)
        assert found.sum() == value * grid.size
        assert (np.abs(found - value) < base).all()


def bias(keys: Keys) -> float:
    """Of values 0 … 999 to base 5, in standard errors."""
    values = np.resize(np.arange(1000, dtype=np.int64), keys.shape)
    moved = by_key(values, keys, 5) - values
    return abs(float(moved.mean())) / float(moved.std()) * math.sqrt(keys.size)


def test_random_rounding_by_random_keys_is_unbiased() -> None:
    keys = np.random.default_rng(7).integers(0, 2**64, 200_000, np.uint64)
    assert bias(keys) < 4
    assert bias(keys & np.uint64(2**64 - 2**60 - 1)) > 10, "positive control: one bit of the keys is always 0"


def keyed(dimensions: tuple[Dimension, ...], counts: Integers, seed: int) -> tuple[Cube, Keys]:
    """A table and the sums of the keys of its records, mod 2^64."""
    records = np.random.default_rng(seed)
    sums = np.zeros(counts.shape, np.uint64)
    for place in np.ndindex(counts.shape):
        sums[place] = records.integers(0, 2**64, counts[place], np.uint64).sum(dtype=np.uint64)
    with np.errstate(over="ignore"):
        keys = add_totals(sums.view(np.int64), dimensions).view(np.uint64)
    return cube_of(dimensions, counts), keys


def test_the_same_records_are_rounded_alike_in_every_table() -> None:
    """The same 77 records stand alone in a row, in its total, and in a table of one cell."""
    counts = np.array([[0, 77, 0], [3, 4, 9]])
    cube, keys = keyed(plain(2, 3), counts, 3)
    found = rounded(cube, RoundingMethod.RANDOM, 5, keys)
    alone = rounded(Cube((), np.array(77)), RoundingMethod.RANDOM, 5, keys[0, 1].reshape(()))
    assert found.values[0, 1] == found.values[0, 3] == alone.values
    assert found.within == 5
    assert np.array_equal(found.values, rounded(cube, RoundingMethod.RANDOM, 5, keys.copy()).values)
    assert (found.values[cube.values % 5 == 0] == cube.values[cube.values % 5 == 0]).all()


def test_other_records_are_rounded_independently() -> None:
    ups = [
        rounded(*keyed_one(seed), 5, keyed(plain(2), np.array([77, 0]), seed)[1]).values[0] == 80 for seed in range(400)
    ]
    assert abs(sum(ups) / 400 - 2 / 5) < 4 * math.sqrt(0.24 / 400)


def keyed_one(seed: int) -> tuple[Cube, RoundingMethod]:
    return keyed(plain(2), np.array([77, 0]), seed)[0], RoundingMethod.RANDOM


def check(cube: Cube, base: int, found: Rounding) -> None:
    moved = np.abs(found.values - cube.values)
    assert adds_up(cube.dimensions, found.values)
    assert not (found.values % base).any()
    assert (found.values >= 0).all()
    assert (moved < found.within).all()


@settings(max_examples=40)
@given(cube=networks(), base=BASES)
def test_controlled_rounding_of_two_ways_adds_up_and_stays_within_a_base(cube: Cube, base: int) -> None:
    found = rounded(cube, CONTROLLED, base)
    check(cube, base, found)
    assert found.within == base
    multiples = cube.values % base == 0
    assert np.array_equal(found.values[multiples], cube.values[multiples])


@settings(max_examples=40)
@given(cube=cubes(), base=BASES)
def test_controlled_rounding_of_any_table_adds_up(cube: Cube, base: int) -> None:
    found = rounded(cube, CONTROLLED, base)
    check(cube, base, found)
    assert np.array_equal(found.values, rounded(cube, CONTROLLED, base).values)


def test_rounding_each_cell_would_not_add_up() -> None:
    """The positive control of what is tested above."""
    cube = cube_of(plain(3), np.array([1, 1, 1]))
    assert not adds_up(cube.dimensions, rounded(cube, RoundingMethod.CONVENTIONAL, 3).values)
    assert adds_up(cube.dimensions, rounded(cube, CONTROLLED, 3).values)


def strict_answers(cube: Cube, base: int) -> list[Integers]:
    """All roundings up or down of the codes whose totals are rounded up or down too, by trying every one."""
    codes = cube.values[np.ix_(*(dimension.codes for dimension in cube.dimensions))]
    choices = [sorted({x // base, -(-x // base)}) for x in codes.ravel().tolist()]
    tried = (
        base * add_totals(np.array(choice, np.int64).reshape(codes.shape), cube.dimensions)
        for choice in itertools.product(*choices)
    )
    floor, ceiling = cube.values // base * base, -(-cube.values // base) * base
    return [values for values in tried if ((floor <= values) & (values <= ceiling)).all()]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("base", [3, 5])
def test_no_other_strict_rounding_of_two_ways_changes_less(seed: int, base: int) -> None:
    cube = poisson(plain(3, 3), seed, 6.0)
    best = min(int(np.abs(values - cube.values).sum()) for values in strict_answers(cube, base))
    assert int(np.abs(controlled(cube, base) - cube.values).sum()) == best


def test_three_ways_are_rounded_strictly_wherever_that_can_be() -> None:
    """Some tables of 2 × 2 × 2 have no strict rounding: numbers then move further, and it is said how far."""
    strict = []
    for seed in range(40):
        codes = np.random.default_rng(seed).integers(0, 2, (2, 2, 2))
        cube = cube_of(plain(2, 2, 2), codes)
        found = rounded(cube, CONTROLLED, 2)
        check(cube, 2, found)
        strict.append(bool(strict_answers(cube, 2)))
        assert (found.within == 2) is strict[-1]
        assert found.within <= 4
    assert set(strict) == {True, False}


@pytest.mark.parametrize("base", [3, 5, 10])
def test_published_numbers_are_shown_again(base: int) -> None:
    cube = poisson(plain(6, 5), 4, 20.0)
    first = rounded(cube, CONTROLLED, base)
    shown = np.zeros(cube.shape, np.bool_)
    shown[:, -1] = shown[-1, :] = True
    # What was published is an answer, but not the one that would be chosen: one inner table of totals moved together.
    values = first.values.copy()
    values[0, -1] += base
    values[-1, -1] += base
    values[-1, 0] += base
    found = rounded(cube, CONTROLLED, base, published=Published(shown, values))
    assert np.array_equal(found.values[shown], values[shown])
    assert not np.array_equal(found.values, first.values)
    check(cube, base, found)


def test_published_numbers_that_cannot_be_met_are_refused_without_a_word_of_the_data() -> None:
    cube = poisson(plain(4, 4), 1, 900.0)
    shown = np.zeros(cube.shape, np.bool_)
    shown[-1, -1] = True
    with pytest.raises(CannotRound) as refused:
        controlled(cube, 5, Published(shown, np.zeros(cube.shape, np.int64)))
    assert refused.value.reason == "no rounding that adds up has every number within 15 of the truth"


@pytest.mark.parametrize("wrong", [7, -5])
def test_published_numbers_are_multiples_of_the_base(wrong: int) -> None:
    cube = poisson(plain(2), 1, 9.0)
    with pytest.raises(ValueError, match="multiples of the base"):
        controlled(cube, 5, Published(np.ones(3, np.bool_), np.full(3, wrong)))
    with pytest.raises(ValueError, match="want flags and int64 values"):
        controlled(cube, 5, Published(np.ones(2, np.bool_), np.zeros(2, np.int64)))


def test_three_ways_beyond_the_limit_are_refused_for_their_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is solved, so that it tells nothing of the data. Two ways have a limit of their own."""
    monkeypatch.setattr(module, "MOST_CELLS_BRANCHED", 26)
    with pytest.raises(CannotRound, match="more than 26 cells; take coarser groups or fewer dimensions"):
        controlled(cube_of(plain(2, 2, 2), np.zeros((2, 2, 2))), 2)
    assert not controlled(cube_of(plain(1, 9, 9), np.zeros((1, 9, 9))), 2)[:1].any()
    monkeypatch.setattr(module, "MOST_CELLS", 99)
    with pytest.raises(CannotRound, match="more than 99 cells"):
        controlled(cube_of(plain(9, 9), np.zeros((9, 9))), 2)


def test_two_ways_whose_program_has_no_whole_vertex_are_branched_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels in both dimensions are no network: some seeds find tables whose linear program alone does not do."""
    levels = Dimension.of(Chain(4, ((0, 0, 1, 1), (0, 0))))
    tried = [poisson((levels, levels), seed, 1.5) for seed in range(10, 31)]
    for cube in tried:
        check(cube, 2, rounded(cube, CONTROLLED, 2))
    monkeypatch.setattr(module, "MOST_CELLS_BRANCHED", 48)
    refused = 0
    for cube in tried:
        try:
            controlled(cube, 2)
        except CannotRound:
            refused += 1
    assert 0 < refused < len(tried)


def test_out_of_time_is_a_refusal() -> None:
    with pytest.raises(CannotRound, match="in time"):
        controlled(poisson(plain(30, 12), 3, 40.0), 5, seconds=0.0)


def test_a_solver_that_does_not_add_up_is_not_believed() -> None:
    cube = poisson(plain(3, 3), 2, 10.0)
    wrong = controlled(cube, 5).copy()
    wrong[0, 0] += 5
    with pytest.raises(CannotRound, match="does not add up"):
        module._checked(cube, wrong)


def test_150_by_20_with_all_totals_is_rounded_strictly() -> None:
    dimensions = (Dimension.of(Chain(150, (tuple(i // 15 for i in range(150)), (0,) * 10))), *plain(20))
    assert rounded(poisson(dimensions, 5, 200.0), CONTROLLED, 5).within == 5


@pytest.mark.slow
def test_30_by_12_by_6_is_rounded_in_time() -> None:
    """The largest three-way table of the yardstick, by branch and bound."""
    cube = poisson(plain(30, 12, 6), 5, 90.0)
    found = rounded(cube, CONTROLLED, 5)
    check(cube, 5, found)
    assert found.within <= 10


def test_low_is_what_is_shown_as_zero_and_is_not() -> None:
    cube = cube_of(plain(4), np.array([0, 2, 3, 5]))
    released = rounded(cube, RoundingMethod.CONVENTIONAL, 5).values
    assert low(cube, released).tolist() == [False, True, False, False, False]


def test_methods_take_what_they_need_and_nothing_else() -> None:
    cube = poisson(plain(3), 2, 10.0)
    keys = np.zeros(4, np.uint64)
    for wrong in (1, 0, LARGEST_BASE + 1):
        with pytest.raises(ValueError, match="base: wants"):
            rounded(cube, RoundingMethod.CONVENTIONAL, wrong)
    with pytest.raises(ValueError, match="keys: random rounding wants"):
        rounded(cube, RoundingMethod.RANDOM, 5)
    with pytest.raises(ValueError, match="want uint64 keys"):
        rounded(cube, RoundingMethod.RANDOM, 5, keys[:2])
    with pytest.raises(ValueError, match="base: wants"):
        by_key(cube.values, keys, 0)
    with pytest.raises(ValueError, match="published: only"):
        rounded(cube, RoundingMethod.RANDOM, 5, keys, Published(np.ones(4, np.bool_), np.zeros(4, np.int64)))
