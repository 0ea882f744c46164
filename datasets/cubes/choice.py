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

    None of a public data set, which answers no questions. Where the catalogue says nothing, as many variables as fit
    of: (1) time, what the table is sorted by, the coarsest
    place (where no place is among that), then the others in the catalogue's order; (2) time, the others from the fewest
    atoms up; (3) as the first, but those that it had no room for, from the fewest atoms up. None has more cells than
    there can be rows.
    """
    if data_set.public:
        return ()
    if data_set.cubes is not None:
        return tuple(in_order(data_set, axes) for axes in data_set.cubes)
    time = [data_set.time] if data_set.time else []
    head = [*time, *_most_asked_for(data_set)]
    others = [v for v in data_set.domain if v not in head and not _is_place(v)]
    first = _fitting(data_set, [*head, *others])
    second = _fitting(data_set, [*time, *sorted(others, key=_atoms)])
    third = _fitting(data_set, [*head, *sorted((v for v in others if v.name not in first), key=_atoms)])
    found: list[tuple[str, ...]] = []
    for axes in (first, second, third):
        if axes and not any(set(axes) <= set(other) for other in found):
            found.append(axes)
    return tuple(found)


def _most_asked_for(data_set: DataSet) -> list[Variable]:
    """What the table is sorted by, and a place: the coarsest, where it is not sorted by any."""
    found = [v for name in data_set.sort_by if (v := data_set.by_name[name]).atoms and not v.is_time]
    places = sorted((v for v in data_set.domain if _is_place(v)), key=_atoms)
    return found if any(map(_is_place, found)) else [*found, *places[:1]]


def in_order(data_set: DataSet, names: Iterable[str]) -> tuple[str, ...]:
    """Time first, whether or not it is named; then from the fewest atoms up: sums run along the last axis fastest."""
    variables = sorted((data_set.by_name[name] for name in names), key=lambda v: (not v.is_time, _atoms(v)))
    time = [data_set.time] if data_set.time else []
    return tuple(dict.fromkeys(v.name for v in (*time, *variables)))


def _is_place(variable: Variable) -> bool:
    return any((variable.level, *(banding.level for banding in variable.bandings)))


def _fitting(data_set: DataSet, variables: Iterable[Variable]) -> tuple[str, ...]:
    taken: list[Variable] = []
    for variable in variables:
        if prod(map(_atoms, (*taken, variable))) <= min(MOST_CELLS, data_set.max_rows):
            taken.append(variable)
    # A cube without time could not serve one census, and with it there are more cells than rows.
    return () if data_set.time and data_set.time not in taken else in_order(data_set, (v.name for v in taken))


def _atoms(variable: Variable) -> int:
    return len(variable.atoms)
