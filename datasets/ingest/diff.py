"""What changed between two versions of a cut, in words that can be shown to anybody, but for numbers of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from datasets.catalogue import Catalogue, DataSet, Key
from datasets.ingest.manifest import DataSetFacts, Manifest
from datasets.variables import Banding, Numbers, Variable

MOST_NAMED = 12
"""Names that are listed before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """kind: schema, codes, coverage, release or rows; rows are exact, and for the custodian alone."""

    kind: str
    data_set: str
    text: str


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class _Side:
    data_set: DataSet
    facts: DataSetFacts


def changes(old: tuple[Catalogue, Manifest], new: tuple[Catalogue, Manifest]) -> tuple[Change, ...]:
    """From the older version to the newer one."""
    before, after = _sides(*old), _sides(*new)
    found = [Change("schema", name, "data set added") for name in after if name not in before]
    found += [Change("schema", name, "data set removed") for name in before if name not in after]
    for name, side in after.items():
        if name in before:
            found += _data_set(name, before[name], side)
    return tuple(found)


def _sides(catalogue: Catalogue, manifest: Manifest) -> dict[str, _Side]:
    return {d.id: _Side(d, manifest.data_sets[d.id]) for d in catalogue.data_sets}


def _data_set(name: str, old: _Side, new: _Side) -> Iterator[Change]:
    for kind, texts in (
        ("schema", _schema(old.data_set, new.data_set)),
        ("codes", _codes(old.data_set, new.data_set)),
        ("coverage", _coverage(old.facts, new.facts)),
        ("release", _release(old.facts, new.facts)),
        ("rows", _rows(old.facts, new.facts)),
    ):
        yield from (Change(kind, name, text) for text in texts)


def _schema(old: DataSet, new: DataSet) -> Iterator[str]:
    yield from _turned("key", _key(old.key), _key(new.key))
    yield from _names("links", [link.name for link in old.links], [link.name for link in new.links])
    yield from _names("variables", list(old.by_name), list(new.by_name))
    for before, after in _both(old.variables, new.variables):
        yield from _variable(before, after)


def _variable(old: Variable, new: Variable) -> Iterator[str]:
    name = new.name
    yield from _turned(f"{name}: type", _type(old), _type(new))
    yield from _turned(f"{name}: identifiability", str(int(old.identifiability)), str(int(new.identifiability)))
    yield from _turned(f"{name}: class", old.sensitivity.value, new.sensitivity.value)
    if old.derived != new.derived or old.linked != new.linked:
        yield f"{name}: made in another way"
    yield from _names(f"{name}: bandings", [b.name for b in old.bandings], [b.name for b in new.bandings])
    for before, after in _both(old.bandings, new.bandings):
        if _groups(old, before) != _groups(new, after):
            yield f"{name}.{after.name}: banded in another way"


def _codes(old: DataSet, new: DataSet) -> Iterator[str]:
    for before, after in _both(old.variables, new.variables):
        if not (before.numbers or after.numbers):
            codes = [[atom.code for atom in v.atoms] for v in (before, after)]
            yield from _names(f"{after.name}: codes", *codes)


def _coverage(old: DataSetFacts, new: DataSetFacts) -> Iterator[str]:
    yield from _names("periods", list(old.periods), list(new.periods))
    known = {file.sha256 for file in old.files}
    amended = [file.name for file in new.files if file.sha256 not in known]
    if amended:
        yield f"files that are new or amended: {_listed(amended)}"


def _release(old: DataSetFacts, new: DataSetFacts) -> Iterator[str]:
    yield from _turned("release", old.release or "not said", new.release or "not said")
    calendars = (", ".join(" ".join(one) for one in side.releases) or "none" for side in (old, new))
    yield from _turned("release calendar", *calendars)


def _rows(old: DataSetFacts, new: DataSetFacts) -> Iterator[str]:
    yield from _turned("records", f"{old.rows:,}", f"{new.rows:,}")
    for period, rows in new.periods.items():
        if period in old.periods:
            yield from _turned(f"records in {period}", f"{old.periods[period]:,}", f"{rows:,}")


def _turned(what: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        yield f"{what} was {old}, is {new}"


def _names(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    added, removed = ([n for n in these if n not in set(others)] for these, others in ((new, old), (old, new)))
    if added:
        yield f"{what} added: {_listed(added)}"
    if removed:
        yield f"{what} removed: {_listed(removed)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _both(old: Iterable[T], new: Iterable[T]) -> Iterator[tuple[T, T]]:
    before: Mapping[str, T] = {one.name: one for one in old}
    return ((before[one.name], one) for one in new if one.name in before)


def _type(variable: Variable) -> str:
    if variable.numbers is None:
        return "time" if variable.is_time else "category"
    return _number(variable.numbers)


def _number(numbers: Numbers) -> str:
    shown = [str(numbers.step * tick) for tick in (numbers.lowest, numbers.highest)]
    return f"number from {shown[0]} to {shown[1]} in steps of {numbers.step}"


def _groups(variable: Variable, banding: Banding) -> list[tuple[str, tuple[str, ...]]]:
    """Codes that both versions have may stand at other places, so bands are compared by codes."""
    atoms = [atom.code for atom in variable.atoms]
    groups = zip(banding.codes, banding.groups, strict=True)
    return [(code.code, tuple(atoms[atom] for atom in group)) for code, group in groups]


def _key(key: Key) -> str:
    parts = [key.unit or "no unit", *filter(None, [key.time]), *key.also]
    bound = "at most" if key.bounded else "up to"
    return f"{' + '.join(parts)}, {bound} {key.rows_per_period} rows"
