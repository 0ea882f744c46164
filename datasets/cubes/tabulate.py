"""A table out of a cube: the rows that a predicate admits, by groups of atoms of some of the cube's axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, product
from math import prod

import numpy as np

from datasets.catalogue import DataSet
from datasets.cubes.cube import Counts, Cube
from datasets.cubes.diagram import Dimension, Places, bits, summed
from datasets.predicate import Predicate
from disclosure.tables import Integers

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A dimension of the table: groups of a variable's atoms, disjoint, some perhaps empty."""

    variable: str
    groups: Groups


def tabulate(cube: Cube, data_set: DataSet, predicate: Predicate, shown: Sequence[Shown]) -> Integers:
    """int64, of the lengths of `shown`. Nothing is made that is larger than the part of the cube that is admitted.

    Sums stay in the cube's own integers until the end: they hold all rows there can be.
    """
    if predicate.path_count == 0:
        return np.zeros([len(each.groups) for each in shown], np.int64)
    levels = _levels(cube, data_set)
    kept = {each.variable for each in shown}
    tested = {node.level for node in predicate.nodes} if predicate.path_count > 1 else set()
    atoms = _admitted(cube, predicate, levels)
    counts = _reduced(cube, atoms, [name not in kept and levels[name] not in tested for name in cube.axes])
    if tested:
        dimensions = {
            levels[name]: Dimension(axis, atoms[axis], name in kept)
            for axis, name in enumerate(cube.axes)
            if levels[name] in tested
        }
        counts = summed(counts, predicate, dimensions)
    return _grouped(cube, counts, atoms, shown)


def work(cube: Cube, data_set: DataSet, predicate: Predicate) -> int:
    """Numbers that are read or added, at most; known from the question alone."""
    admitted = prod(predicate.admitted(level).bit_count() for level in _levels(cube, data_set).values())
    edges = sum(len(node.edges) for node in predicate.nodes) if predicate.path_count > 1 else 1
    return edges * admitted


def _levels(cube: Cube, data_set: DataSet) -> dict[str, int]:
    return {v.name: level for level, v in enumerate(data_set.domain) if v.name in cube.axes}


def _admitted(cube: Cube, predicate: Predicate, levels: dict[str, int]) -> list[Places]:
    """Atoms of each axis that some admitted row has."""
    tested = {node.level for node in predicate.nodes}
    return [
        np.flatnonzero(bits(predicate.admitted(levels[name]), size)) if levels[name] in tested else np.arange(size)
        for name, size in zip(cube.axes, cube.counts.shape, strict=True)
    ]


def _reduced(cube: Cube, atoms: Sequence[Places], away: Sequence[bool]) -> Counts:
    """The admitted part of the cube, summed over the axes that are neither shown nor tested (they keep length 1).

    Runs of atoms are cut out first, since that costs nothing; then from the slowest axis on, so that what is added is
    whole stretches of memory.
    """
    runs = [places.size > 0 and places[-1] - places[0] + 1 == places.size for places in atoms]
    whole = slice(None)
    cut = tuple(slice(p[0], p[-1] + 1) if run else whole for p, run in zip(atoms, runs, strict=True))
    counts = cube.counts[cut]
    for axis, (places, run, gone) in enumerate(zip(atoms, runs, away, strict=True)):
        if not run:
            counts = counts.take(places, axis)
        if gone and counts.shape[axis] > 1:
            counts = counts.sum(axis, counts.dtype, keepdims=True)
    return counts


def _grouped(cube: Cube, counts: Counts, atoms: Sequence[Places], shown: Sequence[Shown]) -> Integers:
    """Groups of the axes that are shown; the others have length 1."""
    lengths: list[int] = []
    places: dict[int, int] = {}
    for axis, (name, size) in enumerate(zip(cube.axes, cube.counts.shape, strict=True)):
        mine = [i for i, each in enumerate(shown) if each.variable == name]
        if mine:
            counts = _folded(counts, axis, size, atoms[axis], _crossed([shown[i].groups for i in mine]))
            places |= {i: len(lengths) + k for k, i in enumerate(mine)}
            lengths += [len(shown[i].groups) for i in mine]
    table = counts.reshape(lengths).transpose([places[i] for i in range(len(shown))])
    return table.astype(np.int64, order="C")


def _crossed(groupings: Sequence[Groups]) -> Groups:
    """Several groupings of one variable as one: a group for each combination, of the atoms that are in all of it."""
    if len(groupings) == 1:
        return groupings[0]
    return tuple(tuple(sorted(set.intersection(*map(set, groups)))) for groups in product(*groupings))


def _folded(counts: Counts, axis: int, size: int, atoms: Places, groups: Groups) -> Counts:
    """Sums over the groups of one axis, of whose `size` atoms those given are there."""
    # An empty group, and an atom that is not admitted, stand at a zero that is put behind the last.
    place = np.full(size + 1, atoms.size)
    place[atoms] = np.arange(atoms.size)
    members = place[list(chain.from_iterable(group or (size,) for group in groups))]
    if (members == atoms.size).any():
        zero = np.zeros([*counts.shape[:axis], 1, *counts.shape[axis + 1 :]], counts.dtype)
        counts = np.concatenate([counts, zero], axis)
    taken = counts if _all_of(members, counts.shape[axis]) else counts.take(members, axis)
    return taken if len(members) == len(groups) else np.add.reduceat(taken, _starts(groups), axis, counts.dtype)


def _all_of(members: Places, size: int) -> bool:
    return members.size == size and bool((members == np.arange(size)).all())


def _starts(groups: Iterable[tuple[int, ...]]) -> list[int]:
    lengths = [max(1, len(group)) for group in groups]
    return [0, *accumulate(lengths)][:-1]
