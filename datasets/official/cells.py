"""Which cells a release was about, so that later releases treat the same pupils' cells alike.

A cell's key depends on its population and its codes, not on the table it stood in: the pupils of an LA are one cell,
whether the table was by LA and sex or by LA and need. Keys are sums modulo 2^64 of 64-bit digests, one for each
variable that the cell restricts; among a million cells two differing ones agree with probability under 1e-7, and then
one of them is hidden, or left to the attacker's account, without need.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import numpy as np

from datasets.official.released import Keys, ReleasedCells
from datasets.official.table import OfficialTable
from datasets.official.trees import everything
from disclosure.aggregates import Aggregate, as_json
from disclosure.official import Earlier, Flagged, Protected, Unprotected


def released(table: OfficialTable, protected: Protected) -> ReleasedCells:
    if isinstance(protected, Unprotected):
        raise TypeError("what is not protected is not released")
    counts = cell_keys(table)
    parts = [(counts, protected.counts.hidden)]
    parts += [(_of_sum(table, counts, a), shown.hidden) for a, shown in protected.present.items()]
    parts += [(_of_sum(table, counts, a), shown.hidden) for a, shown in protected.sums.items()]
    return ReleasedCells(
        np.concatenate([keys.ravel() for keys, _ in parts]), np.concatenate([hidden.ravel() for _, hidden in parts])
    )


def earlier(table: OfficialTable, before: Iterable[ReleasedCells]) -> Earlier:
    """What earlier releases have done with the cells of this table. What was ever shown stays known."""
    every = list(before)
    none = np.zeros(0, np.uint64)
    shown = np.concatenate([none, *(each.keys[~each.hidden] for each in every)])
    hidden = np.concatenate([none, *(each.keys[each.hidden] for each in every)])

    def flagged(keys: Keys) -> Flagged:
        known = np.isin(keys, shown)
        return Flagged(known, np.isin(keys, hidden) & ~known)

    counts = cell_keys(table)
    return Earlier(flagged(counts), {a: flagged(_of_sum(table, counts, a)) for a in (*table.present, *table.sums)})


def cell_keys(table: OfficialTable) -> Keys:
    """Of every cell of the table, in its shape."""
    domain = table.data_set.domain
    paths = list(table.population.paths()) if table.population.path_count == 1 else []
    masks = {domain[level].name: mask for path in paths for level, mask in path}
    dimensions = {tree.variable.name for tree in table.trees}
    outside = [_digest([name, hex(mask)]) for name, mask in sorted(masks.items()) if name not in dimensions]
    if not paths:
        outside.append(_digest(table.population.canonical()))
    keys = np.full((1,) * len(table.shape), sum(outside) % 2**64, np.uint64)
    for axis, tree in enumerate(table.trees):
        whole = everything(tree.variable)
        own = [mask & masks.get(tree.variable.name, whole) for mask in tree.masks]
        keys = keys + _along(axis, [0 if m == whole else _digest([tree.variable.name, hex(m)]) for m in own], table)
    return np.asarray(keys + _along(len(table.trees), _of_splits(table), table))


def _of_splits(table: OfficialTable) -> list[int]:
    found = []
    for split in table.splits:
        found += [_digest([split.variable.name, hex(mask)]) for mask in split.masks[:-1]]
    return [*found, 0]


def _of_sum(table: OfficialTable, counts: Keys, aggregate: Aggregate) -> Keys:
    return np.asarray(counts[..., -1] + np.uint64(_digest(as_json(aggregate))))


def _along(axis: int, values: list[int], table: OfficialTable) -> Keys:
    shape = [1] * len(table.shape)
    shape[axis] = -1
    return np.array(values, np.uint64).reshape(shape)


def _digest(value: object) -> int:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
