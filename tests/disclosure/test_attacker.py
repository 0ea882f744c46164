"""The attacker's intervals, the audit, repair and the cheapest pattern, against trying everything."""

from __future__ import annotations

import copy
import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from disclosure.cube import Dimension
from disclosure.margins import Chain
from disclosure.suppression.attacker import Knowledge, intervals
from disclosure.suppression.audit import Limits, around, audit
from disclosure.suppression.equations import components, determined, equations
from disclosure.suppression.optimal import optimal
from disclosure.suppression.problem import CannotProtect, Pattern, Problem
from disclosure.suppression.repair import hideable, repair, repaired
from disclosure.tables import Flags
from tests.lib.suppression import every_table, flags, pattern, plain, problem

REGIONS = Dimension.of(Chain(4, ((0, 0, 1, 1), (0, 0))))
SHAPES = {
    "rows and columns": plain(3, 3),
    "regions": (REGIONS, *plain(2)),
    "two splits": (Dimension.splits([2, 2]), *plain(2)),
    "three ways": plain(2, 2, 2),
}


@st.composite
def hidden_tables(draw: st.DrawFn) -> tuple[Problem, Flags]:
    """A small table of which at most four codes and any totals but the last are hidden."""
    dimensions = SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    shape = tuple(len(dimension.codes) for dimension in dimensions)
    codes = np.array(draw(st.lists(st.integers(0, 2), min_size=(n := int(np.prod(shape))), max_size=n))).reshape(shape)
    if len(dimensions[0].lines) == 2 and len(dimensions[0].codes) == 4 and dimensions[0].size == 5:
        codes[2], codes[3] = codes[0] + codes[1], 0  # both splits have one total
    assume(codes.sum() <= 10)
    made = problem(dimensions, codes, floor=draw(st.integers(0, 1)))
    size = made.cube.values.size
    hidden = np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))).reshape(made.cube.shape)
    hidden[(-1,) * hidden.ndim] = False
    at = np.ix_(*[dimension.codes for dimension in dimensions])
    assume(np.count_nonzero((hidden & ~made.known)[at]) <= 4)
    return made, hidden


@settings(max_examples=100, deadline=None)
@given(hidden_tables())
def test_intervals_are_those_of_all_tables(case: tuple[Problem, Flags]) -> None:
    made, hidden = case
    tables = every_table(made, hidden)
    lower, upper = intervals(made, hidden, hidden)
    np.testing.assert_array_equal(lower, tables.min(-1))
    np.testing.assert_array_equal(upper, tables.max(-1))


@settings(max_examples=60, deadline=None)
@given(hidden_tables(), st.integers(1, 3))
def test_the_audit_finds_the_cells_that_trying_all_tables_finds(case: tuple[Problem, Flags], width: int) -> None:
    plain_problem, hidden = case
    tables = every_table(plain_problem, hidden)
    primary = hidden & (np.arange(hidden.size).reshape(hidden.shape) % 3 == 0)
    cube, known, floor = plain_problem.cube, plain_problem.known, plain_problem.floor
    made = Problem(cube, primary, np.zeros_like(hidden), known, floor, np.full(hidden.shape, width))
    found = audit(made, pattern(hidden))
    wide = tables.max(-1) - tables.min(-1)
    want = hidden & np.where(primary, wide < width, ~known & (wide < 1))
    np.testing.assert_array_equal(found.narrow, want)
    assert (found.width <= wide).all()
    assert (found.recoverable, found.primary) == ((want & (wide == 0)).sum(), (want & primary).sum())


@settings(max_examples=30, deadline=None)
@given(hidden_tables())
def test_hiding_more_never_narrows_an_interval(case: tuple[Problem, Flags]) -> None:
    made, hidden = case
    fewer = hidden & (np.arange(hidden.size).reshape(hidden.shape) % 4 != 0)
    lower, upper = intervals(made, fewer, fewer)
    wider_lower, wider_upper = intervals(made, hidden, hidden)
    assert (wider_lower <= lower).all() and (wider_upper >= upper).all()


