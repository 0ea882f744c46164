"""Counts perturbed by the keys of their records: the same records, the same count, in every table and for everybody.

Lemma. The change of a cell is a function of its count and of the sum of its records' keys, and so of its set of records
alone. With keys as in `keys.py` the changes of different cells are independent, each with exactly the law of its row.
Proof: the mixed key is uniform on 0 … 2⁶⁴ − 1, and a change has as many keys as its share. ∎

Zeros. A cell without records has the key 0 of an empty sum. Row 0 of a table keeps it as it is (the default), so that a
shown 0 is either true or a small count; no shown count above 0 is a true 0. A table whose row 0 perturbs takes some
zeros up, so that a small shown count may be nobody; the key must then come from the cell's categories (the sum of one
key for each code, made with the cut's secret), and cells that can hold nobody (structural zeros) are marked and stay 0.

Totals are perturbed by their own keys: tables do not add up.
"""

from __future__ import annotations

import numpy as np

from disclosure.cell_key.keys import Keys, mixed
from disclosure.cell_key.ptable import PTable
from disclosure.tables import Flags, Integers

_PURPOSE = b"counts"


def perturbed(counts: Integers, keys: Keys, table: PTable, structural: Flags | None = None) -> Integers:
    """counts: int64, not negative. keys: of the same shape, sums of record keys mod 2⁶⁴ (for zeros that a table
    perturbs, of category keys). structural: zeros that must stay.
    """
    if counts.dtype != np.int64 or keys.dtype != np.uint64 or counts.shape != keys.shape or (counts < 0).any():
        raise ValueError("want int64 counts from 0 and as many uint64 keys")
    if structural is not None and (structural.shape != counts.shape or counts[structural].any()):
        raise ValueError("structural: wants flags of the counts' shape, on zeros only")
    fixed = structural if structural is not None else np.zeros(counts.shape, np.bool_)
    if not table.keeps_zeros and ((counts == 0) & (keys == 0) & ~fixed).any():
        raise ValueError("keys: a table that perturbs zeros wants a key of categories for each zero")
    return np.where(fixed, 0, counts + changes(counts, mixed(keys, _PURPOSE), table))


def changes(counts: Integers, keys: Keys, table: PTable) -> Integers:
    """What each uniform key adds to its count."""
    rows = np.minimum(counts, len(table.rows) - 1)
    found = np.zeros_like(counts)
    for count in np.unique(rows):
        here = rows == count
        found[here] = table.rows[count].look_up(keys[here])
    return found
