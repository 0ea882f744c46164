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
    write: Callable[[bytes, bool], bytes]


def _csv(document: bytes, labels: bool) -> bytes:
    """Tidy rows: groupings, measure, number, interval, status. One header line, no comments, no text in numbers."""
    release = json.loads(document)
    measures = {m["id"]: m for m in release["measures"]}
    names = [d["name"] for d in release["dimensions"]]
    rows = _labelled(release) if labels else release["results"]
    header = [*(x for name in names for x in ([name, f"{name}_label"] if labels else [name])), "measure", "statistic"]
    header += ["variable", "output", *(["output_label"] if labels else []), "value", "lower", "upper"]
    header += ["confidence", "unit", "status"]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        full = {**measures[row["measure"]], **row}
        writer.writerow([_inert(full[name]) for name in header])
    return out.getvalue().encode()


def _json(document: bytes, labels: bool) -> bytes:
    """The stored document; with labels, its rows carry `<grouping>_label` and `output_label` too."""
    if not labels:
        return document
    release = json.loads(document)
    release["results"] = _labelled(release)
    return json.dumps(release, separators=(",", ":"), ensure_ascii=False).encode()


def _labelled(release: dict[str, Any]) -> list[dict[str, Any]]:
    words = {d["name"]: {c["code"]: c["label"] for c in d["codes"]} for d in release["dimensions"]}
    outputs = {m["id"]: {o["code"]: o["label"] for o in m["outputs"]} for m in release["measures"]}
    return [
        {
            **row,
            **{f"{name}_label": words[name].get(row[name]) for name in words},
            "output_label": outputs[row["measure"]].get(row["output"]),
        }
        for row in release["results"]
    ]


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value


FORMATS = {
    f.name: f
    for f in (
        Format("json", "application/json", _json),
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
