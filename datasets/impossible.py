"""Cells that nobody can be in, by what the catalogue says; they are shown as not applicable, and are no secret."""

from __future__ import annotations

from math import prod

import numpy as np

from datasets.catalogue import DataSet, Impossible
from datasets.groupings import Table
from datasets.plan import Axis
from disclosure.tables import Flags


def impossible(table: Table, data_set: DataSet) -> Flags:
    """Of each cell of a table of an answer, the last axis fastest."""
    shape = tuple(len(axis.codes) for axis in table.axes)
    found = np.zeros(shape, np.bool_)
    for one in data_set.impossible:
        found |= _inside(one, table, shape)
    return found.reshape(prod(shape))


def _inside(one: Impossible, table: Table, shape: tuple[int, ...]) -> Flags:
    found = np.ones(shape, np.bool_)
    for name, atoms in one.atoms:
        of_variable = np.zeros(shape, np.bool_)
        for place, axis in enumerate(table.axes):
            if axis.variable.name == name:
                along = [1] * len(shape)
                along[place] = -1
                of_variable |= np.array(_within(axis, atoms), np.bool_).reshape(along)
        found &= of_variable
    return found


def _within(axis: Axis, atoms: tuple[int, ...]) -> list[bool]:
    return [set(group) <= set(atoms) for group in axis.groups]
