"""The cut, its data sets, their keys and references."""

from __future__ import annotations

import re
from decimal import Decimal

from datasets.catalogue import Catalogue, DataSet, Key, Reference
from datasets.catalogue_toml.codes import Lists, read_code_lists
from datasets.catalogue_toml.cubes import read_cubes
from datasets.catalogue_toml.impossible import read_impossible
from datasets.catalogue_toml.table import Table
from datasets.catalogue_toml.variables import NAME, read_variable
from datasets.variables import Variable

EACH_ROW_IS_ONE_PUPIL = "each row is one pupil"
CUT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
MOST_ROWS = 1_000_000_000
MOST_OF_A_PUPIL = 10_000
OVERFLOW = 2**62
"""No sum of products may reach this: half of what int64 holds."""


def read_catalogue(top: Table, digest: str) -> Catalogue | None:
    """None where there are problems."""
    cut = top.table("cut", top.get("cut", dict, "a table", {}))
    name = cut.text("id", "an id of a–z, 0–9 and -")
    if name and not CUT.match(name):
        cut.refuse("id", "wants an id of a–z, 0–9 and -")
    title, unit = cut.text("title"), cut.text("privacy_unit", "the unit of privacy, e.g. 'pupil'")
    synthetic, record_keys = cut.flag("synthetic"), cut.flag("record_keys", False)
    cut.close()
    lists = read_code_lists(top)
    tables = top.tables("data_sets")
    if not tables:
        top.refuse("data_sets", "wants at least one data set")
    sets = [_data_set(key, table, lists, record_keys) for key, table in tables.items()]
    top.close()
    made = [d for d in sets if d is not None]
    _check_references(made, top)
    return None if top.problems else Catalogue(name, title, unit, synthetic, tuple(made), digest)


def _data_set(name: str, table: Table, lists: Lists, record_keys: bool) -> DataSet | None:
    if not NAME.match(name):
        table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")
    title = table.text("title")
    description, source = table.text("description", default=""), table.text("source", default="")
    read = [read_variable(key, t, lists) for key, t in table.tables("variables").items()]
    variables = tuple(v for v in read if v is not None)
    if not read:
        table.refuse("variables", "wants at least one variable")
    _check_levels(variables, table)
    key = _key(table, variables)
    max_rows = table.get("max_rows", int, "the most rows that there can ever be", MOST_ROWS)
    sort_by = table.get("sort_by", list, "a list of variables to sort by, after time", [])
    if len(variables) == len(read):
        _check_names(sort_by, variables, "sort_by", table)
    fixed = _fixed(table, key, variables, len(variables) == len(read))
    references = _references(table)
    impossible, cubes = read_impossible(table, variables), read_cubes(table, variables)
    table.close()
    _check_overflow(variables, max_rows, table)
    if key is None or len(variables) != len(read):
        return None
    return DataSet(
        name, title, description, source, key, variables, tuple(sort_by), max_rows, references, fixed, record_keys,
        impossible, cubes,
    )  # fmt: skip


def _check_names(wanted: list[object], variables: tuple[Variable, ...], key: str, table: Table) -> None:
    names = {v.name for v in variables}
    if any(not isinstance(item, str) or item not in names for item in wanted):
        table.refuse(key, f"wants variables of this data set: {', '.join(sorted(names))}")


def _check_levels(variables: tuple[Variable, ...], table: Table) -> None:
    levels = [v.level for v in variables if v.level] + [b.level for v in variables for b in v.bandings if b.level]
    for level in sorted({x for x in levels if levels.count(x) > 1}):
        table.refuse("variables", f"geographic level {level} is carried twice")
    if sum(v.is_time for v in variables) > 1:
        table.refuse("variables", "at most one variable of type 'time'")


def _check_overflow(variables: tuple[Variable, ...], max_rows: int, table: Table) -> None:
    """No sum of products can leave int64, whatever the data: max_rows × (largest tick distance)² stays below 2^62."""
    if max_rows < 1:
        table.refuse("max_rows", "wants a whole number from 1")
    for v in variables:
        if v.numbers and max_rows * (v.numbers.clamp[1] - v.numbers.clamp[0]) ** 2 >= OVERFLOW:
            why = "sums of squares could overflow: wants a larger step, a narrower clamp or a smaller max_rows"
            table.refuse(f"variables.{v.name}", why)


def _key(table: Table, variables: tuple[Variable, ...]) -> Key | None:
    raw = table.get(
        "key", (str, dict), f"a table (unit, time, also, rows_per_period, bound_rows) or '{EACH_ROW_IS_ONE_PUPIL}'"
    )
    time = next((v.name for v in variables if v.is_time), None)
    if raw is None:
        return None
    if isinstance(raw, str):
        if raw != EACH_ROW_IS_ONE_PUPIL:
            table.refuse("key", f"wants a table or '{EACH_ROW_IS_ONE_PUPIL}'")
        return Key(None, time)
    key = table.table("key", raw)
    unit, of_time = key.text("unit", "the column with the pupil's identifier"), key.text("time", default="")
    also = key.get("also", list, "a list of variables", [])
    rows = key.get("rows_per_period", int, "a whole number", 1)
    bound = key.get("bound_rows", int, "a whole number", None)
    key.close()
    if of_time and of_time != time:
        key.refuse("time", "wants the variable of type 'time'")
    _check_names(also, variables, "also", key)
    if key.has("bound_rows") and key.has("rows_per_period"):
        key.refuse("bound_rows", "wants no rows_per_period beside it: further rows are left out, or they are refused")
    for name, most in (("rows_per_period", rows), ("bound_rows", bound)):
        if most is not None and not 1 <= most <= MOST_OF_A_PUPIL:
            key.refuse(name, f"wants a whole number from 1 to {MOST_OF_A_PUPIL}")
    return Key(unit, of_time or None, tuple(also), rows if bound is None else bound, bound is not None)


def _fixed(table: Table, key: Key | None, variables: tuple[Variable, ...], complete: bool) -> tuple[str, ...]:
    """complete: every variable could be read, so that a name that is not there is a fault."""
    fixed = table.get("fixed", list, "a list of variables that have one value in all rows of a pupil", [])
    if complete:
        _check_names(fixed, variables, "fixed", table)
    if fixed and key is not None and key.unit is None:
        table.refuse("fixed", "wants a key with a unit: where each row is one pupil, every variable is fixed")
    if key is not None and key.time in fixed:
        table.refuse("fixed", "wants variables beside the key's time: leave time out of the key instead")
    return tuple(fixed)


def _references(table: Table) -> tuple[Reference, ...]:
    found = []
    for i, raw in enumerate(table.get("references", list, "a list of tables", [])):
        item = table.table(f"references[{i}]", raw)
        found.append(Reference(item.text("variable"), item.text("to"), item.text("to_variable")))
        item.close()
    return tuple(found)


def _check_references(sets: list[DataSet], top: Table) -> None:
    by_id = {d.id: d for d in sets}
    for d in sets:
        for r in d.references:
            where = f"data_sets.{d.id}.references"
            if r.variable not in d.by_name or r.to not in by_id or r.to_variable not in by_id[r.to].by_name:
                top.refuse(where, "wants variable, data set and variable that exist")
            elif _step(d.by_name[r.variable]) != _step(by_id[r.to].by_name[r.to_variable]):
                top.refuse(where, "wants two categories, or two numbers of the same step")


def _step(variable: Variable) -> Decimal | None:
    return variable.numbers.step if variable.numbers else None
