"""What the table and earlier releases tell an attacker of the cells that nobody may know.

The attacker knows the numbers that are shown, as exactly as though they were not rounded, and what earlier releases
have shown; cells that are hidden, and cells and totals that are not in the table, they do not know. A cell that a rule
hides must keep the policy's width, one that only an earlier release hides more than one value
(`disclosure.suppression.audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from datasets.output_check.look import Look
from datasets.output_check.verdict import Finding, Reason, finding
from disclosure.aggregates import Aggregate
from disclosure.suppression.audit import Limits, audit
from disclosure.suppression.problem import CannotProtect, Pattern, Problem
from disclosure.suppression.suppress import suppress
from disclosure.tables import Flags

LIMITS = Limits(programs=2_000)
MOST_NAMED = 20
"""Lines that a fix names."""


def of_pattern(look: Look, findings: Sequence[list[Finding]]) -> Iterator[Finding]:
    """Of the table. What the hidden numbers that stand for a narrow cell are told is added to theirs."""
    try:
        yield from _blamed(_narrow(look.counts.problem, look.shown), None, look, findings)
        for aggregate, against in look.beside.items():
            shown = look.shown_beside(aggregate)
            if shown.any():
                yield from _blamed(_narrow(against.problem, shown), aggregate, look, findings)
    except CannotProtect:
        yield finding(Reason.NOT_AUDITED)


def _narrow(problem: Problem, shown: Flags) -> Flags:
    """Cells that are not shown, must not be known, and can be worked out too closely. Raises CannotProtect where the
    audit gives up, and then nothing is known."""
    hidden = ~shown.reshape(problem.cube.shape)
    primary, before = problem.primary & hidden, problem.hidden & hidden
    if not (primary | before).any():
        return np.zeros(hidden.shape, np.bool_)
    needed = np.where(primary, problem.width, np.where(before, 1, 0))
    pattern = Pattern(hidden, np.zeros(hidden.shape, np.int64))
    asked = replace(problem, primary=primary, hidden=before)
    narrow = audit(asked, pattern, limits=LIMITS, needed=needed).narrow
    if narrow.any() and np.count_nonzero(hidden) > LIMITS.cells:
        raise CannotProtect("so many cells are hidden that what was not proved is not known to be narrow")
    return narrow


def _blamed(
    narrow: Flags, aggregate: Aggregate | None, look: Look, findings: Sequence[list[Finding]]
) -> Iterator[Finding]:
    standing = look.standing(aggregate)
    mend = _mend(look) if aggregate is None and narrow.any() else ""
    for cell in np.flatnonzero(narrow).tolist():
        for place in standing[cell]:
            findings[place].append(finding(Reason.CAN_BE_WORKED_OUT, mend=mend))
        if not standing[cell]:
            yield finding(Reason.TELLS_OTHERS, mend=mend)


def _mend(look: Look) -> str:
    """Which numbers a release of ours would hide beside the counts that are hidden."""
    problem = look.counts.problem
    also_hidden = replace(problem, hidden=problem.hidden | (look.hidden & ~problem.known))
    try:
        pattern = suppress(also_hidden, look.policy.secondary.method).hidden
    except CannotProtect:
        return ""
    also = [p.sent for p in look.placed if p.sent.shown and look.tells_any(p, pattern)]
    named = "; ".join(f"line {sent.line}, {sent.column}" for sent in also[:MOST_NAMED])
    return f"For instance, hide: {named}{' and others' if len(also) > MOST_NAMED else ''}." if named else ""
