"""An `official` release: one table with all its totals, protected as a whole.

Rules flag primary cells on exact evidence; further cells are hidden until no interval that an attacker can work out is
too narrow; what is shown is rounded. Sums and means are hidden with their counts, and further where a rule of their own
or the arithmetic wants it. It is no differential privacy: what it withstands is said in `docs/official.md`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from disclosure.aggregates import Count, DistinctCount, Sum, SumOfProducts
from disclosure.merging import merged
from disclosure.official.exact import Exact, Summed
from disclosure.official.problems import (
    any_of,
    count_problem,
    few_present,
    present_problem,
    primary_counts,
    primary_sums,
    shows_zeros,
    sum_problem,
)
from disclosure.official.round import as_rounded, moved, rounded_rows, rounded_sum
from disclosure.official.shown import Earlier, Flagged, Protected, Shown, Unprotected, hide
from disclosure.policy import Policy
from disclosure.rounding import nearest
from disclosure.suppression.problem import CannotProtect, Method, Problem
from disclosure.suppression.repair import repaired
from disclosure.suppression.suppress import suppress
from disclosure.tables import Flags, Integers


def protect_release(exact: Exact, earlier: Earlier, policy: Policy) -> Protected:
    """Raises CannotProtect where no pattern was found that protects every cell."""
    if (exact.counts.values[exact.structural] > 0).any():
        raise CannotProtect("A cell that was declared impossible is not empty: correct the catalogue.")
    if exact.counts.values.size > 1 and policy.sparsity and policy.sparsity.refuses(exact.pupils, policy.minimum_count):
        raise CannotProtect("Too many of its cells are small: group by less, or coarser.")
    problem = count_problem(exact, earlier.counts, policy)
    told = exact.structural | (exact.counts.values == 0) & shows_zeros(policy)
    hidden = _pattern(problem, policy) | (any_of(primary_counts(exact, policy), exact.counts.shape) & ~told)
    whole = hidden[..., -1]
    counts = as_rounded(exact, policy)
    rows = rounded_rows(exact, counts, policy)
    present = {
        a: hide(rows[a], _hidden_present(v, whole, earlier.sums[a], exact, policy)) for a, v in exact.present.items()
    }
    behind = {Count(): whole, **{a: each.hidden for a, each in present.items()}}
    sums = {
        a: hide(
            rounded_sum(each, rows[Count(a.present)], policy), _hidden_sums(a, each, behind, earlier, exact, policy)
        )
        for a, each in exact.sums.items()
    }
    distinct = {a: hide(_distinct(a, v, exact, policy), whole) for a, v in exact.distinct.items()}
    positions = {a: _merged(v, whole, exact, policy) for a, v in exact.positions.items()}
    return Protected(hide(counts, hidden), exact.structural, present, sums, distinct, positions)


def _pattern(problem: Problem, policy: Policy) -> Flags:
    """Chosen, and then audited as an attacker would; what the audit finds too narrow is repaired or refused."""
    chosen = suppress(problem, policy.secondary.method)
    return chosen.hidden if policy.secondary.method is Method.NONE else repaired(problem, chosen)[0].hidden


def _distinct(aggregate: DistinctCount, found: Integers, exact: Exact, policy: Policy) -> Integers:
    """Pupils are perturbed as rows are; codes that occur are of no pupil in particular."""
    return nearest(found if aggregate.variable else moved(found, exact, policy), policy.rounding_base)


def _hidden_present(rows: Integers, whole: Flags, earlier: Flagged, exact: Exact, policy: Policy) -> Flags:
    """Counts of the rows that have a value: hidden with the count of all rows, and where they are few themselves.

    They are a table of their own, beside that of all rows: how many have no value is not protected.
    """
    few = few_present(rows, exact, policy) & ~((rows == 0) & shows_zeros(policy))
    problem = present_problem(rows, whole | few, earlier, exact, policy)
    hidden: Flags = _pattern(problem, policy).reshape(rows.shape) | whole | few
    return hidden


def _hidden_sums(
    aggregate: Sum | SumOfProducts,
    summed: Summed,
    behind: Mapping[Count, Flags],
    earlier: Earlier,
    exact: Exact,
    policy: Policy,
) -> Flags:
    """Those whose count is hidden; then what their own rules hide, and what the arithmetic of sums wants beside."""
    with_count = behind[Count(aggregate.present)]
    primary = any_of(primary_sums(summed, exact, policy), with_count.shape) | with_count
    problem = sum_problem(summed, primary, earlier.sums[aggregate], exact, policy)
    return _pattern(problem, policy).reshape(with_count.shape) | primary


def _merged(bins: Integers, hidden: Flags, exact: Exact, policy: Policy) -> Shown:
    """Hidden with the count of everybody, and where too few have a value."""
    each = exact.rows_each[..., -1]
    few = bins.sum(-1) < policy.minimum_count * each
    least = policy.minimum_count * int(each.max())
    found = merged(bins.reshape(-1, bins.shape[-1]), least, policy.rounding_base).reshape(bins.shape)
    return hide(found, np.broadcast_to((hidden | few)[..., None], bins.shape))


def unhidden(exact: Exact, policy: Policy) -> Unprotected:
    """Every number as it would be shown if it were."""
    nobody = np.zeros(exact.counts.shape[:-1], np.bool_)
    counts = as_rounded(exact, policy)
    rows = rounded_rows(exact, counts, policy)
    return Unprotected(
        _all_shown(counts),
        exact.structural,
        {a: _all_shown(rows[a]) for a in exact.present},
        {a: _all_shown(rounded_sum(each, rows[Count(a.present)], policy)) for a, each in exact.sums.items()},
        {a: _all_shown(_distinct(a, v, exact, policy)) for a, v in exact.distinct.items()},
        {a: _all_shown(_merged(v, nobody, exact, policy).values) for a, v in exact.positions.items()},
    )


def unprotected(exact: Exact) -> Unprotected:
    """The truth in the same form."""
    return Unprotected(
        _all_shown(exact.counts.values),
        exact.structural,
        {a: _all_shown(v) for a, v in exact.present.items()},
        {a: _all_shown(summed.values) for a, summed in exact.sums.items()},
        {a: _all_shown(v) for a, v in exact.distinct.items()},
        {a: _all_shown(v) for a, v in exact.positions.items()},
    )


def _all_shown(values: Integers) -> Shown:
    return Shown(values, np.zeros(values.shape, np.bool_))
