"""Which cubes a data set gets: as its catalogue says, or by rule from the catalogue alone, never from the data."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from datasets.catalogue import DataSet
from datasets.variables import Variable

MOST_CELLS = 4_000_000
"""Of one cube: 16 MB of 32-bit counts."""


def chosen(data_set: DataSet) -> tuple[tuple[str, ...], ...]:
    """Axes of each cube.

    Where the catalogue names none: (1) time, places, then all others from the fewest atoms up, as many as fit;
    (2) the same without places; (3) time, places, then what the first had no room for, in the catalogue's order. A
    variable of `sort_by` counts as a place. None has more cells than there can be rows.
    """
    if data_set.cubes:
        return tuple(in_order(data_set, axes) for axes in data_set.cubes)
    time = [data_set.time] if data_set.time else []
    others = sorted((v for v in data_set.domain if not v.is_time), key=_atoms)
    places = [v for v in others if _is_place(v, data_set)]
    rest = [v for v in others if v not in places]
    first = _fitting(data_set, [*time, *places, *rest])
    second = _fitting(data_set, [*time, *rest])
    left = [v for v in data_set.domain if v in rest and v.name not in first]
    third = _fitting(data_set, [*time, *places, *left])
    found: list[tuple[str, ...]] = []
    for axes in (first, second, third):
        if axes and not any(set(axes) <= set(other) for other in found):
            found.append(axes)
    return tuple(found)


def in_order(data_set: DataSet, names: Iterable[str]) -> tuple[str, ...]:
    """Time first, whether or not it is named; then from the fewest atoms up: sums run along the last axis fastest."""
    variables = sorted((data_set.by_name[name] for name in names), key=lambda v: (not v.is_time, _atoms(v)))
    time = [data_set.time] if data_set.time else []
    return tuple(dict.fromkeys(v.name for v in (*time, *variables)))


def _is_place(variable: Variable, data_set: DataSet) -> bool:
    levels = (variable.level, *(banding.level for banding in variable.bandings))
    return any(levels) or variable.name in data_set.sort_by


def _fitting(data_set: DataSet, variables: Iterable[Variable]) -> tuple[str, ...]:
    taken: list[Variable] = []
    for variable in variables:
        if prod(map(_atoms, (*taken, variable))) <= min(MOST_CELLS, data_set.max_rows):
            taken.append(variable)
    # A cube without time could not serve one census, and with it there are more cells than rows.
    return () if data_set.time and data_set.time not in taken else in_order(data_set, (v.name for v in taken))


def _atoms(variable: Variable) -> int:
    return len(variable.atoms)
