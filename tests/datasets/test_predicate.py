"""Equal predicates are equal questions, and only they are."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.predicate import FALSE, TRUE, Algebra, Predicate, TooComplex
from tests.lib.effort import examples

SIZES = (3, 2, 4)
WORLD = list(product(*(range(n) for n in SIZES)))
TABLE = st.sets(st.sampled_from(WORLD))
Tree = tuple[object, ...]
LEAVES = st.integers(0, len(SIZES) - 1).flatmap(
    lambda level: st.tuples(st.just("member"), st.just(level), st.integers(0, 2 ** SIZES[level] - 1))
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.just("and"), inner, inner),
        st.tuples(st.just("or"), inner, inner),
    ),
    max_leaves=12,
)


def build(tree: Tree, algebra: Algebra) -> int:
    match tree:
        case ("member", int() as level, int() as mask):
            return algebra.member(level, mask)
        case ("not", tuple() as part):
            return algebra.negate(build(part, algebra))
        case ("and", tuple() as left, tuple() as right):
            return algebra.both(build(left, algebra), build(right, algebra))
        case ("or", tuple() as left, tuple() as right):
            return algebra.either(build(left, algebra), build(right, algebra))
    raise AssertionError(tree)


def truth(tree: Tree, row: tuple[int, ...]) -> bool:
    match tree:
        case ("member", int() as level, int() as mask):
            return bool(mask >> row[level] & 1)
        case ("not", tuple() as part):
            return not truth(part, row)
        case ("and", tuple() as left, tuple() as right):
            return truth(left, row) and truth(right, row)
        case ("or", tuple() as left, tuple() as right):
            return truth(left, row) or truth(right, row)
    raise AssertionError(tree)


def predicate(tree: Tree) -> Predicate:
    algebra = Algebra(SIZES)
    return algebra.predicate(build(tree, algebra))


@given(tree=TREES)
def test_it_admits_what_the_criteria_say(tree: Tree) -> None:
    made = predicate(tree)
    assert [made.holds(row) for row in WORLD] == [truth(tree, row) for row in WORLD]


@settings(max_examples=examples(500))
@given(left=TREES, right=TREES)
def test_equal_exactly_when_they_admit_the_same_rows(left: Tree, right: Tree) -> None:
    same = all(truth(left, row) == truth(right, row) for row in WORLD)
    assert (predicate(left) == predicate(right)) is same
    assert (predicate(left).canonical() == predicate(right).canonical()) is same


@given(tree=TREES)
def test_admitted_is_the_projection(tree: Tree) -> None:
    made = predicate(tree)
    for level in range(len(SIZES)):
        expected = {row[level] for row in WORLD if truth(tree, row)}
        assert {a for a in range(SIZES[level]) if made.admitted(level) >> a & 1} == expected


@given(tree=TREES)
def test_paths_are_disjoint_and_cover(tree: Tree) -> None:
    made = predicate(tree)
    paths = list(made.paths())
    assert made.path_count == len(paths)
    for row in WORLD:
        hits = sum(all(mask >> row[level] & 1 for level, mask in path) for path in paths)
        assert hits == truth(tree, row)


def test_everything_and_nothing() -> None:
    algebra = Algebra(SIZES)
    assert algebra.predicate(TRUE).path_count == 1
    assert algebra.predicate(FALSE).admitted(0) == 0
    assert algebra.member(1, 0b11) == TRUE
    assert algebra.member(1, 0) == FALSE


def crossed(algebra: Algebra, atoms: int, ways: int) -> int:
    """Two partitions of the first variable, each part with a part of the second: a root with ways² edges."""

    def parts(label: Callable[[int], int], first: int) -> int:
        alone = [sum(1 << atom for atom in range(atoms) if label(atom) % ways == way) for way in range(ways)]
        others = [(1 << atoms) - 1 - (1 << first + way) for way in range(ways)]
        pairs = zip(alone, others, strict=True)
        return algebra.any_of(algebra.both(algebra.member(0, a), algebra.member(1, o)) for a, o in pairs)

    return algebra.both(parts(lambda i: i, 0), parts(lambda i: i // ways, ways))


@pytest.mark.parametrize(("ways", "fits"), [(10, True), (30, False)])
def test_nodes_of_many_edges_that_meet_are_bounded_too(ways: int, fits: bool) -> None:
    """A contradiction of few nodes would take seconds, where each edge is of thousands of atoms."""
    algebra = Algebra([ways * ways, ways * ways], pairs=500_000)
    root = crossed(algebra, ways * ways, ways)
    opposite = algebra.negate(root)
    if fits:
        assert algebra.both(root, opposite) == FALSE
    else:
        with pytest.raises(TooComplex):
            algebra.both(root, opposite)


def test_a_diagram_that_would_explode_is_refused_by_a_public_limit() -> None:
    """x1=x(n+1) and x2=x(n+2) and … is exponential in this order of variables."""
    n = 14
    algebra = Algebra([2] * (2 * n), limit=1000)
    with pytest.raises(TooComplex):
        algebra.all_of(
            algebra.either(
                algebra.both(algebra.member(i, 1), algebra.member(n + i, 1)),
                algebra.both(algebra.member(i, 2), algebra.member(n + i, 2)),
            )
            for i in random.Random(1).sample(range(n), n)
        )
