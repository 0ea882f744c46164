"""CSV on the Web: what the columns of a release's CSV are. https://www.w3.org/TR/tabular-metadata/"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from privacy_api.formats.rows import MARK, NUMBERS, columns, groupings

_MEANS = {
    "measure": "the measure's id in the question",
    "statistic": "the statistic",
    "variable": "the variable that the statistic is of",
    "output": "which of a statistic's numbers, where it has several",
    "output_label": "the same in words",
    "value": "the number; empty where it is not shown",
    "lower": "lower end of the interval",
    "upper": "upper end of the interval",
    "confidence": "how often the interval holds the truth",
    "unit": "unit of value, lower and upper",
    "status": "GSS symbol; empty where the number is shown",
    MARK: "whether the pupils are made up",
}


def write(document: bytes, labels: bool) -> bytes:
    """Metadata of the CSV at the same address with format=csv."""
    release = json.loads(document)
    words = {d["name"]: d["label"] for d in release["dimensions"]}
    return json.dumps(
        {
            "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
            "url": f"/v1/releases/{release['id']}?format=csv" + ("&labels=both" if labels else ""),
            "dc:title": release["dataSet"]["title"],
            "dc:identifier": release["id"],
            "dc:date": release["created"],
            "dc:bibliographicCitation": release["citation"],
            "notes": [{"statuses": release["statuses"]}, {"protection": release["protection"]}, *_said(release)],
            "dialect": {"header": True, "lineTerminators": ["\r\n"], "encoding": "utf-8"},
            "tableSchema": {
                "columns": [_column(name, words) for name in columns(release, labels)],
                "primaryKey": [*groupings(release), "measure", "output"],
            },
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def _said(release: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"warning": text} for text in release["warnings"]]


def _column(name: str, words: Mapping[str, str]) -> dict[str, Any]:
    grouping = name if name in words else name.removesuffix("_label")
    means = _MEANS.get(name) or (words[grouping] if grouping == name else f"{words[grouping]}, in words")
    return {
        "name": name,
        "titles": name,
        "dc:description": means,
        "datatype": "number" if name in NUMBERS else "boolean" if name == MARK else "string",
        "null": "",
    }
