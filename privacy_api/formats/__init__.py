"""Release document → bytes of a format. A new format is a function in this package and its line in the table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from privacy_api.formats import csvw, jsonstat
from privacy_api.formats.rows import NUMBERS, columns, full_rows, labelled, provenance


@dataclass(frozen=True, slots=True)
class Format:
    """title: for people. write: of the stored document, and whether labels are wanted beside codes. extension: of a
    file."""

    name: str
    media_type: str
    title: str
    extension: str
    write: Callable[[bytes, bool], bytes]


def _csv(document: bytes, labels: bool) -> bytes:
    """Tidy rows. One header line, no comments, no text in numbers."""
    release = json.loads(document)
    header = columns(release, labels)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in full_rows(release, labels):
        writer.writerow([_inert(row[name]) for name in header])
    return out.getvalue().encode()


def _json(document: bytes, labels: bool) -> bytes:
    """The stored document; with labels, its rows carry `<grouping>_label` and `output_label` too."""
    if not labels:
        return document
    release = json.loads(document)
    release["results"] = labelled(release)
    return json.dumps(release, separators=(",", ":"), ensure_ascii=False).encode()


def _parquet(document: bytes, labels: bool) -> bytes:
    """The columns of the CSV, numbers as doubles; the file's own metadata name the release."""
    from datasets.parquet_out import parquet  # the command line writes formats too, and wants no engine for it

    release = json.loads(document)
    kinds = {name: float if name in NUMBERS else str for name in columns(release, labels)}
    about = {"release": release["id"], "citation": release["citation"], "provenance": provenance(release)}
    return parquet(kinds, [list(row.values()) for row in full_rows(release, labels)], about)


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value


FORMATS = {
    f.name: f
    for f in (
        Format("json", "application/json", "JSON", "json", _json),
        Format("csv", "text/csv; charset=utf-8", "CSV", "csv", _csv),
        Format("json-stat", "application/vnd.json-stat+json", "JSON-stat", "json-stat.json", jsonstat.write),
        Format("parquet", "application/vnd.apache.parquet", "Parquet", "parquet", _parquet),
        Format("csvw", "application/csvm+json", "CSVW metadata", "csv-metadata.json", csvw.write),
    )
}


def accepted() -> str:
    """What a request may name, in words."""
    names = ", ".join(f"{f.name} ({f.media_type.split(';')[0]})" for f in FORMATS.values())
    return f"Accepted as format: {names}; as labels: codes, both."


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
