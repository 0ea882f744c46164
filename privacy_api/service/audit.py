"""The record as auditors read it: pages of it, and the whole of it as CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.audit_kinds import KINDS, LEDGER_KINDS
from privacy_api.ports import AuditFilter, Happening, Position

COLUMNS = ("position", "at", "kind", "plain", "actor", "subject", "facts", "hash")
MOST_AT_ONCE = 1_000


def plain_of(kind: str) -> str:
    """In words; a kind of a later version has none."""
    return KINDS[kind].plain if kind in KINDS else LEDGER_KINDS.get(kind, kind)


def as_value(happening: Happening) -> dict[str, Any]:
    """As JSON would have it."""
    return {
        "position": str(happening.position),
        "at": happening.at,
        "kind": happening.kind,
        "plain": plain_of(happening.kind),
        "actor": happening.actor,
        "subject": happening.subject,
        "facts": dict(happening.facts),
        "hash": happening.hash,
    }


def json_lines(happenings: Iterable[Happening]) -> Iterator[str]:
    for each in happenings:
        yield json.dumps(as_value(each), separators=(",", ":"), sort_keys=True) + "\n"


def csv_lines(happenings: Iterable[Happening]) -> Iterator[str]:
    """Opened in a spreadsheet, no cell is a formula."""
    yield _line(COLUMNS)
    for each in happenings:
        value = as_value(each) | {"facts": json.dumps(dict(each.facts), separators=(",", ":"), sort_keys=True)}
        # Apostrophes keep positions from becoming numbers, and anything else from becoming formulas.
        yield _line(inert(str(value[name])) for name in COLUMNS)


def inert(cell: str) -> str:
    """What a spreadsheet would calculate begins with an apostrophe, which makes it text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


def read_position(text: str | None) -> Position | None:
    """A cursor, such as 12.3; ApiError for anything else."""
    if text is None:
        return None
    ledger, _, audit = text.partition(".")
    if not (_is_number(ledger) and _is_number(audit)):
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="A cursor is a position as the record has it, such as 12.3.")
    return Position(int(ledger), int(audit))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def read_filter(
    kinds: list[str], actor: str | None, subject: str | None, since: str | None, until: str | None
) -> AuditFilter:
    """ApiError for a kind that there is not, or what is no text of ours."""
    known = KINDS.keys() | LEDGER_KINDS.keys()
    if unknown := sorted(set(kinds) - known):
        detail = f"There is no kind {unknown[0][:60]!r}. Accepted: {', '.join(sorted(known))}."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    for name, value in (("actor", actor), ("subject", subject), ("since", since), ("until", until)):
        if value is not None and not (value.isprintable() and len(value) <= 300):
            raise ApiError(ErrorCode.INVALID_REQUEST, detail=f"{name}: up to 300 printable characters are accepted.")
    return AuditFilter(frozenset(kinds) or None, actor, subject, since, until)
