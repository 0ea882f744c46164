"""Combinations of codes that no row can have, by public definition: boys at a girls' school."""

from __future__ import annotations

from datasets.catalogue import Impossible
from datasets.catalogue_toml.table import Table
from datasets.variables import Variable


def read_impossible(table: Table, variables: tuple[Variable, ...]) -> tuple[Impossible, ...]:
    raw = table.get("impossible", list, "a list of tables, each with the codes of two variables or more", [])
    found = [_one(table.table(f"impossible[{i}]", item), variables) for i, item in enumerate(raw)]
    return tuple(one for one in found if one is not None)


def _one(table: Table, variables: tuple[Variable, ...]) -> Impossible | None:
    categories = {v.name: v for v in variables if v.atoms and not v.numbers}
    atoms = []
    for name, variable in categories.items():
        if table.has(name):
            atoms.append((name, _atoms(table, variable)))
    table.close_with(categories)
    if len(atoms) < 2:
        table.refuse("", "wants codes of two variables or more")
        return None
    return Impossible(tuple(atoms))


def _atoms(table: Table, variable: Variable) -> tuple[int, ...]:
    codes = table.get(variable.name, list, f"a list of codes of {variable.name}", [])
    places = {atom.code: place for place, atom in enumerate(variable.atoms)}
    if not codes or any(code not in places for code in codes):
        table.refuse(variable.name, f"wants codes of {variable.name}: {', '.join(list(places)[:12])}")
    return tuple(sorted({places[code] for code in codes if code in places}))
