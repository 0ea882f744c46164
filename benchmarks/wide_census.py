"""A census of 20 years and 25 stored columns, of any number of rows, as ingest would leave it. Deterministic.

Written by DuckDB itself: what is measured is the engine, and ingest would take most of the time. Every value is a hash,
so columns are nearly independent; a pupil stays for some 15 years.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.ingest.columns import UNIT, create_types, stored_columns
from datasets.ingest.database import Database, scratch
from datasets.ingest.sql import Sql

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
        (folder / "scratch").mkdir(exist_ok=True)
        with scratch(folder / "scratch", partial, memory, threads) as database:
            _fill(database, catalogue, rows)
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


def _fill(database: Database, catalogue: Catalogue, rows: int) -> None:
    create_types(database, catalogue)
    (data_set,) = catalogue.data_sets
    columns = ", ".join(f'"{c.name}" {c.type.text}' for c in stored_columns(data_set))
    database.run(Sql(f"CREATE TABLE cut.main.census ({UNIT} UINTEGER, {columns})"))
    shown = ", ".join(f'{value} AS "{column}"' for column, value in _values(data_set).items())
    for year in range(YEARS):
        pupils = rows // YEARS
        drawn = f"i + {year * pupils // STAY} AS {UNIT}, {year} AS y, {year * pupils} + i AS r"
        drawn = f"(SELECT {drawn} FROM range({pupils}) t(i))"
        database.run(Sql(f"INSERT INTO cut.main.census SELECT {UNIT}, {shown} FROM {drawn} ORDER BY la, {UNIT}"))
    database.run(Sql("CHECKPOINT cut"))
    database.run(Sql("DETACH cut"))


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
    return {c.name: f"({values[c.name]})::{c.type.text}" for c in stored_columns(data_set)}
