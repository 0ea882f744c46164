"""Count cubes that a data set asks for: `cubes = [["la", "sex"], …]`."""

from __future__ import annotations

from math import prod

from datasets.catalogue_toml.table import Table
from datasets.cubes.choice import MOST_CELLS
from datasets.variables import Variable

MOST_CUBES = 8
WANTED = f"a list of at most {MOST_CUBES} lists of variables, e.g. [['la', 'sex']]; [] for none"


def read_cubes(table: Table, variables: tuple[Variable, ...]) -> tuple[tuple[str, ...], ...] | None:
    """None where the data set does not say, so that a rule chooses. Time is an axis of every cube, named or not."""
    raw = table.get("cubes", list, WANTED, None)
    if raw is None:
        return None
    if len(raw) > MOST_CUBES:
        table.refuse("cubes", f"wants {WANTED}")
    cubes = [_axes(table, f"cubes[{i}]", item, variables) for i, item in enumerate(raw[:MOST_CUBES])]
    return tuple(axes for axes in cubes if axes)


def _axes(table: Table, key: str, raw: object, variables: tuple[Variable, ...]) -> tuple[str, ...]:
    sizes = {v.name: len(v.atoms) for v in variables if v.atoms}
    if not isinstance(raw, list) or not raw or any(not isinstance(n, str) or n not in sizes for n in raw):
        table.refuse(key, f"wants variables with codes or bins: {', '.join(sorted(sizes))}")
        return ()
    if len(set(raw)) != len(raw):
        table.refuse(key, "wants each variable once")
    axes = tuple(dict.fromkeys([*(v.name for v in variables if v.is_time), *raw]))
    cells = prod(sizes[axis] for axis in axes)
    if cells > MOST_CELLS:
        table.refuse(key, f"wants at most {MOST_CELLS} cells; {', '.join(axes)} have {cells}")
    return axes
