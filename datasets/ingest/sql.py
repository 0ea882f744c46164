"""SQL text made of constant templates and quoted names. Values are never part of it: they are bound by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, slots=True)
class Sql:
    text: str


def sql(template: LiteralString, **parts: Sql) -> Sql:
    """Fill the {gaps} of a template; only Sql fits in, so that no bare text can."""
    return Sql(template.format(**{key: part.text for key, part in parts.items()}))


def name(*path: str) -> Sql:
    """A quoted identifier; several parts are joined by dots: catalogue, schema, table."""
    return Sql(".".join('"' + part.replace('"', '""') + '"' for part in path))


def listed(parts: Iterable[Sql], between: LiteralString = ", ") -> Sql:
    return Sql(between.join(part.text for part in parts))
