"""Listed groups: the terms on which they are listed, and the answer made of them. Functions of public things, and of
what was released."""

from __future__ import annotations

import numpy as np

from datasets.answer import Answer, Numbers, series_of
from datasets.known import canonical
from datasets.query import Display, InvalidQuery, Problem
from datasets.validate import ValidQuery
from disclosure.accuracy import count_intervals
from disclosure.listing import Listing, OutOfReach, Terms, least_threshold
from disclosure.policy import ListedGroups, Policy
from disclosure.rounding import nearest
from disclosure.sensitivity import moves
from disclosure.tables import Integers


def rule_of(policy: Policy) -> ListedGroups:
    if policy.listed_groups is None:
        raise ValueError("this policy lists no groups")
    return policy.listed_groups


def terms_of(valid: ValidQuery, nano_rho: int, policy: Policy) -> Terms:
    """The least threshold for the policy's δ, or the cut's minimum count where that is more, so that none is hidden.

    Raises InvalidQuery where one pupil can touch too many groups for it.
    """
    moved, rule = moves(valid.layouts[0].contribution), rule_of(policy)
    try:
        least = least_threshold(moved, nano_rho, rule.delta)
    except OutOfReach:
        message = f"One pupil can be in {moved.l0} of these groups: too many to be listed. Group by less or coarser."
        raise InvalidQuery((Problem("TooManyGroups", message, "groupBy"),)) from None
    return Terms(moved, nano_rho, rule.delta, max(least, rule.least))


def shown_from(terms: Terms, policy: Policy) -> int:
    """The noisy count from which groups are shown: a project's own minimum count, where that is more than the threshold
    that they were listed by."""
    return max(terms.threshold, policy.minimum_count)


def finish_listed(valid: ValidQuery, listing: Listing, terms: Terms, policy: Policy) -> tuple[Answer, int]:
    """The answer, rows in the order of the code lists, and the number that each of its groups had to reach."""
    kept, least = listing.largest(rule_of(policy).most_groups, shown_from(terms, policy))
    cells = _as_asked(kept.cells, valid)
    order = np.argsort(cells)
    base = 1 if valid.query.display is Display.UNBIASED else policy.rounding_base
    rounded = nearest(kept.counts[order, None], base)
    lower, upper = count_intervals(rounded, terms.sigma, base, least, policy.confidence)
    part = Numbers(rounded.astype(float), lower.astype(float), upper.astype(float), np.zeros(rounded.shape, bool))
    (measure,) = valid.measures
    return Answer(valid.tables, (series_of(measure, [part], 0, policy),), cells[order]), least


def _as_asked(cells: Integers, valid: ValidQuery) -> Integers:
    """Places in the layout, whose axes stand in canonical order, as places in the table as it was asked for."""
    (table,) = valid.tables
    order = canonical(valid, table.axes)
    places = np.unravel_index(cells, [len(table.axes[i].codes) for i in order])
    back = [places[order.index(i)] for i in range(len(order))]
    return np.ravel_multi_index(back, [len(axis.codes) for axis in table.axes]).astype(np.int64)