@settings(max_examples=30, deadline=None)
@given(hidden_tables())
def test_a_repaired_pattern_passes_and_hides_all_it_hid(case: tuple[Problem, Flags]) -> None:
    made, hidden = case
    hidden = hidden & ~made.known
    made = Problem(made.cube, hidden, np.zeros_like(hidden), made.known, made.floor, np.full(hidden.shape, 2))
    try:
        found, proof = repaired(made, pattern(hidden))
    except CannotProtect:
        whole = pattern(hideable(made) | hidden)
        assert audit(made, whole).primary
        return
    assert proof.passed and audit(made, pattern(found.hidden)).passed
    assert (found.hidden >= hidden).all()


def test_a_rounded_table_leaves_what_rounding_leaves() -> None:
    """Parts 12 and 23 are shown to base 5 as 10 and 25: 8 … 12 and 23 … 27. The hidden part of 38 … 42 is the rest."""
    made = problem(plain(3), [12, 23, 4])
    hidden = flags((4,), [(2,)])
    lower, upper = intervals(made, hidden, hidden, base=5)
    assert (lower[2], upper[2]) == (0, 42 - 8 - 23)
    lower, upper = intervals(made, hidden, hidden)
    assert (lower[2], upper[2]) == (4, 4)


def test_an_interval_without_an_upper_end_is_cut() -> None:
    """Every cell of a line is hidden, its total too: nothing bounds them from above."""
    made = problem(plain(2), [3, 4])
    lower, upper = intervals(made, np.ones(3, np.bool_), np.ones(3, np.bool_))
    assert list(lower) == [0, 0, 0] and (upper >= 1000).all()


HALVES = """
1001 0100 1010 0000
0111 1010 0100 1000
0001 1011 1111 1101
"""
SHOWN = [3, 4, 9, 13, 15, 21, 24, 38]


def halves() -> tuple[Problem, Flags]:
    """Three ways, 40 hidden codes. Found by trying tables at random until the two attackers differed."""
    codes = np.array([int(digit) for digit in HALVES if digit.isdigit()]).reshape(3, 4, 4)
    made = problem(plain(3, 4, 4), codes)
    inner = np.ones(48, np.bool_)
    inner[SHOWN] = False
    hidden = np.zeros(made.cube.shape, np.bool_)
    hidden[:-1, :-1, :-1] = inner.reshape(3, 4, 4)
    return made, hidden


def test_an_attacker_who_knows_that_counts_are_integers_is_not_mistaken_for_one_who_does_not() -> None:
    """Real tables let the cell be 0 … ½; all integer tables have 0. `scipy` says so of both attackers."""
    made, hidden = halves()
    known, lines = Knowledge.of(made, hidden), equations(made.cube.dimensions, hidden).toarray()
    place = int(np.flatnonzero(np.flatnonzero(hidden) == 1)[0])
    costs = -np.eye(len(lines.T))[place]
    ends = []
    for whole in (0, 1):
        bounds = np.stack([known.lower[hidden], known.upper[hidden]], 1)
        found = linprog(costs, A_eq=lines, b_eq=np.zeros(len(lines)), bounds=bounds, integrality=whole)
        ends.append(-found.fun)
    assert ends == pytest.approx([0.5, 0], abs=1e-9)
    lower, upper = intervals(made, hidden, hidden)
    assert (lower.ravel()[1], upper.ravel()[1]) == (0, 0)
    assert audit(made, pattern(hidden)).narrow.ravel()[1]


def best_by_hand(made: Problem, costs: dict[int, float]) -> float:
    """The least cost of all patterns that protect the primary cells, by trying all patterns and all tables."""
    free = [int(cell) for cell in np.flatnonzero(hideable(made) & ~made.primary)]
    prices = []
    for size in range(len(free) + 1):
        for chosen in combinations(free, size):
            hidden = made.primary.copy()
            hidden.ravel()[list(chosen)] = True
            price = sum(costs[cell] for cell in np.flatnonzero(hidden).tolist())
            if (not prices or price < min(prices)) and wide_enough(made, hidden):
                prices.append(price)
    return min(prices, default=np.inf)


