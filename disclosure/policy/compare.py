"""What another version of a policy changes, rule by rule, and which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from disclosure.fields import Change, Field
from disclosure.policy.load import checked
from disclosure.policy.read import DESCRIPTION, PolicyFile
from disclosure.policy.tables import TABLES, Table


@dataclass(frozen=True, slots=True)
class Difference:
    """place: `table.key`, or a table. words: what was and what is."""

    place: str
    words: str
    change: Change
    reason: str

    def __str__(self) -> str:
        said = {Change.NEITHER: "protects as before"}.get(self.change, self.change.value)
        return f"{self.place}: {self.words}; {said}" + (f" ({self.reason})" if self.reason else "")


def compare(before: str, after: str) -> tuple[Difference, ...]:
    """Two policy files as text. Raises `PolicyRefused` where one cannot be used.

    Two modes cannot be ordered: nothing but the mode is compared then, and it counts as loosening.
    """
    old, new = checked(before), checked(after)
    if old.mode is not new.mode:
        return (Difference("mode", _from_to(old.mode.value, new.mode.value), Change.LOOSENS, MODES),)
    return tuple(difference for table in TABLES for difference in _of_table(table, old, new))


MODES = "the modes protect in different ways and cannot be ordered, so that someone has to compare them"
_ADDED = {Change.LOOSENS: Change.TIGHTENS, Change.TIGHTENS: Change.LOOSENS, Change.NEITHER: Change.NEITHER}


def _of_table(table: Table, old: PolicyFile, new: PolicyFile) -> Iterator[Difference]:
    was, now = (file.values.get(table.name) for file in (old, new))
    if was is None and now is not None:
        yield Difference(table.name, "added", table.adding, "")
    elif was is not None and now is None:
        yield Difference(table.name, "taken away", _ADDED[table.adding], "")
    elif was is not None and now is not None:
        for field in table.of(new.mode):
            yield from _of_field(table, field, was.get(field.key), now.get(field.key))
        for key in DESCRIPTION:
            if was.get(key) != now.get(key):
                yield Difference(f"{table.name}.{key}", f"now {_said(now[key])}", Change.NEITHER, "")


def _of_field(table: Table, field: Field, was: Any, now: Any) -> Iterator[Difference]:
    """A value that is there once goes with another key's word, of which it is said what it does."""
    if was is not None and now is not None and was != now:
        place, direction = f"{table.name}.{field.key}", field.direction
        yield Difference(place, _from_to(was, now), direction.judge(was, now), direction.reason)


def _from_to(was: Any, now: Any) -> str:
    return f"from {_said(was)} to {_said(now)}"


def _said(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'"
        case _:
            return str(value)
