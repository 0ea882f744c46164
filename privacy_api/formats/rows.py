"""Rows of a release as tables have them: which columns, with labels or without. Flat formats are made from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Release = Mapping[str, Any]
MARK = "is_synthetic"
"""The last column of every table: real or not, it is there, so that programs find the same columns."""
NUMBERS = ("value", "lower", "upper", "confidence")


def groupings(release: Release) -> list[str]:
    return [d["name"] for d in release["dimensions"]]


def provenance(release: Release) -> str:
    return "synthetic" if release["dataSet"]["synthetic"] else "hosted"


def columns(release: Release, labels: bool) -> list[str]:
    """Groupings, measure, number, interval, status."""
    names = [x for name in groupings(release) for x in ([name, f"{name}_label"] if labels else [name])]
    output = ["output", "output_label"] if labels else ["output"]
    return [
        *names,
        "measure",
        "statistic",
        "variable",
        *output,
        "value",
        "lower",
        "upper",
        "confidence",
        "unit",
        "status",
        MARK,
    ]


def full_rows(release: Release, labels: bool) -> list[dict[str, Any]]:
    """Each row with all of `columns`; None where it has nothing to say."""
    measures = {m["id"]: m for m in release["measures"]}
    names = columns(release, labels)
    rows = labelled(release) if labels else release["results"]
    mark = {MARK: str(release["dataSet"]["synthetic"]).lower()}
    return [{name: {**measures[row["measure"]], **row, **mark}.get(name) for name in names} for row in rows]


def labelled(release: Release) -> list[dict[str, Any]]:
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
