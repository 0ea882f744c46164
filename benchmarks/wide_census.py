"""A census of 20 years and 25 stored columns, of any number of rows, as ingest would leave it. Deterministic.

Written by DuckDB itself: what is measured is the engine, and ingest would take most of the time. Every value is a hash,
so columns are nearly independent; a pupil stays for some 15 years.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.ingest.columns import UNIT, Column, stored_columns

YEARS, STAY, FIRST = 20, 15, 2005
CATEGORIES = {
    "la": 152, "school": 22_000, "year_group": 15, "sex": 2, "fsm": 2, "sen": 3, "eal": 3, "ethnicity": 20, "idaci": 10,
    "phase": 4, "enrolment": 3, "ks2": 4, "ks4": 10, "birth_month": 12, "sector": 9, "boarder": 2, "travel": 8,
}  # fmt: skip
NUMBERS = {"attended": 400, "possible": 400, "hours": 40, "class_size": 60}
"""Each from 0 to one less, in steps of 1."""
REGIONS = 9
BINNED, WIDTH = "attended", 10
HEAD = """
[cut]
id = "wide"
title = "Wide benchmark census (synthetic)"
privacy_unit = "pupil"
synthetic = true
[data_sets.census]
title = "Census"
sort_by = ["la"]
key = { unit = "pupil_id", time = "year", rows_per_period = 1 }
cubes = [
  ["la", "year_group", "sex"], ["la", "year_group", "sex", "fsm", "sen", "eal"],
  ["la", "attended"], ["ks2", "ks4", "year_group", "sex"],
]
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """A stored table without a manifest. database: the file; data_set: what its catalogue says."""

    database: Path
    data_set: DataSet


def write(rows: int, folder: Path, memory: str = "4GB", threads: int = 2) -> Cut:
    """`rows` in all, the same number each year, sorted by year, authority and pupil."""
    catalogue, path = load_catalogue(text()), folder / f"census-{rows}.duckdb"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with duckdb.connect(str(partial), config={"memory_limit": memory, "threads": str(threads)}) as connection:
            _fill(connection, catalogue.data_sets[0], rows)
        partial.rename(path)
    return Cut(path, catalogue.data_sets[0])


def text() -> str:
    """The catalogue."""
    years = ", ".join(f'["{FIRST + i}", "{FIRST + i}", "CY"]' for i in range(YEARS))
    areas = ", ".join(f'["{i}", "Area {i}", "{i * REGIONS // CATEGORIES["la"]}"]' for i in range(CATEGORIES["la"]))
    lists = f'[code_lists.area]\ncolumns = ["code", "label", "region"]\nrows = [{areas}]\n'
    variables = [_variable("year", "time", f"codes = [{years}]"), *map(_category, CATEGORIES), *map(_number, NUMBERS)]
    return "\n".join([HEAD, lists, *variables])


def _variable(name: str, kind: str, rest: str) -> str:
    head = f'[data_sets.census.variables.{name}]\ntype = "{kind}"\nlabel = "{name}"'
    return f'{head}\nidentifiability = 5\nsensitivity = "E"\n{rest}\n'


def _category(name: str) -> str:
    if name == "la":
        regions = ", ".join(f'["{i}", "Region {i}"]' for i in range(REGIONS))
        banding = '[data_sets.census.variables.la.bandings.region]\nlabel = "Region"\nlevel = "REG"\nby = "region"'
        return _variable(name, "category", f'level = "LA"\ncodes = "area"\n{banding}\ncodes = [{regions}]')
    codes = ", ".join(f'["{i}", "{i}"]' for i in range(CATEGORIES[name]))
    return _variable(name, "category", f"codes = [{codes}]")


def _number(name: str) -> str:
    bins = f'bins = {{ width = "{WIDTH}" }}' if name == BINNED else ""
    return _variable(name, "number", f'range = ["0", "{NUMBERS[name]}"]\nstep = "1"\n{bins}')


def _fill(connection: duckdb.DuckDBPyConnection, data_set: DataSet, rows: int) -> None:
    for column in stored_columns(data_set):
        if column.codes is not None:
            codes = ", ".join(f"'{code}'" for code in column.codes)
            connection.execute(f"CREATE TYPE {_type(column)} AS ENUM ({codes})")
    columns = ", ".join(f'"{column.name}" {_type(column)}' for column in stored_columns(data_set))
    connection.execute(f"CREATE TABLE census ({UNIT} UINTEGER, {columns})")
    shown = ", ".join(f'{value} AS "{column}"' for column, value in _values(data_set).items())
    for year in range(YEARS):
        pupils = rows // YEARS
        drawn = f"i + {year * pupils // STAY} AS {UNIT}, {year} AS y, {year * pupils} + i AS r"
        drawn = f"(SELECT {drawn} FROM range({pupils}) t(i))"
        connection.execute(f"INSERT INTO census SELECT {UNIT}, {shown} FROM {drawn} ORDER BY la, {UNIT}")


def _type(column: Column) -> str:
    return column.type.text if column.codes is None else f'"census.{column.name}"'


def _values(data_set: DataSet) -> dict[str, str]:
    """Of each stored column, as an expression over `y`, the year's place, and `r`, the row's number."""
    values = {"year": f"({FIRST} + y)::VARCHAR"}
    for seed, (column, size) in enumerate((CATEGORIES | NUMBERS).items()):
        drawn = f"(hash(r, {seed}) % {size})::INTEGER"
        values[column] = drawn if column in NUMBERS else f"{drawn}::VARCHAR"
        if column == "la":
            values["la.region"] = f"({drawn} * {REGIONS} // {size})::VARCHAR"
        if column == BINNED:
            codes = ", ".join(f"'{atom.code}'" for atom in data_set.by_name[column].atoms)
            values[f"{column}.bin"] = f"([{codes}])[1 + {drawn} // {WIDTH}]"
    return {c.name: f"({values[c.name]})::{_type(c)}" for c in stored_columns(data_set)}
