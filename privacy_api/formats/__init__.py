"""Release document → bytes of a format. A new format is a function here and its line in the table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    media_type: str
    write: Callable[[bytes], bytes]


def _csv(document: bytes) -> bytes:
    """Tidy rows: groupings, measure, number, interval, status. One header line, no comments, no text in numbers."""
    release = json.loads(document)
    measures = {m["id"]: m for m in release["measures"]}
    dimensions = [name for name in (release["results"][0] if release["results"] else {}) if name not in _NUMBERS]
    header = [
        *dimensions,
        "measure",
        "statistic",
        "variable",
        "output",
        "value",
        "lower",
        "upper",
        "confidence",
        "unit",
        "status",
    ]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in release["results"]:
        full = {**measures[row["measure"]], **row}
        writer.writerow([_inert(full[name]) for name in header])
    return out.getvalue().encode()


_NUMBERS = frozenset({"measure", "output", "value", "lower", "upper", "status"})


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value


FORMATS = {
    f.name: f
    for f in (
        Format("json", "application/json", lambda document: document),
        Format("csv", "text/csv; charset=utf-8", _csv),
    )
}


def negotiate(asked: str | None, accept: str) -> Format | None:
    """`?format=` first; then the first media type of Accept that we speak; JSON where anything will do."""
    if asked is not None:
        return FORMATS.get(asked)
    for part in accept.split(","):
        wanted = part.split(";")[0].strip().lower()
        if wanted in ("", "*/*", "application/*"):
            return FORMATS["json"]
        for known in FORMATS.values():
            if known.media_type.split(";")[0] == wanted or wanted == known.media_type.split("/")[0] + "/*":
                return known
    return None
