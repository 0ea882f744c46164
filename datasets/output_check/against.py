"""What speaks against showing each cell: primary rules by name, earlier releases, and what must not be worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datasets.output_check.numbers import Recomputed
from disclosure.aggregates import Aggregate, Count
from disclosure.official import Earlier
from disclosure.official.problems import (
    any_of,
    count_problem,
    few_present,
    present_problem,
    primary_counts,
    primary_sums,
    sum_problem,
)
from disclosure.policy import Policy
from disclosure.rules import MinimumCount
from disclosure.suppression.problem import Problem
from disclosure.tables import Flags, Secret


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Against(Secret):
    """Of one table of cells. rules: cells that each rule hides; before: those that an earlier release hides."""

    rules: Mapping[str, Flags]
    before: Flags
    problem: Problem


def against_counts(recomputed: Recomputed, earlier: Earlier, policy: Policy) -> Against:
    """Raises CannotProtect where a rule's evidence is not to be had."""
    exact = recomputed.exact
    problem = count_problem(exact, earlier.counts, policy)
    return Against(primary_counts(exact, policy), earlier.counts.hidden, problem)


def against_beside(
    recomputed: Recomputed, counts: Against, earlier: Earlier, policy: Policy
) -> Mapping[Aggregate, Against]:
    """Of the tables beside the counts: rows that have a value, and sums. Each is hidden with the count behind it."""
    exact = recomputed.exact
    whole = any_of(counts.rules, exact.counts.shape)[..., -1]
    found: dict[Aggregate, Against] = {}
    few = {a: few_present(rows, exact, policy) for a, rows in exact.present.items()}
    for rows, values in exact.present.items():
        problem = present_problem(values, whole | few[rows], earlier.sums[rows], exact, policy)
        found[rows] = Against({MinimumCount.name: few[rows]}, earlier.sums[rows].hidden, problem)
    for total in exact.sums:
        behind = whole | few[Count(total.present)] if total.present else whole
        rules = primary_sums(exact.sums[total], exact, policy)
        primary = any_of(rules, whole.shape) | behind
        problem = sum_problem(exact.sums[total], primary, earlier.sums[total], exact, policy)
        found[total] = Against(rules, earlier.sums[total].hidden, problem)
    return found
