"""An `official` release: one table with all its totals, protected as a whole.

Rules flag primary cells on exact evidence; further cells are hidden until no interval that an attacker can work out is
too narrow; what is shown is rounded. Sums and means are hidden with their counts, and further where a rule of their own
or the arithmetic wants it. It is no differential privacy: what it withstands is said in `docs/official.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, Sum, SumOfProducts
from disclosure.cell_key import perturbed
from disclosure.cell_key.keys import Keys
from disclosure.cube import Cube, Dimension
from disclosure.merging import merged
from disclosure.policy import Policy
from disclosure.rounding import CannotRound, RoundingMethod, nearest, preimage, rounded
from disclosure.rules import Evidence, MinimumCount, judge
from disclosure.suppression.problem import CannotProtect, Method, Problem
from disclosure.suppression.repair import repaired
from disclosure.suppression.suppress import suppress
from disclosure.tables import Flags, Integers, Secret

ONE_CELL = Dimension(1, ())
PERCENT_OF_A_SUM = 10
"""A hidden sum must be left uncertain by so many per cent of itself, as ACRO's p % rule has it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Summed(Secret):
    """A sum over the cells of all dimensions but the last, in ticks.

    values: as measured, Σ (x − origin). total: Σ x. rows: how many are added up. least, most: the smallest and the
    largest number that one row can add to `values`; reach: the largest, either way. largest: contributions of single
    pupils, (…, k), or None where no rule looks at them.
    """

    values: Integers
    total: Integers
    rows: Integers
    least: int
    most: int
    reach: int
    largest: Integers | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exact(Secret):
    """What is known of one release before it is protected. The last dimension of `counts` holds the ways in which each
    count is split, its total last.

    rows_each: the most rows of one pupil in a cell (of a shape that broadcasts to that of `counts`). structural:
    cells that nobody can be in. schools: of the cells of all dimensions but the last; by_school: those that are of one
    school by definition. keys: sums of record keys. positions: counts in bins that quantiles are read from, (…, bins).
    """

    counts: Cube
    rows_each: Integers
    structural: Flags
    present: Mapping[Count, Integers]
    sums: Mapping[Sum | SumOfProducts, Summed]
    distinct: Mapping[DistinctCount, Integers]
    positions: Mapping[BinnedCount, Integers]
    schools: Integers | None = None
    by_school: Flags | None = None
    keys: Integers | None = None

    @property
    def pupils(self) -> Integers:
        return at_least(self.counts.values, self.rows_each)


