"""A small catalogue with one of everything, random rows for it, and the same rows as a DuckDB cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.dialects import home_of
from datasets.engines.memory import Row
from datasets.variables import Variable

CATALOGUE = """
[cut]
id = "school"
title = "A small school"
privacy_unit = "pupil"
synthetic = true

[code_lists.area]
columns = ["code", "label", "region"]
rows = [["A1", "Ashby", "N"], ["A2", "Barton", "N"], ["A3", "Corley", "S"], ["A4", "Denby", "S"], ["A5", "Exford", "S"]]

[data_sets.census]
title = "Census"
sort_by = ["la"]
[data_sets.census.key]
unit = "pupil_id"
time = "year"
rows_per_period = 2
[data_sets.census.variables.year]
type = "time"
label = "Academic year"
identifiability = 5
sensitivity = "E"
codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"], ["202324", "2023/2024", "AY"]]
[data_sets.census.variables.la]
type = "category"
label = "Local authority"
level = "LA"
identifiability = 5
sensitivity = "E"
codes = "area"
[data_sets.census.variables.la.bandings.region]
label = "Region"
level = "REG"
by = "region"
codes = [["N", "North"], ["S", "South"]]
[data_sets.census.variables.sex]
type = "category"
label = "Sex"
identifiability = 5
sensitivity = "D"
codes = [["F", "Female"], ["M", "Male"], ["U", "Unknown"]]
[data_sets.census.variables.need]
type = "category"
label = "Need"
identifiability = 5
sensitivity = "C"
codes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]
[data_sets.census.variables.need.bandings.some]
label = "Some of them"
bands = [["first", "First", ["a", "c", "e"]], ["last", "Last", ["k"]]]
[data_sets.census.variables.score]
type = "number"
label = "Score"
identifiability = 5
sensitivity = "E"
range = ["-2", "10"]
clamp = ["0", "8"]
step = "0.5"
optional = true
unit = "points"
bins = { width = "2" }
[data_sets.census.variables.score.bandings.wide]
label = "Wide bands"
edges = ["-2", "2", "10"]
[data_sets.census.variables.days]
type = "number"
label = "Days"
identifiability = 5
sensitivity = "E"
range = ["0", "200"]
step = "1"
"""

GRANTS = frozenset({"sex"})


KEYED = CATALOGUE.replace("synthetic = true", "synthetic = true\nrecord_keys = true")


def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE)


def census() -> DataSet:
    return catalogue().data_sets[0]


def keyed_census() -> DataSet:
    """The same with record keys."""
    return load_catalogue(KEYED).data_sets[0]


def score_atom(ticks: int | None, variable: Variable) -> int:
    numbers = variable.numbers
    assert numbers is not None
    if ticks is None:
        return len(numbers.edges) - 1
    inside = [i for i, edge in enumerate(numbers.edges[:-1]) if ticks >= edge]
    return inside[-1]


def write_cut(path: Path, data_set: DataSet, rows: Sequence[Row]) -> None:
    """The rows as a published cut would hold them."""
    con = duckdb.connect(str(path))
    load_table(con, data_set, rows)
    con.close()


def make_home(con: duckdb.DuckDBPyConnection, data_set: DataSet) -> None:
    """Where the engine looks for a data set: in memory, and what is created from now on is there."""
    home = f'"{home_of(data_set.id)}"'
    con.execute(f"attach ':memory:' as {home}")
    con.execute(f"use {home}")


def load_table(con: duckdb.DuckDBPyConnection, data_set: DataSet, rows: Sequence[Row]) -> None:
    columns: list[tuple[str, str]] = [("unit", "UINTEGER")]
    for v in data_set.variables:
        if v.numbers:
            columns.append((v.name, "INTEGER"))
        if v.atoms:
            columns.append((v.stored_atoms, _enum(con, data_set.id, v.stored_atoms, [a.code for a in v.atoms])))
        for b in v.bandings:
            name = v.stored_banding(b)
            columns.append((name, _enum(con, data_set.id, name, [c.code for c in b.codes])))
    if data_set.record_keys:
        columns.append(("record_key", "UBIGINT"))
    con.execute(
        f'create or replace table "{data_set.id}" ({", ".join(f"{chr(34)}{n}{chr(34)} {t}" for n, t in columns)})'
    )
    if rows:
        values = ",".join("(" + ",".join(_literal(x) for x in _values(r, data_set)) + ")" for r in rows)
        con.execute(f'insert into "{data_set.id}" values {values}')


def _literal(x: int | str | None) -> str:
    return "NULL" if x is None else str(x) if isinstance(x, int) else f"'{x}'"


def _enum(con: duckdb.DuckDBPyConnection, data_set: str, column: str, codes: list[str]) -> str:
    name = f'"{data_set}.{column}"'
    known = con.execute("select 1 from duckdb_types() where type_name = ?", [f"{data_set}.{column}"]).fetchall()
    if not known:
        con.execute(f"create type {name} as enum ({', '.join(_literal(c) for c in codes)})")
    return name


def _values(row: Row, data_set: DataSet) -> list[int | str | None]:
    out: list[int | str | None] = [row.unit]
    for v in data_set.variables:
        if v.numbers:
            out.append(row.ticks[v.name])
        if v.atoms:
            out.append(v.atoms[row.atoms[v.name]].code)
        for b in v.bandings:
            atom = row.atoms[v.name]
            out.append(next((c.code for c, g in zip(b.codes, b.groups, strict=True) if atom in g), None))
    return [*out, row.record_key] if data_set.record_keys else out
