"""Keys: how many rows a pupil can have."""

from __future__ import annotations

from collections.abc import Iterable

from datasets.catalogue import Key
from datasets.catalogue_toml.table import Table
from datasets.variables import Variable

EACH_ROW_IS_ONE_PUPIL = "each row is one pupil"
MOST_OF_A_PUPIL = 10_000


def read_key(table: Table, variables: tuple[Variable, ...], public: bool) -> Key | None:
    """variables: those that files have. A public data set has no unit, and wants `also` to say what a row is."""
    raw = table.get(
        "key", (str, dict), f"a table (unit, time, also, rows_per_period, bound_rows) or '{EACH_ROW_IS_ONE_PUPIL}'"
    )
    time = next((v.name for v in variables if v.is_time), None)
    if raw is None:
        return None
    if isinstance(raw, str):
        if raw != EACH_ROW_IS_ONE_PUPIL or public:
            table.refuse("key", f"wants a table, or '{EACH_ROW_IS_ONE_PUPIL}'")
        return Key(None, time)
    key = table.table("key", raw)
    unit, of_time = _unit(key, public), key.text("time", default="")
    also = key.get("also", list, "a list of variables", [])
    rows = key.get("rows_per_period", int, "a whole number", 1)
    bound = key.get("bound_rows", int, "a whole number", None)
    key.close()
    if of_time and of_time != time:
        key.refuse("time", "wants the variable of type 'time'")
    check_names(also, variables, "also", key)
    if key.has("bound_rows") and key.has("rows_per_period"):
        key.refuse("bound_rows", "wants no rows_per_period beside it: further rows are left out, or they are refused")
    for name, most in (("rows_per_period", rows), ("bound_rows", bound)):
        if most is not None and not 1 <= most <= MOST_OF_A_PUPIL:
            key.refuse(name, f"wants a whole number from 1 to {MOST_OF_A_PUPIL}")
    if public and not also:
        key.refuse("also", "wants the variables that make a row of a public data set unique")
    return Key(unit, of_time or None, tuple(also), rows if bound is None else bound, bound is not None)


def _unit(key: Table, public: bool) -> str | None:
    if not public:
        return key.text("unit", "the column with the pupil's identifier")
    if key.has("unit"):
        key.refuse("unit", "wants none: a public data set is about no pupil")
    return None


def check_names(wanted: list[object], variables: Iterable[Variable], key: str, table: Table) -> None:
    names = {v.name for v in variables}
    if any(not isinstance(item, str) or item not in names for item in wanted):
        table.refuse(key, f"wants variables of this data set: {', '.join(sorted(names))}")