def at_least(rows: Integers, each: Integers) -> Integers:
    """So many pupils are in each cell: a count of rows must be so high that fewer could not have made it."""
    found: Integers = np.maximum(rows // each, np.minimum(rows, 1))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Flagged:
    """Cells that an earlier release has shown (known), and those that it has hidden; none is both."""

    known: Flags
    hidden: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """What earlier releases have done with the same cells."""

    counts: Flagged
    sums: Mapping[Aggregate, Flagged]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Protected numbers and which of them are hidden (0 there), of one shape."""

    values: Integers
    hidden: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Protected:
    counts: Shown
    structural: Flags
    present: Mapping[Count, Shown]
    sums: Mapping[Sum | SumOfProducts, Shown]
    distinct: Mapping[DistinctCount, Shown]
    positions: Mapping[BinnedCount, Shown]


def protect_release(exact: Exact, earlier: Earlier, policy: Policy) -> Protected:
    """Raises CannotProtect where no pattern was found that protects every cell."""
    if (exact.counts.values[exact.structural] > 0).any():
        raise CannotProtect("A cell that was declared impossible is not empty: correct the catalogue.")
    if exact.counts.values.size > 1 and policy.sparsity and policy.sparsity.refuses(exact.pupils, policy.minimum_count):
        raise CannotProtect("Too many of its cells are small: group by less, or coarser.")
    hidden = _hidden_counts(exact, earlier.counts, policy)
    whole = hidden[..., -1]
    present = {a: _present(v, whole, earlier.sums[a], exact, policy) for a, v in exact.present.items()}
    behind = {a: present[Count(a.present)].hidden if a.present else whole for a in exact.sums}
    sums = {a: _sum(each, behind[a], earlier.sums[a], exact, policy) for a, each in exact.sums.items()}
    distinct = {a: _distinct(a, v, whole, exact, policy) for a, v in exact.distinct.items()}
    positions = {a: _merged(v, whole, exact, policy) for a, v in exact.positions.items()}
    return Protected(_shown(_rounded(exact, policy), hidden), exact.structural, present, sums, distinct, positions)


def _hidden_counts(exact: Exact, earlier: Flagged, policy: Policy) -> Flags:
    told = exact.structural | (exact.counts.values == 0 if shows_zeros(policy) else exact.structural)
    primary = _primary_counts(exact, policy) & ~told
    # What was shown once, under an older policy perhaps, protects nothing, even where it is hidden now.
    known = told | earlier.known
    width = np.full(exact.counts.shape, max(1, policy.secondary.width), np.int64)
    problem = Problem(exact.counts, primary & ~known, earlier.hidden & ~known, known, int(shows_zeros(policy)), width)
    return _pattern(problem, policy) | primary


def _pattern(problem: Problem, policy: Policy) -> Flags:
    """Chosen, and then audited as an attacker would; what the audit finds too narrow is repaired or refused."""
    chosen = suppress(problem, policy.secondary.method)
    return chosen.hidden if policy.secondary.method is Method.NONE else repaired(problem, chosen)[0].hidden


def shows_zeros(policy: Policy) -> bool:
    rule = policy.rule(MinimumCount)
    return rule is not None and rule.zeros == "show"


def _primary_counts(exact: Exact, policy: Policy) -> Flags:
    """Cells that any rule of counts hides. With a cell, every split of it is hidden, which would add up to it."""
    seen: dict[Evidence, Any] = {
        Evidence.PUPILS: exact.pupils,
        Evidence.STRUCTURAL: exact.structural,
        Evidence.CUBE: exact.counts,
    }
    whole: dict[Evidence, Any] = {}
    if exact.schools is not None:
        whole = {Evidence.SCHOOLS: exact.schools, Evidence.BY_SCHOOL: exact.by_school}
    primary = np.zeros(exact.counts.shape, np.bool_)
    for rule in policy.primary:
        if seen.keys() >= set(rule.needs):
            primary |= judge(rule, seen)
        elif whole.keys() >= set(rule.needs):
            primary |= judge(rule, whole)[..., None]
        elif Evidence.SCHOOLS in rule.needs:
            raise CannotProtect("The policy wants schools counted, and this data set does not have them.")
    return primary


def _present(rows: Integers, whole: Flags, earlier: Flagged, exact: Exact, policy: Policy) -> Shown:
    """Counts of the rows that have a value: hidden with the count of all rows, and where they are few themselves.

    They are a table of their own, beside that of all rows: how many have no value is not protected.
    """
    few = at_least(rows, exact.rows_each[..., -1]) < policy.minimum_count
    floor = int(shows_zeros(policy))
    hidden = _hidden_numbers(rows, rows, whole | few, earlier, np.zeros_like(rows), exact, policy, floor)
    return _shown(nearest(_moved(rows, exact, policy), policy.rounding_base), hidden | whole)


def _distinct(aggregate: DistinctCount, found: Integers, whole: Flags, exact: Exact, policy: Policy) -> Shown:
    """Pupils are perturbed as rows are; codes that occur are of no pupil in particular."""
    moved = found if aggregate.variable else _moved(found, exact, policy)
    return _shown(nearest(moved, policy.rounding_base), whole)


def _moved(counts: Integers, exact: Exact, policy: Policy) -> Integers:
    """By the keys of all rows of their cells: where every row counts, as the count of rows is."""
    if not policy.cell_key:
        return counts
    keys = _keys(exact)[..., -1].reshape(-1)
    return perturbed(counts.reshape(-1), keys, policy.cell_key.table()).reshape(counts.shape)


def _sum(summed: Summed, behind: Flags, earlier: Flagged, exact: Exact, policy: Policy) -> Shown:
    """Hidden with its count; then what its own rules hide, and what the arithmetic of sums wants beside."""
    moved = summed.values - summed.least * summed.rows
    share = -(-moved * PERCENT_OF_A_SUM // 100)
    primary = _dominated(summed, policy) | _at_an_end(summed, exact, policy) | behind
    hidden = _hidden_numbers(moved, summed.rows, primary, earlier, share, exact, policy)
    return _shown(nearest(summed.values, policy.rounding_base * summed.reach), hidden | behind)


def _hidden_numbers(
    values: Integers,
    rows: Integers,
    primary: Flags,
    earlier: Flagged,
    width: Integers,
    exact: Exact,
    policy: Policy,
    floor: int = 0,
) -> Flags:
    """The pattern of numbers from 0 that add up over all dimensions but the splits."""
    told = rows == 0 if shows_zeros(policy) else np.zeros(rows.shape, np.bool_)
    known = told | earlier.known
    dimensions = exact.counts.dimensions[:-1] or (ONE_CELL,)
    shape = tuple(dimension.size for dimension in dimensions)
    cube = Cube(dimensions, values.reshape(shape))
    least = np.maximum(max(1, policy.secondary.width), width)
    needed, hidden = (primary & ~known).reshape(shape), (earlier.hidden & ~known).reshape(shape)
    problem = Problem(cube, needed, hidden, known.reshape(shape), floor, least.reshape(shape))
    return _pattern(problem, policy).reshape(values.shape) | (primary & ~told)


def _merged(bins: Integers, hidden: Flags, exact: Exact, policy: Policy) -> Shown:
    """Hidden with the count of everybody, and where too few have a value."""
    each = exact.rows_each[..., -1]
    few = bins.sum(-1) < policy.minimum_count * each
    least = policy.minimum_count * int(each.max())
    found = merged(bins.reshape(-1, bins.shape[-1]), least, policy.rounding_base).reshape(bins.shape)
    return _shown(found, np.broadcast_to((hidden | few)[..., None], bins.shape))


def _dominated(summed: Summed, policy: Policy) -> Flags:
    found = np.zeros(summed.total.shape, np.bool_)
    if summed.largest is not None:
        seen = {Evidence.TOTAL: np.abs(summed.total), Evidence.LARGEST: summed.largest}
        for rule in policy.primary:
            if set(rule.needs) <= seen.keys():
                found |= judge(rule, seen)
    return found


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


def _rounded(exact: Exact, policy: Policy) -> Integers:
    """Counts as they are shown where they are not hidden."""
    base = policy.rounding_base
    if policy.cell_key:
        noisy = perturbed(exact.counts.values, _keys(exact), policy.cell_key.table())
        return nearest(noisy, base)
    if base == 1:
        return exact.counts.values
    keys = _keys(exact) if policy.rounding_method is RoundingMethod.RANDOM else None
    try:
        found = rounded(exact.counts, policy.rounding_method, base, keys)
    except CannotRound as refused:
        raise CannotProtect(refused.reason) from None
    if found.within > base:
        raise CannotProtect("It cannot be rounded so that it adds up; take coarser groups or fewer dimensions.")
    return found.values


def _keys(exact: Exact) -> Keys:
    if exact.keys is None:
        raise ValueError("the policy goes by record keys, and none were gathered")
    return exact.keys.view(np.uint64)


def _shown(values: Integers, hidden: Flags) -> Shown:
    return Shown(np.where(hidden, 0, values), hidden)


def distinct_bounds(values: Integers, policy: Policy) -> tuple[Integers, Integers]:
    """Of each released number of codes the smallest and the largest that could be shown so."""
    lower, upper = preimage(values, policy.rounding_base)
    return np.maximum(lower, 0), upper


def count_bounds(values: Integers, policy: Policy) -> tuple[Integers, Integers]:
    """Of each released count of rows or pupils the smallest and the largest true count that could be shown so."""
    base = policy.rounding_base
    if policy.rounding_method is RoundingMethod.CONVENTIONAL:
        lower, upper = preimage(values, base)
    else:
        lower, upper = values - (base - 1), values + (base - 1)
    moved = policy.cell_key.max_noise if policy.cell_key else 0
    lower, upper = np.maximum(lower - moved, policy.minimum_count), upper + moved
    # What is shown is at least the threshold, or nobody where zeros are shown.
    zero = values == 0
    return np.where(zero, 0, lower), np.where(zero, 0, upper)
