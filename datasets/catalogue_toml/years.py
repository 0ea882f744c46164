"""Years in which something is populated, and the names that files of NPD have for it."""

from __future__ import annotations

import re

from datasets.catalogue_toml.table import Table
from datasets.variables import Alias

FIRST, LAST = 1990, 2100
PATTERN = re.compile(r"(?:[A-Za-z0-9_]|\[(?:term|yy|n)\])+\Z")
YEARS = "[first, last], by the year in which the academic year ends; last is 0 while it goes on"


def read_years(table: Table) -> tuple[int, int | None] | None:
    raw = table.get("populated", list, YEARS, None)
    years = None if raw is None else _years(raw)
    if raw is not None and years is None:
        table.refuse("populated", f"wants {YEARS}")
    return years


def read_aliases(table: Table) -> tuple[Alias, ...]:
    found = []
    for i, item in enumerate(table.get("npd", list, "a list of [name, first year, last year]", [])):
        years = _years(item[1:]) if isinstance(item, list) and len(item) == 3 else None
        if years is None or not isinstance(item[0], str) or not PATTERN.match(item[0]):
            table.refuse(f"npd[{i}]", "wants [name, first year, last year or 0]; in the name [term], [yy] and [n] vary")
        else:
            found.append(Alias(item[0], *years))
    return tuple(found)


def _years(raw: list[object]) -> tuple[int, int | None] | None:
    match raw:
        case [int() as first, 0] if FIRST <= first <= LAST:
            return first, None
        case [int() as first, int() as last] if FIRST <= first <= last <= LAST:
            return first, last
    return None
