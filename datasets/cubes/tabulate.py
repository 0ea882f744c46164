"""A table out of a cube: the rows that a predicate admits, by groups of atoms of some of the cube's axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, groupby, product
from math import prod
from typing import TypeAlias

import numpy as np

from datasets.catalogue import DataSet
from datasets.cubes.cube import Counts, Cube
from datasets.cubes.diagram import Dimension, Places, bits, summed
from datasets.predicate import Predicate
from disclosure.tables import Integers

Groups: TypeAlias = tuple[tuple[int, ...], ...]
Some: TypeAlias = slice | Places | None
"""Atoms of an axis: a stretch of them, any, or all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A dimension of the table: groups of a variable's atoms, disjoint, some perhaps empty."""

    variable: str
    groups: Groups


def tabulate(cube: Cube, data_set: DataSet, predicate: Predicate, shown: Sequence[Shown]) -> Integers:
    """int64, of the lengths of `shown`. Nothing is made that is larger than the part of the cube that is admitted.

    Sums stay in the cube's own integers until the end: they hold all rows there can be.
    """
    paths = predicate.path_count
    if paths == 0:
        return np.zeros([len(each.groups) for each in shown], np.int64)
    levels = [data_set.levels_of[name] for name in cube.axes]
    kept = {each.variable for each in shown}
    tested = {node.level for node in predicate.nodes}
    admitted = [predicate.admitted(level) if level in tested else None for level in levels]
    atoms = [
        None if mask is None else _atoms(mask, size) for mask, size in zip(admitted, cube.counts.shape, strict=True)
    ]
    away = [
        name not in kept and (paths == 1 or level not in tested) for name, level in zip(cube.axes, levels, strict=True)
    ]
    counts = _reduced(cube.counts, atoms, away)
    if paths > 1:
        dimensions = {
            level: Dimension(axis, np.arange(cube.counts.shape[axis])[_everywhere(atoms[axis])], name in kept)
            for axis, (name, level) in enumerate(zip(cube.axes, levels, strict=True))
            if level in tested
        }
        counts = summed(counts, predicate, dimensions)
    return _grouped(cube, counts, atoms, shown)


def work(cube: Cube, data_set: DataSet, predicate: Predicate) -> int:
    """Numbers that are read or added, at most; known from the question alone."""
    admitted = prod(predicate.admitted(data_set.levels_of[name]).bit_count() for name in cube.axes)
    return edges(predicate) * admitted


def edges(predicate: Predicate) -> int:
    """How often a number may be added, at most."""
    return sum(len(node.edges) for node in predicate.nodes) if predicate.path_count > 1 else 1


def _atoms(mask: int, size: int) -> Some:
    """A stretch where it is one, since that costs nothing to cut out."""
    low, high = (mask & -mask).bit_length() - 1, mask.bit_length()
    if mask >> low == (1 << (high - low)) - 1:
        return None if high - low == size else slice(low, high)
    return np.flatnonzero(bits(mask, size))


def _everywhere(atoms: Some) -> slice | Places:
    return slice(None) if atoms is None else atoms


def _reduced(counts: Counts, atoms: Sequence[Some], away: Sequence[bool]) -> Counts:
    """The admitted part of the cube, summed over the axes that are neither shown nor tested (they keep length 1).

    Neighbouring axes are summed at once, from the slowest on, so that what is added is whole stretches of memory.
    """
    counts = counts[tuple(each if isinstance(each, slice) else slice(None) for each in atoms)]
    for axis, each in enumerate(atoms):
        if isinstance(each, np.ndarray):
            counts = counts.take(each, axis)
    for gone, group in groupby(range(len(away)), key=lambda axis: away[axis]):
        if gone:
            counts = np.add.reduce(counts, tuple(group), counts.dtype, keepdims=True)
    return counts


def _grouped(cube: Cube, counts: Counts, atoms: Sequence[Some], shown: Sequence[Shown]) -> Integers:
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


def _folded(counts: Counts, axis: int, size: int, atoms: Some, groups: Groups) -> Counts:
    """Sums over the groups of one axis, of whose `size` atoms those given are there."""
    members, starts, each = _members(groups, size)
    if each and atoms is None:
        return counts
    here = counts.shape[axis]
    place = np.full(size + 1, here)
    place[:-1][_everywhere(atoms)] = np.arange(here)
    members = place[members]
    if (members == here).any():
        zero = np.zeros([*counts.shape[:axis], 1, *counts.shape[axis + 1 :]], counts.dtype)
        counts = np.concatenate([counts, zero], axis)
    taken = counts.take(members, axis)
    return taken if starts is None else np.add.reduceat(taken, starts, axis, counts.dtype)


@lru_cache(maxsize=256)
def _members(groups: Groups, size: int) -> tuple[Places, Places | None, bool]:
    """Atoms of the groups one after the other, where each group starts (None: each has one), and whether they are just
    all atoms. An empty group, as an atom that is not admitted, stands at `size`, where a zero is put."""
    members = np.array(list(chain.from_iterable(group or (size,) for group in groups)), np.intp)
    lengths = [max(1, len(group)) for group in groups]
    starts = None if len(members) == len(groups) else np.array([0, *accumulate(lengths)][:-1], np.intp)
    return members, starts, starts is None and members.size == size and bool((members == np.arange(size)).all())
