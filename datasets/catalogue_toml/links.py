"""Links: to the one row of another data set that a row belongs to. What could find several is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasets.catalogue import DataSet, Key, Link
from datasets.catalogue_toml.numbers import MISSING
from datasets.catalogue_toml.table import Table
from datasets.catalogue_toml.variables import NAME, RESERVED
from datasets.variables import Code, Linked, TimePeriod, Variable

NONE = "none"
ACADEMIC_YEAR = "AY"
MOST_YEARS = 50


@dataclass(frozen=True, slots=True)
class LinkDraft:
    """A link as it was written, and the table that its problems go to. prefix: of the names of what it takes."""

    link: Link
    prefix: str
    table: Table


def read_links(table: Table) -> list[LinkDraft]:
    return [_read(name, one) for name, one in table.tables("links").items()]


def _read(name: str, table: Table) -> LinkDraft:
    if not NAME.match(name):
        table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")
    on = _pairs(table, "on", "own variables and variables of the other: { year = 'year' }")
    where = _pairs(table, "where", "variables of the other and their codes: { term = 'SPR' }")
    years = table.get("years_before", int, "a whole number of years", 0)
    if not 0 <= years <= MOST_YEARS:
        table.refuse("years_before", f"wants a whole number from 0 to {MOST_YEARS}")
    prefix = table.text("prefix", default=f"{name}_") if table.get("prefix", str, "a text", "-") else ""
    take = table.get("take", list, "a list of variables of the other")
    if not take or not all(isinstance(one, str) for one in take) or len(set(take)) < len(take):
        table.refuse("take", "wants variables of the other data set, each once")
        take = []
    missing = _missing(table)
    to = table.text("to", "a data set")
    table.close()
    return LinkDraft(
        Link(name, to, on, where, years, tuple((one, prefix + one) for one in take), missing), prefix, table
    )


def _pairs(table: Table, key: str, what: str) -> tuple[tuple[str, str], ...]:
    raw: dict[str, Any] = table.get(key, dict, what, {})
    if not all(isinstance(value, str) for value in raw.values()):
        table.refuse(key, f"wants {what}")
        return ()
    return tuple(raw.items())


def _missing(table: Table) -> Code | None:
    raw = table.get("missing", list, "[code, label] of rows without such a row", None)
    if raw is None:
        return None
    if len(raw) != 2 or not all(isinstance(text, str) and text for text in raw):
        table.refuse("missing", "wants [code, label]")
        return None
    return Code(raw[0], raw[1])


def resolve(
    draft: LinkDraft, made: DataSet, names: set[str], target: DataSet, levels: set[str]
) -> tuple[Link, tuple[Variable, ...]]:
    """The link in full, and the variables that it gives. made: the data set with what its files have. names, levels:
    those that are taken already; levels grow."""
    link, table = draft.link, draft.table
    if not target.public and link.missing is None:
        link = replace(link, missing=Code(NONE, f"No record: {target.title}"))
    if target.public and link.missing:
        table.refuse("missing", "wants none: each row must be found in a public data set")
    _check_matched(link, table, {v.name: v for v in made.own}, target)
    _check_years(link, table, made, target)
    _check_one_row(link, table, made.key, target)
    taken: list[Variable] = []
    for theirs, here in link.take:
        if theirs not in target.by_name:
            table.refuse("take", f"{theirs!r} is no variable of {target.id}: {_some(target.by_name)}")
        elif here in names | {one.name for one in taken}:
            table.refuse("take", f"{here!r} is a variable already: wants another prefix")
        elif not NAME.match(here) or here in RESERVED:
            table.refuse("prefix", f"{here!r} cannot be the name of a variable: wants another prefix")
        else:
            taken.append(_linked(target.by_name[theirs], here, link, table, levels))
    return link, tuple(taken)


def _check_matched(link: Link, table: Table, variables: Mapping[str, Variable], target: DataSet) -> None:
    for own, theirs in link.on:
        sound = own in variables and not variables[own].numbers
        if not sound:
            table.refuse("on", f"{own!r} is no category of this data set")
        if theirs not in target.by_name or target.by_name[theirs].numbers:
            table.refuse("on", f"{theirs!r} is no category of {target.id}")
        elif sound and not link.years_before and not _codes(variables[own]) & _codes(target.by_name[theirs]):
            table.refuse("on", f"{own!r} and {theirs!r} of {target.id} have no code in common, so that no row is found")
    for theirs, code in link.where:
        known = [atom.code for atom in target.by_name[theirs].atoms] if theirs in target.by_name else []
        if code not in known or target.by_name[theirs].numbers:
            table.refuse("where", f"wants a code of a category of {target.id}")


def _codes(variable: Variable) -> set[str]:
    return {atom.code for atom in variable.atoms}


def _check_years(link: Link, table: Table, made: DataSet, target: DataSet) -> None:
    if not link.years_before:
        return
    if made.key.time is None or (made.key.time, target.key.time) not in link.on:
        table.refuse("years_before", "wants the time variables of both among `on`")
        return
    starts = [[start(period) for period in of.time_periods] for of in (made, target)]
    if any(None in years or len(set(years)) < len(years) for years in starts):
        table.refuse("years_before", f"wants time in academic years ({ACADEMIC_YEAR}) in both, each of them once")


def _check_one_row(link: Link, table: Table, key: Key, target: DataSet) -> None:
    """The other's row is unique by its key, which is checked at ingest: so the link must fix all of it."""
    other = target.key
    if not target.public and (other.unit is None or key.unit is None):
        table.refuse("to", "wants two data sets whose keys name the pupil, or a public one")
        return
    matched = {theirs for _, theirs in link.on} | {theirs for theirs, _ in link.where}
    single = other.rows_per_period == 1 and not other.bounded and other.unit is not None
    wanted = {other.time} - {None} if single else {other.time, *other.also} - {None}
    free = sorted(str(name) for name in wanted - matched)
    if free or not (single or other.is_unique):
        rest = f": say {', '.join(free)} in `on` or `where`" if free else ""
        table.refuse("", f"could find several rows of {target.id} for one, and so multiply rows{rest}")


def _linked(variable: Variable, name: str, link: Link, table: Table, levels: set[str]) -> Variable:
    """The same codes and classes under another name; a geographic level only where none carries it yet."""
    numbers, atoms = variable.numbers, variable.atoms
    if numbers and link.missing and not numbers.optional:
        numbers = replace(numbers, optional=True)
        atoms = (*atoms, Code(MISSING, "Missing")) if atoms else ()
    elif not numbers and link.missing:
        if link.missing.code in {atom.code for atom in atoms}:
            table.refuse("missing", f"{link.missing.code!r} is a code of {variable.name} already: wants another")
        atoms = (*atoms, link.missing)
    bandings = tuple(
        replace(banding, level=_free(banding.level, levels), checked_against=None) for banding in variable.bandings
    )
    return replace(
        variable, name=name, column="", atoms=atoms, bandings=bandings, level=_free(variable.level, levels),
        numbers=numbers, is_time=False, missing=None if numbers or not link.missing else link.missing.code, recode=(),
        derived=None, linked=Linked(link.name, link.to, variable.name),
        granted_as=variable.granted_as or variable.name,
    )  # fmt: skip


def _free(level: str | None, levels: set[str]) -> str | None:
    if level is None or level in levels:
        return None
    levels.add(level)
    return level


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:12]) + (" …" if len(listed) > 12 else "")


def start(period: TimePeriod) -> int | None:
    """The calendar year in which an academic year begins."""
    text = period.period[:4]
    return int(text) if period.kind == ACADEMIC_YEAR and text.isdecimal() and len(text) == 4 else None
