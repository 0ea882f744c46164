"""What must not be worked out of a release: cells that rules hide, and how much must be left uncertain of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from disclosure.cube import Cube, Dimension
from disclosure.official.exact import Exact, Summed, at_least
from disclosure.official.shown import Flagged
from disclosure.policy import Policy
from disclosure.rules import Evidence, MinimumCount, judge
from disclosure.suppression.problem import CannotProtect, Problem
from disclosure.tables import Flags, Integers

ONE_CELL = Dimension(1, ())
PERCENT_OF_A_SUM = 10
"""A hidden sum must be left uncertain by so many per cent of itself, as ACRO's p % rule has it."""


def count_problem(exact: Exact, earlier: Flagged, policy: Policy) -> Problem:
    """What must not be worked out of the counts."""
    told = exact.structural | (exact.counts.values == 0 if shows_zeros(policy) else exact.structural)
    primary = any_of(primary_counts(exact, policy), exact.counts.shape) & ~told
    # What was shown once, under an older policy perhaps, protects nothing, even where it is hidden now.
    known = told | earlier.known
    width = np.full(exact.counts.shape, max(1, policy.secondary.width), np.int64)
    return Problem(exact.counts, primary & ~known, earlier.hidden & ~known, known, int(shows_zeros(policy)), width)


def primary_counts(exact: Exact, policy: Policy) -> dict[str, Flags]:
    """Cells that each rule of counts hides, by its name. With a cell, every split of it is hidden, which would add up
    to it."""
    seen: dict[Evidence, Any] = {
        Evidence.PUPILS: exact.pupils,
        Evidence.STRUCTURAL: exact.structural,
        Evidence.CUBE: exact.counts,
    }
    whole: dict[Evidence, Any] = {}
    if exact.schools is not None:
        whole = {Evidence.SCHOOLS: exact.schools, Evidence.BY_SCHOOL: exact.by_school}
    found: dict[str, Flags] = {}
    for rule in policy.primary:
        if seen.keys() >= set(rule.needs):
            found[rule.name] = judge(rule, seen)
        elif whole.keys() >= set(rule.needs):
            found[rule.name] = np.broadcast_to(judge(rule, whole)[..., None], exact.counts.shape)
        elif Evidence.SCHOOLS in rule.needs:
            raise CannotProtect("The policy wants schools counted, and this data set does not have them.")
    return found


def any_of(flags: Mapping[str, Flags], shape: tuple[int, ...]) -> Flags:
    found = np.zeros(shape, np.bool_)
    for each in flags.values():
        found |= each
    return found


def few_present(rows: Integers, exact: Exact, policy: Policy) -> Flags:
    return at_least(rows, exact.rows_each[..., -1]) < policy.minimum_count


def present_problem(rows: Integers, primary: Flags, earlier: Flagged, exact: Exact, policy: Policy) -> Problem:
    floor = int(shows_zeros(policy))
    return _problem(rows, rows, primary, earlier, np.zeros_like(rows), exact, policy, floor)


def primary_sums(summed: Summed, exact: Exact, policy: Policy) -> dict[str, Flags]:
    """Cells whose sum each rule of contributions hides, by its name. The minimum count is of those too who contribute
    anything: three who were suspended must not be told by the days of forty who were not."""
    few = _at_an_end(summed, exact, policy)
    if summed.largest is None:
        return {MinimumCount.name: few}
    seen = {Evidence.TOTAL: np.abs(summed.total), Evidence.LARGEST: summed.largest}
    found = {rule.name: judge(rule, seen) for rule in policy.primary if set(rule.needs) <= seen.keys()}
    last = summed.largest[..., policy.minimum_count - 1]
    return {**found, MinimumCount.name: few | (last == 0) & (summed.total != 0)}


def _at_an_end(summed: Summed, exact: Exact, policy: Policy) -> Flags:
    """Sums so near to the least or the greatest that they could be that fewer pupils than the threshold may be away
    from it. With a tick each at least, they are fewer than the ticks; of a number that is 0 or 1 this is the rule of
    counts, for those with 1 and for those with 0.
    """
    found = np.zeros(summed.values.shape, np.bool_)
    for away in (summed.values - summed.least * summed.rows, summed.most * summed.rows - summed.values):
        few = at_least(away, exact.rows_each[..., -1]) < policy.minimum_count
        found |= few & (away > 0) if shows_zeros(policy) else few
    return found


def sum_problem(summed: Summed, primary: Flags, earlier: Flagged, exact: Exact, policy: Policy) -> Problem:
    moved = summed.values - summed.least * summed.rows
    share = -(-moved * PERCENT_OF_A_SUM // 100)
    return _problem(moved, summed.rows, primary, earlier, share, exact, policy)


def _problem(
    values: Integers,
    rows: Integers,
    primary: Flags,
    earlier: Flagged,
    width: Integers,
    exact: Exact,
    policy: Policy,
    floor: int = 0,
) -> Problem:
    """What must not be worked out of numbers from 0 that add up over all dimensions but the splits: of their shape, or
    of one cell where there is no such dimension."""
    told = rows == 0 if shows_zeros(policy) else np.zeros(rows.shape, np.bool_)
    known = told | earlier.known
    dimensions = exact.counts.dimensions[:-1] or (ONE_CELL,)
    shape = tuple(dimension.size for dimension in dimensions)
    cube = Cube(dimensions, values.reshape(shape))
    least = np.maximum(max(1, policy.secondary.width), width)
    needed, hidden = (primary & ~known).reshape(shape), (earlier.hidden & ~known).reshape(shape)
    return Problem(cube, needed, hidden, known.reshape(shape), floor, least.reshape(shape))


def shows_zeros(policy: Policy) -> bool:
    rule = policy.rule(MinimumCount)
    return rule is not None and rule.zeros == "show"
