"""Bandings: coarser groups of a variable's codes or bins."""

from __future__ import annotations

from itertools import pairwise

from datasets.catalogue_toml.codes import Lists, check_distinct, read_codes, read_list
from datasets.catalogue_toml.numbers import interval, read_edges
from datasets.catalogue_toml.table import Table
from datasets.variables import Code, Numbers

Bands = tuple[tuple[Code, ...], tuple[tuple[int, ...], ...]]


def number_bands(table: Table, numbers: Numbers) -> Bands:
    """By edges, which must be edges of the bins."""
    edges = read_edges(table, "edges", numbers.step)
    if not edges or not set(edges) <= set(numbers.edges):
        table.refuse("edges", "wants a rising list of edges of this variable's bins")
        return (), ()
    spans = list(pairwise(edges))
    groups = [tuple(i for i, e in enumerate(numbers.edges[:-1]) if a <= e < b) for a, b in spans]
    return tuple(interval(numbers, a, b) for a, b in spans), tuple(groups)


def parent_bands(table: Table, variable: Table, lists: Lists) -> Bands:
    """By a further column of the variable's code list, which names each code's band; "" is in none."""
    column, codes = table.text("by", "a column of the variable's code list"), read_codes(table, "codes", lists)
    parents = read_list(variable, "codes", lists).column(column)
    if parents is None:
        table.refuse("by", "wants a column of the variable's code list")
        return (), ()
    place = {c.code: i for i, c in enumerate(codes)}
    groups: list[list[int]] = [[] for _ in codes]
    for i, parent in enumerate(parents):
        if parent and parent not in place:
            table.refuse("by", f"row {i} of the code list names a band that is not among codes")
            return (), ()
        if parent:
            groups[place[parent]].append(i)
    empty = [c.code for c, g in zip(codes, groups, strict=True) if not g]
    if empty:
        table.refuse("codes", f"no code of the variable belongs to {', '.join(empty[:5])}")
        return (), ()
    return codes, tuple(tuple(g) for g in groups)


def listed_bands(table: Table, atoms: tuple[Code, ...]) -> Bands:
    """Written out: [code, label, [codes of the variable]]."""
    raw = table.get("bands", list, "a list of [code, label, [codes of the variable]]") or []
    place = {a.code: i for i, a in enumerate(atoms)}
    codes, groups, used = [], [], set[str]()
    for i, item in enumerate(raw):
        if not _is_band(item):
            table.refuse(f"bands[{i}]", "wants [code, label, [codes of the variable]]")
            continue
        if any(c not in place or c in used for c in item[2]) or len(set(item[2])) < len(item[2]):
            table.refuse(f"bands[{i}]", "wants codes of the variable, each in one band")
            continue
        used |= set(item[2])
        codes.append(Code(item[0], item[1]))
        groups.append(tuple(sorted(place[c] for c in item[2])))
    check_distinct([c.code for c in codes], table, "bands")
    return tuple(codes), tuple(groups)


def _is_band(item: object) -> bool:
    match item:
        case [str() as code, str() as label, [_, *_] as members]:
            return bool(code and label) and all(isinstance(c, str) for c in members)
    return False
