"""Rounding of counts to the nearest multiple. Ties go up, so that an integer has one rounding."""

from __future__ import annotations

from disclosure.tables import Integers


def nearest(values: Integers, base: int) -> Integers:
    """Nearest multiple of `base`; an exact half goes up."""
    return (values + base // 2) // base * base


def preimage(rounded: Integers, base: int) -> tuple[Integers, Integers]:
    """The smallest and the largest integer that `nearest` sends to each number."""
    low = rounded - base // 2
    return low, low + base - 1
