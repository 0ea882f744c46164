"""Secondary suppression, against an attacker of the tests' own: two linear programs for each hidden cell (scipy)."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.margins import Chain
from disclosure.suppression.box import Boxes
from disclosure.suppression.moves import Routes
from disclosure.suppression.order import canonical, reordered
from disclosure.suppression.problem import CannotProtect, Method, Pattern, Problem
from disclosure.suppression.suppress import STEPS, Size, boxes, suppress
from disclosure.tables import Flags, Integers
from tests.lib.effort import examples

REGIONS = Dimension.of(Chain(5, ((0, 0, 0, 1, 1), (0, 0))))
DEEP = Dimension.of(Chain(5, ((0, 0, 1, 1, 2), (0, 0, 1), (0, 0))))
SPLITS = Dimension.splits([2, 3])


def plain(size: int) -> Dimension:
    return Dimension.of(Chain.plain(size))


SHAPES = [
    (plain(4), plain(5)),
    (plain(3), plain(3), plain(3)),
    (REGIONS, plain(3)),
    (DEEP, plain(3)),
    (plain(4), SPLITS),
    (plain(2), plain(2), plain(2), plain(2)),
    (plain(3), plain(2), SPLITS),
    (plain(6),),
]


# The attacker.


def equations(cube: Cube) -> Integers:
    """One row per line of the cube: total less parts."""
    numbers = np.arange(cube.values.size).reshape(cube.shape)
    rows = []
    for axis, dimension in enumerate(cube.dimensions):
        for line in dimension.lines:
            for total, *parts in np.moveaxis(numbers.take([line.total, *line.parts], axis), axis, -1).reshape(
                -1, 1 + len(line.parts)
            ):
                row = np.zeros(cube.values.size, np.int64)
                row[total], row[parts] = 1, -1
                rows.append(row)
    return np.array(rows)


def widths(problem: Problem, hidden: Flags) -> dict[int, float]:
    """Of the interval that the shown cells leave for each hidden one."""
    unknown = np.flatnonzero(hidden & ~problem.known)
    lines = equations(problem.cube)[:, unknown]
    lines = lines[lines.any(1)]
    sums = lines @ problem.cube.values.ravel()[unknown]
    found = {}
    for place, cell in enumerate(unknown.tolist()):
        ends = []
        for sign in (1, -1):
            costs = np.zeros(unknown.size)
            costs[place] = sign
            solved = linprog(costs, A_eq=lines, b_eq=sums, bounds=(problem.floor, None), method="highs")
            ends.append(-np.inf if solved.status in (3, 4) else solved.fun)
        found[cell] = -ends[0] - ends[1]
    return found


def narrow(problem: Problem, hidden: Flags) -> list[int]:
    """Cells whose interval is narrower than asked, or a single value."""
    asked = np.where(problem.primary, problem.width, 1).ravel()
    return [cell for cell, width in widths(problem, hidden).items() if width < asked[cell] - 1e-6]


# Problems.


def tabulated(dimensions: tuple[Dimension, ...], records: Integers) -> Cube:
    """records: one number for each combination of codes; of a split total, for each combination of all splits' bins."""
    codes = records
    for axis, dimension in enumerate(dimensions):
        if dimension is SPLITS:
            codes = np.concatenate([codes.sum(axis + 1, keepdims=False), codes.sum(axis)], axis)
    return Cube(dimensions, add_totals(codes, dimensions))


def sizes(dimensions: tuple[Dimension, ...]) -> tuple[int, ...]:
    return tuple(n for d in dimensions for n in ((2, 3) if d is SPLITS else (len(d.codes),)))


@st.composite
def cubes(draw: st.DrawFn, most: int = 12) -> Cube:
    dimensions = draw(st.sampled_from(SHAPES))
    shape = sizes(dimensions)
    seed = draw(st.integers(0, 2**32 - 1))
    level = draw(st.integers(1, most))
    sparse = draw(st.sampled_from([0.0, 0.3]))
    rng = np.random.default_rng(seed)
    records = rng.integers(0, level, shape) * (rng.random(shape) >= sparse)
    return tabulated(dimensions, records.astype(np.int64))


