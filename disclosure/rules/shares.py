"""Comparison of shares in whole numbers of any length, so that no rounding and no overflow decides a cell."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from disclosure.tables import Flags, Integers

Exact = npt.NDArray[np.object_]
"""Python integers."""


def leading(largest: Integers, wanted: int) -> Exact:
    """The first so many of the largest contributions. Raises ValueError where fewer were gathered."""
    if largest.shape[-1] < wanted:
        raise ValueError(f"want the {wanted} largest contributions, not {largest.shape[-1]}")
    if (largest < 0).any() or (np.diff(largest, axis=-1) > 0).any():
        raise ValueError("the largest contributions are absolute and descending")
    return largest[..., :wanted].astype(np.object_)


def exceeds(part: Any, whole: Any, share: Decimal | int, of: Decimal | int) -> Flags:
    """part > (share / of) · whole, for arrays of integers."""
    ratio = Fraction(share) / Fraction(of)
    left, right = np.asarray(part, np.object_), np.asarray(whole, np.object_)
    return np.asarray(left * ratio.denominator > right * ratio.numerator, np.bool_)