def wide_enough(made: Problem, hidden: Flags) -> bool:
    """The grand total is shown in the tables of these tests, so `every_table` is complete."""
    tables = every_table(made, hidden)
    return bool(((tables.max(-1) - tables.min(-1)) >= made.width)[made.primary].all())


SMALL = {
    "rows and columns": problem(plain(2, 2), [[1, 3], [2, 2]], [(0, 0)], known=[(2, 2)], width=2),
    "shown zeros": problem(plain(2, 3), [[1, 2, 0], [2, 1, 2]], [(0, 0)], known=[(2, 3)], floor=1),
    "two splits": problem((Dimension.splits([2, 2]), *plain(1)), [[1], [4], [2], [3]], [(0, 0)], known=[(4, 1)]),
    "impossible": problem(plain(2, 2), [[1, 1], [1, 1]], [(0, 0)], known=[(2, 2)], floor=1, width=3),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_cheapest_pattern_is_as_cheap_as_the_best_of_all(name: str) -> None:
    made = SMALL[name]
    for costs in (np.ones(made.cube.shape), 1 + np.arange(made.cube.values.size).reshape(made.cube.shape) % 5 / 2):
        best = best_by_hand(made, dict(enumerate(costs.ravel().tolist())))
        if best == np.inf:
            with pytest.raises(CannotProtect, match="no cheapest pattern"):
                optimal(made, costs)
        else:
            found = optimal(made, costs)
            assert float(costs[found.hidden].sum()) == pytest.approx(best)
            assert audit(made, pattern(found.hidden)).passed


def test_the_cheapest_pattern_costs_no_more_than_a_repaired_one() -> None:
    values = np.array([[2, 40, 13, 8], [17, 3, 22, 4], [9, 11, 30, 6], [25, 14, 7, 1]])
    primary = [(i, j) for i in range(4) for j in range(4) if values[i, j] < 5]
    made = problem(plain(4, 4), values, primary, width=4)
    best, (found, _) = optimal(made), repaired(made, pattern(made.primary))
    assert made.primary.sum() < best.hidden.sum() <= found.hidden.sum()


def test_a_cheapest_pattern_keeps_what_was_hidden_before_from_being_known() -> None:
    earlier = problem(plain(3, 3), [[9, 20, 31], [22, 25, 40], [18, 35, 30]])
    made = Problem(
        earlier.cube,
        earlier.primary,
        flags(earlier.cube.shape, [(1, 1)]),
        earlier.known,
        0,
        earlier.width,
    )
    found = optimal(made)
    assert found.hidden[1, 1] and found.hidden.sum() == 4
    assert audit(made, pattern(found.hidden)).passed


def test_costs_are_above_zero() -> None:
    made = SMALL["rows and columns"]
    with pytest.raises(ValueError, match="above 0"):
        optimal(made, np.zeros(made.cube.shape))


def test_a_primary_cell_that_is_known_cannot_be_protected() -> None:
    made = problem(plain(3, 3), np.full((3, 3), 9), [(0, 0)], known=[(0, 0)])
    hidden = flags(made.cube.shape, [(0, 0), (0, 1), (1, 0), (1, 1)])
    found = audit(made, pattern(hidden))
    assert found.primary == 1
    with pytest.raises(CannotProtect, match="known already"):
        repair(made, pattern(hidden), found)
    with pytest.raises(CannotProtect, match="known already"):
        optimal(made)


def test_what_an_audit_of_a_rounded_table_proved_is_not_used_for_an_exact_one() -> None:
    made = problem(plain(3), [12, 23, 4], [(2,)])
    hidden = pattern(made.primary)
    rounded, exact = audit(made, hidden, base=5), audit(made, hidden)
    assert rounded.passed and not exact.passed
    with pytest.raises(ValueError, match="rounded"):
        repair(made, hidden, rounded)


def test_certified_cells_need_no_program() -> None:
    made = problem(plain(3, 3), np.full((3, 3), 9), [(0, 0)], width=4)
    hidden = flags(made.cube.shape, [(0, 0), (0, 1), (1, 0), (1, 1)])
    certified = Pattern(hidden, np.where(hidden, 18, 0))
    proof = audit(made, certified)
    assert proof.passed and (proof.hidden, proof.certified, proof.programs) == (4, 4, 0)
    assert audit(made, pattern(hidden)).programs > 0


def test_beyond_its_limits_an_audit_refuses_or_does_not_pass() -> None:
    made = problem(plain(3, 3), np.full((3, 3), 9), [(0, 0)], width=4)
    hidden = pattern(flags(made.cube.shape, [(0, 0), (0, 1), (1, 0), (1, 1)]))
    with pytest.raises(CannotProtect, match="more than 1 programs"):
        audit(made, hidden, limits=Limits(programs=1))
    assert not audit(made, hidden, limits=Limits(cells=3)).passed


def test_a_pattern_that_shows_a_primary_cell_is_refused() -> None:
    made = problem(plain(3, 3), np.full((3, 3), 9), [(0, 0)])
    with pytest.raises(ValueError, match="hides what a rule"):
        audit(made, pattern(np.zeros(made.cube.shape, np.bool_)))


def test_a_hidden_cell_below_the_floor_is_refused() -> None:
    made = problem(plain(2, 2), [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match="below the floor"):
        Knowledge.of(Problem(made.cube, *(made.primary,) * 3, 1, made.width), np.ones(made.cube.shape, np.bool_))


def test_what_an_attacker_knows_is_not_shown_nor_copied() -> None:
    made = problem(plain(2, 2), [[41, 42], [43, 44]])
    known = Knowledge.of(made, np.zeros(made.cube.shape, np.bool_), 5)
    assert repr(known) == "<Knowledge>"
    for take in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            take(known)


def test_lines_that_give_cells_away_one_after_the_other_are_followed() -> None:
    """(0, 0) is alone in its row; then (1, 0) in its column; then (1, 1) in its row."""
    lines = equations(plain(2, 2), flags((3, 3), [(0, 0), (1, 0), (1, 1)]))
    assert determined(lines).all()
    square = equations(plain(3, 3), flags((4, 4), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]))
    assert determined(square).tolist() == [False] * 4 + [True]


def test_cells_that_no_line_joins_are_apart() -> None:
    squares = [(0, 0), (0, 1), (1, 0), (1, 1)], [(2, 2), (2, 3), (3, 2), (3, 3)]
    lines = equations(plain(4, 4), flags((5, 5), [*squares[0], *squares[1]]))
    labels = components(lines).tolist()
    assert labels == [labels[0]] * 4 + [labels[4]] * 4 and labels[0] != labels[4]


def test_around_a_cell_are_the_boxes_that_it_is_a_corner_of() -> None:
    hidden = flags((5, 5), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 1), (3, 3)])
    cells = np.flatnonzero(hidden)
    found = cells[around((5, 5), cells, 0)]
    assert [tuple(map(int, np.unravel_index(cell, (5, 5)))) for cell in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_local_searches_prove_what_the_search_of_all_cells_proves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many squares in one component, each searched around its cells."""
    size = 12
    made = problem(plain(size, size), np.full((size, size), 9), [(i, i) for i in range(size)], width=4)
    hidden = pattern(flags(made.cube.shape, [(i, (i + k) % size) for i in range(size) for k in (0, 1)]))
    whole = audit(made, hidden)
    monkeypatch.setattr("disclosure.suppression.audit.LOCAL", 4)
    assert whole.passed and audit(made, hidden).passed
