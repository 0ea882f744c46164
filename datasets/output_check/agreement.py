"""Whether a number that was sent is the query's: as the policy would show it, otherwise near the data, or neither."""

from __future__ import annotations

import math

from datasets.output_check.table_in import Sent
from datasets.output_check.verdict import Reason
from disclosure.policy import Policy

NOISE = 1e-9
"""Of floating point, relative."""


def of_count(sent: Sent, truth: float, as_shown: float, policy: Policy) -> Reason | None:
    """None where it is what the policy shows. Rounding of any kind to a base b moves a count by less than b, a cell key
    by its largest noise."""
    value = float(sent.value or 0)
    if value == as_shown:
        return None
    moved = policy.rounding_base - 1 + (policy.cell_key.max_noise if policy.cell_key else 0)
    if abs(value - truth) > moved or not value.is_integer():
        return Reason.NOT_THAT_OF_THE_QUERY
    return Reason.NOT_ROUNDED if value % policy.rounding_base else Reason.ROUNDED_DIFFERENTLY


def of_estimate(sent: Sent, truth: float, as_shown: float, decimals: int) -> Reason | None:
    """The same of a number that is computed from others. decimals: to which the service would show it."""
    if _is_near(sent, as_shown, decimals):
        return None
    return Reason.ROUNDED_DIFFERENTLY if _is_near(sent, truth, decimals) else Reason.NOT_THAT_OF_THE_QUERY


def _is_near(sent: Sent, expected: float, decimals: int) -> bool:
    """To the decimals that were written, from the number or from the number as the service rounds it."""
    if not math.isfinite(expected):
        return False
    value, half = float(sent.value or 0), 0.5 * 10.0**-sent.decimals
    slack = half + NOISE * max(1.0, abs(expected))
    return min(abs(value - expected), abs(value - round(expected, decimals))) <= slack
