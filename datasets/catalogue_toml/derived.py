"""Derived variables: their expressions typed, in an order in which each can be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from datasets.catalogue import Key
from datasets.catalogue_toml.links import start
from datasets.catalogue_toml.table import Table
from datasets.derive.check import Mistyped, check
from datasets.derive.expression import looks_back, names
from datasets.variables import TimePeriod, Variable


def in_order(variables: Sequence[Variable], table: Table) -> tuple[Variable, ...]:
    """Each derived variable after those that it names; a circle is a problem."""
    done = {v.name: v for v in variables if v.derived is None}
    waiting = [v for v in variables if v.derived is not None]
    known = {v.name for v in variables}
    while waiting:
        ready = [v for v in waiting if v.derived and names(v.derived) & known <= done.keys()]
        if not ready:
            table.refuse("variables", f"derived in a circle: {', '.join(v.name for v in waiting)}")
            return tuple(variables)
        done |= {v.name: v for v in ready}
        waiting = [v for v in waiting if v.name not in done]
    return tuple(done.values())


def check_derived(variables: Sequence[Variable], key: Key, table: Table) -> None:
    """variables: in order. Every expression is typed against those before it."""
    before: dict[str, Variable] = {}
    for variable in variables:
        if variable.derived is not None:
            where = f"variables.{variable.name}.derived"
            try:
                check(variable.derived, variable, before)
            except Mistyped as mistyped:
                table.refuse(where, str(mistyped))
            if looks_back(variable.derived) and not _has_years(before, key):
                table.refuse(where, "ever wants a key with a unit and with time in consecutive academic years")
        before[variable.name] = variable


def _has_years(variables: Mapping[str, Variable], key: Key) -> bool:
    if key.unit is None or key.time is None or key.time not in variables:
        return False
    years = [start(p) if isinstance(p, TimePeriod) else None for p in variables[key.time].atoms]
    return None not in years and all(b == a + 1 for a, b in pairwise(y for y in years if y is not None))


def fixed_by(variables: Sequence[Variable], fixed: Sequence[str]) -> tuple[str, ...]:
    """Those among the derived that follow from fixed ones alone. variables: in order."""
    found = set(fixed)
    for variable in variables:
        if variable.derived is not None and not looks_back(variable.derived) and names(variable.derived) <= found:
            found.add(variable.name)
    return tuple(v.name for v in variables if v.name in found)
