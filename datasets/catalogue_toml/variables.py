"""One variable, with its bandings."""

from __future__ import annotations

import re
from typing import Any

from datasets.catalogue_toml.bandings import listed_bands, number_bands, parent_bands
from datasets.catalogue_toml.codes import Lists, read_codes, read_periods
from datasets.catalogue_toml.numbers import MISSING, read_numbers
from datasets.catalogue_toml.table import Table
from datasets.catalogue_toml.years import read_aliases, read_years
from datasets.derive.expression import Expression
from datasets.derive.parse import NotUnderstood, parse
from datasets.variables import Banding, Code, Numbers, Sensitivity, Variable

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
RESERVED = frozenset(
    "measure statistic variable output value lower upper confidence unit status bound_rank record_key".split()
)
"""Columns of every answer, and two of stored tables."""
GEOGRAPHIC_LEVELS = frozenset("EDA INST LA LAD LEP LSIP MAT MCA NAT OA PA PCON PFA PROV REG RSC SCH SPON WARD".split())


def read_variable(name: str, table: Table, lists: Lists) -> Variable | None:
    """None where there are problems."""
    before = len(table.problems)
    _check_name(name, table)
    risk, sensitivity = _classes(table)
    column = table.text("column") if table.has("column") else table.text("column", default=name)
    concept, justified = table.text("concept", default=""), table.flag("needs_justification", False)
    label, description = table.text("label"), table.text("description", default="")
    level, missing = _level(table), table.text("missing", default="") or None
    kind = table.text("type", "'category', 'number' or 'time'")
    numbers, atoms = _domain(kind, table, lists)
    recode = _recode(table, atoms, numbers)
    derived = _derived(table, kind)
    aliases, populated = read_aliases(table), read_years(table)
    read = [_banding(k, t, kind, atoms, numbers, table, lists) for k, t in table.tables("bandings").items()]
    if missing and (numbers or missing not in {a.code for a in atoms}):
        table.refuse("missing", "wants one of the codes (a number says optional = true instead)")
    table.close()
    if len(table.problems) > before or risk is None or sensitivity is None:
        return None
    return Variable(
        name=name, column="" if derived else column, label=label, description=description, identifiability=risk,
        sensitivity=sensitivity, atoms=atoms, bandings=tuple(b for b in read if b), level=level, numbers=numbers,
        is_time=kind == "time", missing=missing, recode=tuple(recode.items()), aliases=aliases, concept=concept,
        populated=populated, needs_justification=justified, derived=derived,
    )  # fmt: skip


def _check_name(name: str, table: Table) -> None:
    if name in RESERVED:
        table.refuse("", f"the name is taken by a column of every answer or table ({', '.join(sorted(RESERVED))})")
    if not NAME.match(name):
        table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")


def _classes(table: Table) -> tuple[int | None, Sensitivity | None]:
    wanted = "4 or 5 (1–3 identify pupils and are never queryable)"
    risk = table.get("identifiability", int, wanted)
    if risk is not None and risk not in (4, 5):
        table.refuse("identifiability", f"wants {wanted}")
    wanted = "B, C, D or E (A is never used outside DfE)"
    letter = table.text("sensitivity", wanted)
    if letter and letter not in {s.value for s in Sensitivity}:
        table.refuse("sensitivity", f"wants {wanted}")
        return risk, None
    return risk, Sensitivity(letter) if letter else None


def _domain(kind: str, table: Table, lists: Lists) -> tuple[Numbers | None, tuple[Code, ...]]:
    match kind:
        case "category":
            return None, read_codes(table, "codes", lists)
        case "time":
            return None, read_periods(table)
        case "number":
            return read_numbers(table)
    if kind:
        table.refuse("type", "wants 'category', 'number' or 'time'")
    return None, ()


def _derived(table: Table, kind: str) -> Expression | None:
    text = table.text("derived", "an expression over other variables", "")
    if not text:
        return None
    for key in ("column", "recode"):
        if table.has(key):
            table.refuse(key, "wants not to be there: a derived variable is in no file")
    if kind == "time":
        table.refuse("derived", "wants a category or a number")
    try:
        return parse(text)
    except NotUnderstood as problem:
        table.refuse("derived", str(problem))
        return None


def _level(table: Table) -> str | None:
    level = table.text("level", default="") or None
    if level and level not in GEOGRAPHIC_LEVELS:
        table.refuse("level", f"wants one of {' '.join(sorted(GEOGRAPHIC_LEVELS))}")
    return level


def _recode(table: Table, atoms: tuple[Code, ...], numbers: Numbers | None) -> dict[str, Any]:
    """A number can be recoded to "missing" only: its other atoms are bins, which hold many values."""
    recode: dict[str, Any] = table.get("recode", dict, "a table", {})
    codes = {a.code for a in atoms} if numbers is None else {MISSING} if numbers.optional else set[str]()
    if not all(isinstance(code, str) and code in codes for code in recode.values()):
        wanted = f"'{MISSING}', of an optional number," if numbers else "codes of this variable"
        table.refuse("recode", f"wants {wanted} on the right-hand side")
    if "" in recode:
        table.refuse("recode", "an empty value is not recoded: name its code as 'missing'")
    return recode


def _banding(
    name: str, table: Table, kind: str, atoms: tuple[Code, ...], numbers: Numbers | None, variable: Table, lists: Lists
) -> Banding | None:
    before = len(table.problems)
    if not NAME.match(name) or name == "bin":
        table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter; 'bin' is taken")
    label, level = table.text("label"), _level(table)
    against = table.text("checked_against", default="") or None
    if kind == "number":
        table.get("edges", list, "a rising list of numbers", [])  # known, though nothing to compare it with is
        codes, groups = number_bands(table, numbers) if numbers else ((), ())
    elif table.has("by"):
        codes, groups = parent_bands(table, variable, lists)
    else:
        codes, groups = listed_bands(table, atoms)
    table.close()
    return Banding(name, label, codes, groups, level, against) if len(table.problems) == before else None
