"""Records that people fill in, as JSON values: read into frozen dataclasses, and written.

Names are camelCase outside. Unknown fields are refused, absent ones have their defaults, and every problem is said.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from datasets.query import Problem

MOST_TEXT = 5_000
"""Characters of one answer."""
MOST_ITEMS = 500
"""Parts of a list."""
Record = TypeVar("Record")


class Unreadable(ValueError):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = tuple(problems)


def read_record(kind: type[Record], value: Any, path: str = "") -> Record:
    """Raises Unreadable with every problem."""
    problems: list[Problem] = []
    found = _read(kind, value, path, problems)
    if problems:
        raise Unreadable(problems)
    return typing.cast(Record, found)


def record_value(record: Any) -> Any:
    """As JSON would have it."""
    if is_dataclass(record):
        return {camel(f.name): record_value(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, tuple):
        return [record_value(each) for each in record]
    if isinstance(record, Mapping):
        return {name: record_value(each) for name, each in record.items()}
    return record.value if isinstance(record, Enum) else record


def record_text(record: Any) -> str:
    """Canonical JSON."""
    return json.dumps(record_value(record), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(text: str) -> str:
    """Of a record's text, as it was written: a later version of the code may give records more fields."""
    return hashlib.sha256(text.encode()).hexdigest()


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def _read(kind: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    if is_dataclass(kind):
        return _read_fields(kind, value, path, problems)
    if isinstance(kind, types.UnionType):
        return None if value is None else _read(kind.__args__[0], value, path, problems)
    if typing.get_origin(kind) is tuple:
        return _read_list(kind.__args__[0], value, path, problems)
    if typing.get_origin(kind) is Mapping:
        return _read_mapping(kind.__args__[1], value, path, problems)
    if kind is str:
        return _read_text(value, path, problems)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        problems.append(Problem("InvalidValue", f"Wants {_WORDS[kind]}.", path))
        return None
    return value


def _read_fields(kind: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    known = _fields(kind)
    if not isinstance(value, Mapping):
        problems.append(Problem("InvalidValue", f"Wants an object with {', '.join(known)}.", path))
        return None
    for name in value:
        if name not in known:
            problems.append(
                Problem("UnknownField", f"No such field. Accepted: {', '.join(known)}.", _under(path, str(name)))
            )
    given = {
        field: _read(of, value[name], _under(path, name), problems)
        for name, (field, of, _) in known.items()
        if name in value
    }
    for name, (field, _, wanted) in known.items():
        if wanted and field not in given:
            problems.append(Problem("RequiredValue", "Is wanted.", _under(path, name)))
    return None if problems else kind(**given)


def _read_list(of: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, list) or len(value) > MOST_ITEMS:
        problems.append(Problem("InvalidValue", f"Wants a list of at most {MOST_ITEMS}.", path))
        return ()
    return tuple(_read(of, each, f"{path}[{i}]", problems) for i, each in enumerate(value))


def _read_mapping(of: Any, value: Any, path: str, problems: list[Problem]) -> Any:
    if not isinstance(value, dict) or len(value) > MOST_ITEMS:
        problems.append(Problem("InvalidValue", f"Wants an object of at most {MOST_ITEMS}.", path))
        return {}
    return {str(name): _read(of, each, _under(path, str(name)), problems) for name, each in value.items()}


def _read_text(value: Any, path: str, problems: list[Problem]) -> str:
    """Printable, and as PostgreSQL can hold it: without NUL and lone surrogates."""
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        problems.append(Problem("InvalidValue", f"Wants text of at most {MOST_TEXT} characters.", path))
        return ""
    if not all(letter.isprintable() or letter in "\n\r\t" for letter in value):
        problems.append(Problem("InvalidValue", "Wants printable characters only.", path))
        return ""
    return value.strip()


@cache
def _fields(kind: Any) -> Mapping[str, tuple[str, Any, bool]]:
    """Name outside → name inside, type, and whether it has to be there."""
    hints = typing.get_type_hints(kind)
    return {
        camel(f.name): (f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(kind)
    }


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_WORDS = {bool: "true or false", int: "a whole number"}
