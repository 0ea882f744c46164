"""What is wrong with a table as a whole, whatever its numbers are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.answer import Status
from datasets.output_check.look import Look
from datasets.output_check.placed import Placed
from datasets.output_check.verdict import Finding, Reason, finding
from disclosure.official.problems import any_of


def of_table(look: Look) -> Iterator[Finding]:
    rule = look.policy.sparsity
    if rule and rule.refuses(look.recomputed.exact.pupils, look.policy.minimum_count):
        yield finding(Reason.SPARSE)
    if len({(p.sent.status, p.sent.blank) for p in look.placed if _is_kept_back(p, look)}) > 1:
        yield finding(Reason.MIXED_SYMBOLS)
    if _leaves_nobody_out(look):
        yield finding(Reason.ROWS_LEFT_OUT)


def _is_kept_back(placed: Placed, look: Look) -> bool:
    """Not where there is no number at all."""
    there = np.isfinite(look.recomputed.truth[placed.measure.id][placed.row, placed.output])
    return not placed.sent.shown and placed.sent.status is not Status.NOT_APPLICABLE and bool(there)


def _leaves_nobody_out(look: Look) -> bool:
    """Whether rows are missing from tables that are there, and some of them are of groups that rules hide as empty."""
    exact, recomputed = look.recomputed.exact, look.recomputed
    sent = {placed.row for placed in look.placed}
    empty = any_of(look.counts.rules, exact.counts.shape)[..., -1] & (exact.counts.values[..., -1] == 0)
    return any(
        empty.flat[recomputed.places[row]]
        for rows in recomputed.rows_of_tables
        if not sent.isdisjoint(rows)
        for row in set(rows) - sent
    )
