"""Patterns that look protected and are not: each is broken by the audit, and its repair is not.

The first is of the kind of the published 4 × 4 case (`sdcTable`'s tests): the rows of a set A less the columns of a set
B leave the hidden cells of A outside B less those of B outside A. Where that is a single cell, it is known exactly,
however many cells each line hides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from disclosure.cube import Dimension
from disclosure.margins import Chain
from disclosure.suppression.attacker import intervals
from disclosure.suppression.audit import audit
from disclosure.suppression.optimal import optimal
from disclosure.suppression.problem import Problem
from disclosure.suppression.repair import repaired
from tests.lib.suppression import Cell, flags, pattern, plain, problem

FOUR = [[3, 20, 4, 31], [22, 2, 40, 17], [18, 35, 3, 26], [41, 15, 24, 4]]
LAS = Dimension.of(Chain(4, ((0, 0, 1, 1), (0, 0))))
SPLITS = Dimension.splits([2, 3])


@dataclass(frozen=True)
class Attack:
    """primary: what a rule hides. bad, good: what is hidden with it. broken: what the bad pattern gives away."""

    problem: Problem
    bad: tuple[Cell, ...]
    good: tuple[Cell, ...]
    broken: tuple[Cell, ...]


SQUARE = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3))
ATTACKS = {
    "every line hides two or three cells": Attack(
        problem(plain(4, 4), FOUR, [(0, 2)]),
        bad=(*SQUARE, (0, 2)),
        good=(*SQUARE, (0, 2), (2, 0)),
        broken=((0, 2),),
    ),
    "one cell alone in its row": Attack(
        problem(plain(4, 4), FOUR, [(0, 0)]), bad=((0, 0), (1, 0)), good=SQUARE, broken=((0, 0), (1, 0))
    ),
    "the total of a region less its other areas": Attack(
        problem((LAS, *plain(2)), [[3, 20], [30, 25], [28, 33], [21, 4]], [(0, 0)]),
        bad=((0, 0), (2, 0), (0, 1), (2, 1)),
        good=((0, 0), (1, 0), (0, 1), (1, 1)),
        broken=((0, 0), (2, 0), (0, 1), (2, 1)),
    ),
    "a hidden region is England less the other region": Attack(
        problem((LAS, *plain(2)), [[3, 20], [30, 25], [28, 33], [21, 4]], [(0, 0)]),
        bad=((0, 0), (4, 0), (0, 1), (4, 1)),
        good=((0, 0), (4, 0), (0, 1), (4, 1), (2, 0), (5, 0), (2, 1), (5, 1)),
        broken=((0, 0), (4, 0), (0, 1), (4, 1)),
    ),
    "another split of the same count gives its total": Attack(
        problem((SPLITS, *plain(2)), [[4, 30], [26, 20], [10, 15], [12, 15], [8, 20]], [(0, 0)]),
        bad=((0, 0), (5, 0), (0, 1), (5, 1)),
        good=((0, 0), (1, 0), (0, 1), (1, 1)),
        broken=((0, 0), (5, 0), (0, 1), (5, 1)),
    ),
    "a square in one layer of three dimensions": Attack(
        problem(plain(2, 2, 2), [[[3, 30], [22, 25]], [[27, 24], [21, 20]]], [(0, 0, 0)]),
        bad=((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)),
        good=tuple((i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)),
        broken=((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)),
    ),
    "an earlier release showed a corner": Attack(
        problem(plain(4, 4), FOUR, [(0, 0)], known=[(1, 1)]),
        bad=((0, 0), (0, 1), (1, 0), (1, 1)),
        good=((0, 0), (0, 2), (1, 0), (1, 2)),
        broken=((0, 0), (0, 1), (1, 0)),
    ),
    "two ones whose sum is shown, where hidden cells are 1 at least": Attack(
        problem(plain(3, 3), [[1, 1, 30], [25, 20, 22], [14, 24, 40]], [(0, 0)], floor=1),
        bad=((0, 0), (0, 1), (1, 0), (1, 1)),
        good=((0, 0), (0, 2), (1, 0), (1, 2)),
        broken=((0, 0), (0, 1), (1, 0), (1, 1)),
    ),
}
HIERARCHY = ATTACKS["the total of a region less its other areas"].problem


@pytest.mark.parametrize("name", ATTACKS)
def test_the_audit_finds_what_a_pattern_gives_away(name: str) -> None:
    attack = ATTACKS[name]
    shape = attack.problem.cube.shape
    bad = flags(shape, attack.bad)
    found = audit(attack.problem, pattern(bad))
    np.testing.assert_array_equal(found.narrow, flags(shape, attack.broken) & ~attack.problem.known)
    assert not found.passed and found.primary == 1 and found.recoverable == len(attack.broken)
    lower, upper = intervals(attack.problem, bad, bad)
    given_away = flags(shape, attack.broken)
    np.testing.assert_array_equal(lower[given_away], attack.problem.cube.values[given_away])
    np.testing.assert_array_equal(upper[given_away], attack.problem.cube.values[given_away])


@pytest.mark.parametrize("name", ATTACKS)
def test_a_good_pattern_passes(name: str) -> None:
    attack = ATTACKS[name]
    found = audit(attack.problem, pattern(flags(attack.problem.cube.shape, attack.good)))
    assert found.passed and (found.recoverable, found.primary) == (0, 0)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_broken_pattern_can_be_repaired(name: str) -> None:
    attack = ATTACKS[name]
    wide = replace(attack.problem, width=np.full(attack.problem.cube.shape, 4, np.int64))
    bad = flags(wide.cube.shape, attack.bad) & ~wide.known
    found, proof = repaired(wide, pattern(bad))
    assert proof.passed and (found.hidden >= bad).all()
    lower, upper = intervals(wide, found.hidden, wide.primary)
    assert (upper - lower)[wide.primary].min() >= 4


@pytest.mark.parametrize("name", ATTACKS)
def test_the_cheapest_pattern_passes_and_hides_no_more_than_the_good_one(name: str) -> None:
    attack = ATTACKS[name]
    found = optimal(attack.problem)
    assert audit(attack.problem, pattern(found.hidden)).passed
    assert found.hidden.sum() <= len(attack.good)


def test_every_line_of_the_first_pattern_hides_two_cells_at_least() -> None:
    """Or it would not show that counting them is no protection."""
    attack = ATTACKS["every line hides two or three cells"]
    hidden = flags(attack.problem.cube.shape, attack.bad)[:4, :4]
    assert (hidden.sum(0) >= 2).all() and (hidden.sum(1) >= 2).all()


def test_a_pattern_may_be_narrow_without_giving_a_cell_away() -> None:
    """3 and 2 at one diagonal of the square, 20 and 22 at the other: 3 goes down to 1 and up to 23."""
    made = problem(plain(4, 4), FOUR, [(0, 0)])
    square = flags(made.cube.shape, SQUARE[:4])
    for width, passed in ((22, True), (23, False)):
        wide = replace(made, width=np.full(made.cube.shape, width, np.int64))
        found = audit(wide, pattern(square))
        assert (found.passed, found.recoverable) == (passed, 0)


def test_without_the_lines_of_regions_the_audit_would_miss_the_attack() -> None:
    """The same cells are hidden, but England is the sum of areas alone: an attacker who knows no regions fails."""
    hidden = [(0, 0), (2, 0), (0, 1), (2, 1)]
    blind = problem(plain(4, 2), [[3, 20], [30, 25], [28, 33], [21, 4]], [(0, 0)])
    assert audit(blind, pattern(flags(blind.cube.shape, hidden))).passed
    assert not audit(HIERARCHY, pattern(flags(HIERARCHY.cube.shape, hidden))).passed
