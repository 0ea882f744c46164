"""How numbers are shown that are not hidden, and which true numbers could be shown so."""

from __future__ import annotations

import numpy as np

from disclosure.aggregates import Count
from disclosure.cell_key import perturbed
from disclosure.cell_key.keys import Keys
from disclosure.official.exact import Exact, Summed
from disclosure.policy import Policy
from disclosure.rounding import CannotRound, RoundingMethod, nearest, preimage, rounded
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import Integers


def as_rounded(exact: Exact, policy: Policy) -> Integers:
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


def moved(counts: Integers, exact: Exact, policy: Policy) -> Integers:
    """Other counts of the same cells, by the keys of all rows: where every row counts, as the count of rows is."""
    if not policy.cell_key:
        return counts
    keys = _keys(exact)[..., -1].reshape(-1)
    return perturbed(counts.reshape(-1), keys, policy.cell_key.table()).reshape(counts.shape)


def _keys(exact: Exact) -> Keys:
    if exact.keys is None:
        raise ValueError("the policy goes by record keys, and none were gathered")
    return exact.keys.view(np.uint64)


def rounded_rows(exact: Exact, counts: Integers, policy: Policy) -> dict[Count, Integers]:
    """Counts as they are shown, of all rows (from the rounded table) and of those that have a value."""
    found = {a: nearest(moved(v, exact, policy), policy.rounding_base) for a, v in exact.present.items()}
    return {Count(): counts[..., -1], **found}


def rounded_sum(summed: Summed, shown: Integers, policy: Policy) -> Integers:
    """In the proportion of the shown count to the true one, so that their ratio is the mean; then to the base in ticks.

    So sum and mean tell no more of the count than the shown count does, and the sum of a 0/1 variable, which is a
    count, is known to the base as one.
    """
    more = (shown - summed.rows) / np.maximum(summed.rows, 1)
    return nearest(summed.values + np.rint(summed.values * more).astype(np.int64), policy.rounding_base)


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
