"""Rounding of counts to a base. Ties go up, so that the rounding of an integer is one definite integer."""

from __future__ import annotations

from disclosure.tables import Integers


def nearest(values: Integers, base: int) -> Integers:
    """Nearest multiple of `base`; an exact half goes up."""
    return (values + base // 2) // base * base


def preimage(rounded: Integers, base: int) -> tuple[Integers, Integers]:
    """The smallest and the largest integer that `nearest` sends to each number."""
    low = rounded - base // 2
    return low, low + base - 1
