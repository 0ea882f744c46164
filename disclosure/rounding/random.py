"""Unbiased random rounding to a base, decided by one uniform key per cell: the same key, the same rounding, always.

Write x = base·q + r with 0 ≤ r < base. x becomes base·(q + 1) if ⌊key·base / 2⁶⁴⌋ < r, and base·q otherwise.

Lemma. For a key that is uniform on 0 … 2⁶⁴ − 1 the mean of the result is x to within base·2⁻⁶⁴, and exactly x if the
base divides 2⁶⁴; multiples stay. Proof: ⌊key·base / 2⁶⁴⌋ < r if and only if key < r·2⁶⁴/base, which ⌈r·2⁶⁴/base⌉ keys
satisfy. So the probability p of going up is r/base rounded up to a multiple of 2⁻⁶⁴, and the mean is base·(q + p), from
x to less than x + base·2⁻⁶⁴. For r = 0 no key goes up. ∎

Unbiased random rounding to base 3 is what Stats NZ publishes with. A fresh draw for each query could be averaged away:
here nothing is drawn, the key comes from the records of the cell (`disclosure.cell_key.keys`).
"""

from __future__ import annotations

import numpy as np

from disclosure.cell_key.keys import Keys
from disclosure.tables import Integers

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
LARGEST_BASE = 2**31


def share_of(keys: Keys, base: int) -> Integers:
    """⌊key·base / 2⁶⁴⌋: which of `base` equal parts of the range a key falls in. The product has up to 95 bits, so it
    is taken in two halves, exactly.
    """
    if not 1 <= base <= LARGEST_BASE:
        raise ValueError(f"base: wants 1 to {LARGEST_BASE}")
    factor = np.uint64(base)
    carried = ((keys & _LOW) * factor) >> _HALF
    return (((keys >> _HALF) * factor + carried) >> _HALF).astype(np.int64)


def by_key(values: Integers, keys: Keys, base: int) -> Integers:
    """Each value rounded down or up to a multiple of `base`. keys: uint64, uniform, of the shape of values."""
    if keys.dtype != np.uint64 or keys.shape != values.shape:
        raise ValueError(f"want uint64 keys of {values.shape}")
    share = share_of(keys, base)
    whole, left = np.divmod(values, base)
    return base * (whole + (share < left))
