"""Which cells a release was about, so that later releases treat the same pupils' cells alike.

A cell's key depends on its population and its codes, not on the table it stood in: the pupils of an LA are one cell,
whether the table was by LA and sex or by LA and need. Keys are sums modulo 2^64 of 64-bit digests, one for each
variable that the cell restricts; among a million cells two differing ones agree with probability under 1e-7, and then
one of them is hidden, or left to the attacker's account, without need.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np

from datasets.catalogue import DataSet
from datasets.official.released import Keys, ReleasedCells
from datasets.official.table import OfficialTable
from datasets.official.trees import Tree, everything
from datasets.predicate import Predicate
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


def gives_away(told: ReleasedCells, every: Iterable[ReleasedCells]) -> bool:
    """Whether a cell that everybody can work out was hidden anywhere."""
    return any(np.isin(told.keys, each.keys[each.hidden]).any() for each in every)


def worked_out_cells(table: OfficialTable, keys: Keys) -> ReleasedCells:
    """Cells that everybody can work out, with the sums of what this table measures."""
    measured = [keys + np.uint64(_digest(as_json(a))) for a in (*table.present, *table.sums)]
    told = np.concatenate([keys, *measured])
    return ReleasedCells(told, np.zeros(told.shape, np.bool_))


def together(one: ReleasedCells, two: ReleasedCells) -> ReleasedCells:
    return ReleasedCells(np.concatenate([one.keys, two.keys]), np.concatenate([one.hidden, two.hidden]))


def cell_keys(table: OfficialTable) -> Keys:
    """Of every cell of the table, in its shape."""
    data_set, population, trees = table.data_set, table.population, table.trees
    splits = [keys_of(data_set, population, [*trees, split])[..., :-1] for split in table.splits]
    return np.concatenate([*splits, keys_of(data_set, population, trees)[..., None]], axis=-1)


def keys_of(data_set: DataSet, population: Predicate, trees: Sequence[Tree]) -> Keys:
    """Of every combination of the trees' elements."""
    paths = list(population.paths()) if population.path_count == 1 else []
    masks = {data_set.domain[level].name: mask for path in paths for level, mask in path}
    dimensions = {tree.variable.name for tree in trees}
    outside = [_digest([name, hex(mask)]) for name, mask in sorted(masks.items()) if name not in dimensions]
    if not paths:
        outside.append(_digest(population.canonical()))
    keys = np.full((1,) * len(trees), sum(outside) % 2**64, np.uint64)
    for axis, tree in enumerate(trees):
        whole = everything(tree.variable)
        own = [mask & masks.get(tree.variable.name, whole) for mask in tree.masks]
        digests = [0 if m == whole else _digest([tree.variable.name, hex(m)]) for m in own]
        keys = keys + np.array(digests, np.uint64).reshape([-1 if axis == k else 1 for k in range(len(trees))])
    return np.asarray(keys)


def _of_sum(table: OfficialTable, counts: Keys, aggregate: Aggregate) -> Keys:
    return np.asarray(counts[..., -1] + np.uint64(_digest(as_json(aggregate))))


def _digest(value: object) -> int:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