def of_threshold(cube: Cube, threshold: int, floor: int, width: int | None = None) -> Problem:
    """Cells below the threshold are primary; with a floor of 1, zeros are shown."""
    none, known = np.zeros(cube.shape, np.bool_), cube.values < floor
    widths = np.full(cube.shape, max(1, threshold - 1) if width is None else width)
    return Problem(cube, (cube.values < threshold) & ~known, none, known, floor, widths)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Any rules, and what earlier releases showed and hid."""
    cube, floor = draw(cubes()), draw(st.integers(0, 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    known = (cube.values < floor) | (rng.random(cube.shape) < draw(st.sampled_from([0.0, 0.1])))
    hidden = (rng.random(cube.shape) < draw(st.sampled_from([0.0, 0.1]))) & ~known
    other = rng.random(cube.shape) < draw(st.sampled_from([0.0, 0.1]))
    primary = ((cube.values < draw(st.integers(0, 6))) | other) & ~known
    most = draw(st.integers(1, 9))
    return Problem(cube, primary, hidden, known, floor, rng.integers(1, most + 1, cube.shape))


def found(problem: Problem) -> Pattern | None:
    try:
        return suppress(problem)
    except CannotProtect:
        return None


@settings(max_examples=examples(12), deadline=None)
@given(problems())
def test_no_hidden_cell_is_recoverable_and_no_primary_one_narrower_than_its_width(problem: Problem) -> None:
    pattern = found(problem)
    if pattern is not None:
        assert (pattern.hidden >= (problem.primary | problem.hidden)).all()
        assert not narrow(problem, pattern.hidden)


@settings(max_examples=examples(12), deadline=None)
@given(problems())
def test_certified_widths_are_not_wider_than_what_an_attacker_is_left_with(problem: Problem) -> None:
    pattern = found(problem)
    if pattern is not None:
        real = widths(problem, pattern.hidden)
        assert all(pattern.certified.flat[cell] <= width + 1e-6 for cell, width in real.items())
        assert (pattern.certified[problem.primary] >= problem.width[problem.primary]).all()


@settings(max_examples=examples(12), deadline=None)
@given(cubes(), st.integers(0, 1), st.integers(1, 9), st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_a_higher_threshold_or_a_larger_width_never_shows_more(
    cube: Cube, floor: int, threshold: int, more: int, wider: int, own: bool
) -> None:
    width = max(1, threshold - 1) if own else 4
    looser = found(of_threshold(cube, threshold, floor, width))
    tighter = found(of_threshold(cube, threshold + more, floor, width + wider))
    assert tighter is None or (looser is not None and (tighter.hidden >= looser.hidden).all())


@settings(max_examples=examples(12), deadline=None)
@given(problems(), st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_more_rules_never_show_more(problem: Problem, seed: int, wider: int) -> None:
    more = (np.random.default_rng(seed).random(problem.cube.shape) < 0.1) & ~problem.known
    stricter = replace(problem, primary=problem.primary | more, width=problem.width + wider)
    looser, tighter = boxes(problem), boxes(stricter)
    assert (tighter.hidden >= looser.hidden).all()


def permuted(problem: Problem, seed: int) -> tuple[Problem, tuple[Integers, ...]]:
    """Codes in another order; totals after their parts, as they have to be."""
    rng = np.random.default_rng(seed)
    orders = []
    for dimension in problem.cube.dimensions:
        height = np.zeros(dimension.size, np.int64)
        for line in dimension.lines:
            height[line.total] = max(height[line.total], 1 + height[list(line.parts)].max())
        orders.append(np.lexsort((rng.random(dimension.size), height)))
    at = np.ix_(*orders)
    dimensions = tuple(reordered(d, order) for d, order in zip(problem.cube.dimensions, orders, strict=True))
    arrays = (problem.primary[at], problem.hidden[at], problem.known[at])
    return Problem(Cube(dimensions, problem.cube.values[at]), *arrays, problem.floor, problem.width[at]), tuple(orders)


@settings(max_examples=examples(12), deadline=None)
@given(cubes(40), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_a_permuted_table_has_the_same_cells_hidden(cube: Cube, threshold: int, seed: int) -> None:
    problem = of_threshold(cube, threshold, 1)
    other, _ = permuted(problem, seed)
    first, second = found(problem), found(other)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        own = canonical(problem.cube.dimensions, problem.cube.values)
        same = canonical(other.cube.dimensions, other.cube.values)
        assert np.array_equal(problem.cube.values[np.ix_(*own)], other.cube.values[np.ix_(*same)])
        assert np.array_equal(first.hidden[np.ix_(*own)], second.hidden[np.ix_(*same)])


@settings(max_examples=examples(15), deadline=None)
@given(st.permutations(range(1, 21)), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_without_two_rows_alike_the_pattern_is_permuted_with_the_table(
    values: list[int], threshold: int, seed: int
) -> None:
    cube = tabulated((plain(4), plain(5)), np.array(values).reshape(4, 5))
    problem = of_threshold(cube, threshold, 1)
    other, orders = permuted(problem, seed)
    assert np.array_equal(suppress(problem).hidden[np.ix_(*orders)], suppress(other).hidden)


# What the attacker of these tests is able to find.


def four_by_four() -> Problem:
    """Rows and columns with two cells hidden each, or three; one cell follows from two rows less two columns."""
    cube = tabulated((plain(4), plain(4)), np.full((4, 4), 9, np.int64))
    primary = np.zeros(cube.shape, np.bool_)
    primary[[0, 0, 1, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 2, 3, 2, 3]] = True
    return replace(of_threshold(cube, 0, 0, 4), primary=primary)


def test_two_hidden_cells_in_each_line_are_not_enough_and_the_attacker_knows() -> None:
    problem = four_by_four()
    lines = [problem.primary[:4, :4].sum(axis) for axis in (0, 1)]
    assert all((line >= 2).all() for line in lines)
    isolated = int(np.ravel_multi_index((1, 2), problem.cube.shape))
    assert narrow(problem, problem.primary) == [isolated]
    assert not narrow(problem, suppress(problem).hidden)


def test_a_corner_with_the_wrong_sign_would_be_found() -> None:
    """A cell of 1 with two neighbours of 1 and an opposite corner of 9: up to 8 if the opposite corner were to fall."""
    records = np.array([[1, 1, 20], [1, 9, 20], [20, 20, 20]])
    problem = of_threshold(tabulated((plain(3), plain(3)), records), 2, 1, 8)
    hidden = np.zeros(problem.cube.shape, np.bool_)
    hidden[:2, :2] = True
    assert len(narrow(problem, hidden)) == 4


# Parts.


@pytest.mark.parametrize("dimension", [plain(1), plain(5), REGIONS, DEEP, SPLITS])
def test_every_move_keeps_every_line(dimension: Dimension) -> None:
    routes = Routes(dimension, range(dimension.size))
    for element in range(dimension.size):
        moves = routes.through(element)
        assert len(moves)
        for plus, minus in zip(moves.plus, moves.minus, strict=True):
            change = np.zeros(dimension.size + 1, np.int64)
            np.add.at(change, plus, 1)
            np.add.at(change, minus, -1)
            change = change[:-1]
            assert change[element] == 1
            assert set(change.tolist()) <= {-1, 0, 1}
            assert all(change[line.total] == change[list(line.parts)].sum() for line in dimension.lines)


def test_a_plain_dimension_has_a_move_to_every_other_code_and_one_through_the_total() -> None:
    routes = Routes(plain(5), range(6))
    assert [len(routes.through(element)) for element in range(6)] == [5] * 6


@settings(max_examples=examples(12), deadline=None)
@given(cubes(), st.integers(1, 12), st.data())
def test_the_cheapest_box_is_that_of_a_search_of_all_pairs(cube: Cube, need: int, data: st.DataObject) -> None:
    cube = tabulated((plain(4), plain(5)), np.random.default_rng(int(cube.values.sum())).integers(0, 12, (4, 5)))
    none = np.zeros(cube.shape, np.bool_)
    known = cube.values < 1
    cell = data.draw(st.sampled_from([(int(i), int(j)) for i, j in np.argwhere(~known[:4, :5])]))
    costs = np.rint(1024 * (0.2 + np.log1p(cube.values)))
    pairs = {}
    for i in set(range(5)) - {cell[0]}:
        for j in set(range(6)) - {cell[1]}:
            sign = (1 if i == 4 else -1) * (1 if j == 5 else -1)
            corners = {cell: 1, (i, cell[1]): 1 if i == 4 else -1, (cell[0], j): 1 if j == 5 else -1, (i, j): sign}
            ends = [[int(cube.values[at]) - 1 for at, s in corners.items() if s == side] for side in (-1, 1)]
            if not any(known[at] for at in corners) and sum(min(end, default=1 << 40) for end in ends) >= need:
                pairs[i, j] = sum(costs[at] for at in corners)
    chosen = Boxes(cube, known, none, 1).protect(cell, need)
    if pairs:
        (box,) = chosen
        assert box.up + box.down >= need
        assert costs.ravel()[box.cells].sum() == min(pairs.values())
    else:
        assert len(chosen) != 1 or chosen[0].up + chosen[0].down < need


def test_no_method_hides_the_primary_cells_alone() -> None:
    problem = four_by_four()
    assert np.array_equal(suppress(problem, Method.NONE).hidden, problem.primary)


def test_the_optimal_method_hides_no_more_than_boxes_do() -> None:
    problem = small_table(5)
    usual, fewest = suppress(problem), suppress(problem, Method.OPTIMAL)
    assert problem.primary.sum() < fewest.hidden.sum() <= usual.hidden.sum()
    assert not narrow(problem, fewest.hidden)


@pytest.mark.parametrize(
    ("dimensions", "size", "says"),
    [
        ((plain(3), plain(9)), Size(cells=30), "coarser codes in dimension 2 or fewer dimensions"),
        ((plain(3), plain(3)), Size(dimensions=1), "at most 1 dimensions"),
    ],
)
def test_too_large_a_table_is_refused_with_what_would_pass(
    dimensions: tuple[Dimension, ...], size: Size, says: str
) -> None:
    cube = tabulated(dimensions, np.full(sizes(dimensions), 3))
    with pytest.raises(CannotProtect, match=says):
        suppress(of_threshold(cube, 5, 1), size=size)


def test_a_cell_that_was_shown_before_cannot_be_protected() -> None:
    problem = of_threshold(tabulated((plain(3), plain(3)), np.full((3, 3), 3)), 5, 1)
    with pytest.raises(CannotProtect, match="shown before"):
        suppress(replace(problem, known=problem.primary))


def test_where_nothing_else_can_be_hidden_the_table_is_refused() -> None:
    problem = of_threshold(tabulated((plain(2), plain(2)), np.array([[1, 50], [50, 50]])), 5, 1)
    with pytest.raises(CannotProtect, match="fewer dimensions"):
        suppress(replace(problem, known=problem.cube.values >= 5))


def test_intervals_wider_than_any_threshold_are_kept_too() -> None:
    records = np.random.default_rng(3).integers(100, 9000, (5, 4))
    problem = of_threshold(tabulated((plain(5), plain(4)), records), 0, 0)
    primary = np.zeros(problem.cube.shape, np.bool_)
    primary[[0, 1, 4], [2, 2, 0]] = True
    problem = replace(problem, primary=primary, width=problem.cube.values // 10 + STEPS)
    assert not narrow(problem, suppress(problem).hidden)


# The yardstick.


def least(problem: Problem) -> int:
    """The fewest cells that can be hidden: a table for each end of each interval (Fischetti, Salazar-González 2001)."""
    lines, values, floor = equations(problem.cube), problem.cube.values.ravel(), problem.floor
    cells, primary = values.size, np.flatnonzero(problem.primary)
    tables, reach = 2 * primary.size, 100
    hidden, moves = np.kron(np.ones((tables, 1)), np.eye(cells)), np.eye(tables * cells)
    down = np.tile(np.minimum(values - floor, reach), tables)[:, None]
    ends = np.zeros((primary.size, cells + tables * cells))
    for place, cell in enumerate(primary):
        ends[place, cells + 2 * place * cells + cell] = 1
        ends[place, cells + (2 * place + 1) * cells + cell] = -1
    limits = [
        LinearConstraint(np.hstack([np.zeros((tables * len(lines), cells)), np.kron(np.eye(tables), lines)]), 0, 0),
        LinearConstraint(np.hstack([-reach * hidden, moves]), -np.inf, 0),
        LinearConstraint(np.hstack([down * hidden, moves]), 0, np.inf),
        LinearConstraint(ends, problem.width.ravel()[primary], np.inf),
    ]
    beyond = np.full(tables * cells, reach)
    bounds = Bounds(
        np.concatenate([problem.primary.ravel(), -beyond]), np.concatenate([~problem.known.ravel(), beyond])
    )
    whole = np.concatenate([np.ones(cells), np.zeros(tables * cells)])
    solved = milp(whole, constraints=limits, bounds=bounds, integrality=whole, options={"time_limit": 60})
    assert solved.status == 0
    return round(solved.fun)


def small_table(seed: int) -> Problem:
    shapes = [(plain(5), plain(4)), (plain(6), plain(4)), (REGIONS, plain(3)), (plain(2), plain(2), plain(3))]
    rng = np.random.default_rng(seed)
    dimensions = shapes[seed % len(shapes)]
    mean = reduce(np.multiply.outer, [rng.gamma(2, 1.6, size) for size in sizes(dimensions)])
    return of_threshold(tabulated(dimensions, rng.poisson(mean).astype(np.int64)), 5, 1)


@pytest.mark.slow
def test_at_most_a_quarter_more_cells_are_hidden_than_need_be_in_fifty_small_tables() -> None:
    """Together; in a table with a few cells to hide, one cell more is a quarter."""
    asked = [problem for seed in range(80) if (problem := small_table(seed)).primary.any()]
    patterns = [(problem, pattern) for problem in asked if (pattern := found(problem)) is not None][:50]
    assert len(patterns) == 50
    fewest = sum(least(problem) for problem, _ in patterns)
    assert sum(int(pattern.hidden.sum()) for _, pattern in patterns) <= 1.25 * fewest
