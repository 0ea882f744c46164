"""One data set: first what stands in its own table, then, once those it links to are known, all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from datasets.catalogue import DataSet, Key, Reference
from datasets.catalogue_toml.codes import Lists
from datasets.catalogue_toml.derived import check_derived, fixed_by, in_order
from datasets.catalogue_toml.impossible import read_impossible
from datasets.catalogue_toml.keys import check_names, read_key
from datasets.catalogue_toml.links import LinkDraft, read_links, resolve
from datasets.catalogue_toml.table import Table
from datasets.catalogue_toml.variables import NAME, read_variable
from datasets.catalogue_toml.years import read_years
from datasets.cubes.choice import MOST_CELLS
from datasets.variables import Variable

MOST_ROWS = 1_000_000_000
OVERFLOW = 2**62
"""No sum of products may reach this: half of what int64 holds."""
MONTHS = frozenset(
    "January February March April May June July August September October November December".split()
)  # fmt: skip
MOST_CUBES, MOST_AXES = 20, 16


@dataclass(frozen=True, slots=True)
class Draft:
    """A data set as it was written. `made` has the variables of its own table; `links` have still to be followed."""

    made: DataSet
    links: tuple[LinkDraft, ...]
    table: Table


def read_data_set(name: str, table: Table, lists: Lists, record_keys: bool) -> Draft | None:
    """None where its variables or its key cannot be understood."""
    if not NAME.match(name):
        table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")
    title, public = table.text("title"), table.flag("public", False)
    description, source = table.text("description", default=""), table.text("source", default="")
    read = [read_variable(key, t, lists) for key, t in table.tables("variables").items()]
    variables = tuple(v for v in read if v is not None)
    if not read:
        table.refuse("variables", "wants at least one variable")
    complete = len(variables) == len(read)
    of_files = tuple(v for v in variables if v.is_own)
    _check_levels(variables, table)
    key = read_key(table, of_files, public)
    max_rows = table.get("max_rows", int, "the most rows that there can ever be", MOST_ROWS)
    sort_by = table.get("sort_by", list, "a list of variables to sort by, after time", [])
    fixed, references = _fixed(table, key, of_files, complete), _references(table)
    impossible, links = read_impossible(table, of_files), read_links(table)
    releases, populated, cubes = _releases(table), read_years(table), _cubes(table)
    table.close()
    if key is None or not complete:
        return None
    made = DataSet(
        name, title, description, source, key, variables, tuple(map(str, sort_by)), max_rows, references, fixed,
        record_keys and not public, impossible, public, tuple(d.link for d in links), releases, populated, cubes,
    )  # fmt: skip
    return Draft(made, tuple(links), table)


def complete(draft: Draft, sets: Mapping[str, DataSet]) -> DataSet:
    """With linked and derived variables. sets: the data sets that it links to, complete themselves."""
    made, table = draft.made, draft.table
    found = {v.name: v for v in made.variables}
    links, fixed = [], set(made.fixed)
    levels = set(made.levels)
    for one in draft.links:
        if one.link.to in sets:
            link, taken = resolve(one, made, set(found), sets[one.link.to], levels)
            links.append(link)
            found |= {v.name: v for v in taken}
            if made.key.unit and all(own in fixed for own, _ in link.on):
                fixed |= {v.name for v in taken}
    variables = in_order(tuple(found.values()), table)
    check_derived(variables, made.key, table)
    _check_overflow(variables, made.max_rows, table)
    check_names(list(made.sort_by), variables, "sort_by", table)
    _check_cubes(made, variables, table)
    return DataSet(
        made.id, made.title, made.description, made.source, made.key, variables, made.sort_by, made.max_rows,
        made.references, fixed_by(variables, tuple(fixed)), made.record_keys, made.impossible, made.public,
        tuple(links), made.releases, made.populated, made.cubes,
    )  # fmt: skip


def _check_cubes(made: DataSet, variables: tuple[Variable, ...], table: Table) -> None:
    """Time is an axis of each, whether or not it is named."""
    sizes = {v.name: len(v.atoms) for v in variables if v.atoms}
    time = [v.name for v in variables if v.is_time]
    for i, cube in enumerate(made.cubes or ()):
        check_names(list(cube), (v for v in variables if v.atoms), f"cubes[{i}]", table)
        axes = dict.fromkeys([*time, *cube])
        cells = prod(sizes.get(axis, 1) for axis in axes)
        if cells > MOST_CELLS:
            table.refuse(f"cubes[{i}]", f"wants at most {MOST_CELLS:,} cells; {' × '.join(axes)} has {cells:,}")


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


def _fixed(table: Table, key: Key | None, variables: tuple[Variable, ...], complete: bool) -> tuple[str, ...]:
    """complete: every variable could be read, so that a name that is not there is a fault."""
    fixed = table.get("fixed", list, "a list of variables that have one value in all rows of a pupil", [])
    if complete:
        check_names(fixed, variables, "fixed", table)
    if fixed and key is not None and key.unit is None:
        table.refuse("fixed", "wants a key with a unit: where each row is one pupil, every variable is fixed")
    if key is not None and key.time in fixed:
        table.refuse("fixed", "wants variables beside the key's time: leave time out of the key instead")
    return tuple(name for name in fixed if isinstance(name, str))


def _references(table: Table) -> tuple[Reference, ...]:
    found = []
    for i, raw in enumerate(table.get("references", list, "a list of tables", [])):
        item = table.table(f"references[{i}]", raw)
        found.append(Reference(item.text("variable"), item.text("to"), item.text("to_variable")))
        item.close()
    return tuple(found)


def _releases(table: Table) -> tuple[tuple[str, str], ...]:
    raw = table.get("releases", list, "a list of [stage, month]", [])
    for i, item in enumerate(raw):
        if not (isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and item[1] in MONTHS):
            table.refuse(f"releases[{i}]", "wants [stage, month], e.g. ['final', 'April']")
            return ()
    return tuple((stage, month) for stage, month in raw)


def _cubes(table: Table) -> tuple[tuple[str, ...], ...] | None:
    if not table.has("cubes"):
        table.get("cubes", list, "a list of lists of variables", [])
        return None
    raw = table.get("cubes", list, "a list of lists of variables", [])
    sound = all(
        isinstance(cube, list) and 1 <= len(cube) <= MOST_AXES and len(set(map(str, cube))) == len(cube) for cube in raw
    )
    if not sound or len(raw) > MOST_CUBES:
        table.refuse("cubes", f"wants at most {MOST_CUBES} lists of 1 to {MOST_AXES} variables, each once")
        return ()
    return tuple(tuple(map(str, cube)) for cube in raw)
