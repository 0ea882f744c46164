"""A release document as pages read it: words for its groupings, measures and models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from privacy_api.web.asking.measure_words import Labels, measure_words
from privacy_api.web.charts.scale import number

Document = Mapping[str, Any]


def words_of(document: Document, measure: Mapping[str, Any], labels: Labels) -> str:
    """ "Mean of Attainment 8 (points)"; as it was asked for."""
    asked = next((m for m in document["query"]["measures"] if m["id"] == measure["id"]), measure)
    named, unit = measure_words(asked, labels), measure["unit"]
    said = unit.lower() in named.lower() or (unit == "%" and "ercentage" in named)
    return named if not unit or said else f"{named} ({unit})"


def worded(document: Document, labels: Labels) -> Document:
    """With words for groupings, variables and terms of models in place of their names."""
    dimensions = [{**d, "label": grouping_words(d, labels)} for d in document["dimensions"]]
    measures = [
        {**m, "variable": labels.variable(m["variable"] or ""), "outputs": [_output(o, labels) for o in m["outputs"]]}
        for m in document["measures"]
    ]
    return {**document, "dimensions": dimensions, "measures": measures}


def _output(output: Mapping[str, Any], labels: Labels) -> Mapping[str, Any]:
    """ "coefficient of la.region=E12000002" is "coefficient of North West (Local authority: Region)"."""
    said = re.sub(r"([\w.]+)=([^\s:=]+)", lambda at: labels.term_code(at[1], at[2]), str(output["label"]))
    return {**output, "label": said}


def groupings(document: Document) -> list[Mapping[str, Any]]:
    """Of the finest table, in the order asked for."""
    named = {d["name"]: d for d in document["dimensions"]}
    return [named[name] for name in document["query"]["groupBy"]]


def grouping_words(dimension: Mapping[str, Any], labels: Labels) -> str:
    """A banding is said with its variable, where the catalogue is at hand."""
    words = labels.variable(dimension["reference"])
    return words if words != dimension["reference"] else str(dimension["label"])


def code_label(dimension: Mapping[str, Any], code: str) -> str:
    return next((str(c["label"]) for c in dimension["codes"] if c["code"] == code), code)


def interval_of(row: Mapping[str, Any], places: int | None = None, between: str = "and") -> str:
    if row["lower"] is None or row["upper"] is None:
        return ""
    return f"{number(row['lower'], places)} {between} {number(row['upper'], places)}"
