"""What the table and earlier releases tell an attacker of the cells that nobody may know.

The attacker knows the numbers that are shown, as exactly as though they were not rounded, and what earlier releases
have shown; cells that are hidden, and cells and totals that are not in the table, they do not know. A cell that a rule
hides must keep the policy's width, one that only an earlier release hides more than one value
(`disclosure.suppression.audit`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from disclosure.suppression.audit import Limits, audit
from disclosure.suppression.problem import Pattern, Problem
from disclosure.tables import Flags

LIMITS = Limits(programs=2_000)


def told(problem: Problem, shown: Flags) -> Flags:
    """Cells that are not shown, must not be known, and can be worked out too closely. Raises CannotProtect where the
    audit gives up, and then nothing is known."""
    hidden = ~shown
    primary, before = problem.primary & hidden, problem.hidden & hidden
    if not (primary | before).any():
        return np.zeros(shown.shape, np.bool_)
    needed = np.where(primary, problem.width, np.where(before, 1, 0))
    pattern = Pattern(hidden, np.zeros(shown.shape, np.int64))
    asked = replace(problem, primary=primary, hidden=before)
    return audit(asked, pattern, limits=LIMITS, needed=needed).narrow
