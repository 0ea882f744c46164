"""The table of a release: what goes down, what across, and how each number is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy_api.web.asking.measure_words import Labels
from privacy_api.web.asking.released import (
    Document,
    code_label,
    grouping_words,
    groupings,
    interval_of,
    worded,
    words_of,
)
from privacy_api.web.charts.scale import number

MOST_ACROSS = 8
"""Columns of numbers; more measures than that go down the page."""
TOTAL = "Total"


@dataclass(frozen=True, slots=True)
class Cell:
    """text: the number, or nothing; interval: in words; status: a GSS symbol, or nothing."""

    text: str = ""
    interval: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """labels: of the groupings that go down. is_total: a row in which something is summed over."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    is_total: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """down: what the first columns are; across: heads of the columns of numbers."""

    down: tuple[str, ...]
    across: tuple[str, ...]
    lines: tuple[Line, ...]


def sheet_of(document: Document, labels: Labels) -> Sheet:
    """Measures go across where they fit; the last of several groupings does where there is one number for each cell."""
    document = worded(document, labels)
    outputs = sum(max(len(m["outputs"]), 1) for m in document["measures"])
    by = groupings(document)
    crossed = outputs == 1 and len(by) > 1 and len(by[-1]["codes"]) <= MOST_ACROSS
    down = by[:-1] if crossed else by
    long = outputs > MOST_ACROSS
    places_of = _places_of(document)
    lines: dict[tuple[str, ...], dict[str, tuple[str, Cell]]] = {}
    named: dict[tuple[str, ...], tuple[tuple[str, ...], bool]] = {}
    for row in document["results"]:
        places = [_place(row, d, document) for d in down]
        measure = _column(row, document, labels)
        head = _place(row, by[-1], document) if crossed else ("", "Number") if long else measure
        places += [measure] if long else []
        key = tuple(place for place, _ in places)
        named.setdefault(key, (tuple(label for _, label in places), any(row[d["name"]] is None for d in down)))
        lines.setdefault(key, {})[head[0]] = (head[1], _cell(row, places_of[row["measure"], row["output"]]))
    heads = {place: label for line in lines.values() for place, (label, _) in line.items()}
    return Sheet(
        (*(grouping_words(d, labels) for d in down), *(["Measure"] if long else [])),
        tuple(heads.values()),
        tuple(
            Line(named[key][0], tuple(line.get(place, ("", Cell()))[1] for place in heads), named[key][1])
            for key, line in sorted(lines.items(), key=lambda each: _summed_over(named[each[0]][0]))
        ),
    )


def _summed_over(labels: tuple[str, ...]) -> int:
    """Totals come after what they are of, the grand total last."""
    return labels.count(TOTAL)


def _place(row: Mapping[str, Any], dimension: Mapping[str, Any], document: Document) -> tuple[str, str]:
    """Where a row stands along a grouping, and its label: a code, that of a coarser grouping, or the total."""
    if (code := row[dimension["name"]]) is not None:
        return code, code_label(dimension, code)
    for other in document["dimensions"]:
        same = other["reference"].partition(".")[0] == dimension["reference"].partition(".")[0]
        if same and (coarser := row[other["name"]]) is not None:
            return f"{other['name']} {coarser}", f"{code_label(other, coarser)} ({TOTAL.lower()})"
    return "", TOTAL


def heads_of(document: Document, labels: Labels) -> list[str]:
    """Of the columns that say which group a number is of."""
    return [grouping_words(d, labels) for d in document["dimensions"]]


def columns_of(document: Document, labels: Labels) -> dict[tuple[str, str], str]:
    """(measure, output) → its words."""
    rows = {(row["measure"], row["output"]): row for row in document["results"]}
    return {key: _column(row, document, labels)[1] for key, row in rows.items()}


def _column(row: Mapping[str, Any], document: Document, labels: Labels) -> tuple[str, str]:
    measure = next(m for m in document["measures"] if m["id"] == row["measure"])
    words = words_of(document, measure, labels)
    output = next((o["label"] for o in measure["outputs"] if o["code"] == row["output"]), "")
    alone = output and len(document["measures"]) == 1
    return f"{row['measure']} {row['output']}", output if alone else f"{words}: {output}" if output else words


def _places_of(document: Document) -> dict[tuple[str, str], int | None]:
    """Decimals of a column: those of its longest number, so that figures stand under each other."""
    found: dict[tuple[str, str], int | None] = {}
    for row in document["results"]:
        key = (row["measure"], row["output"])
        shown = [number(row[part]) for part in ("value", "lower", "upper") if row[part] is not None]
        before = found.setdefault(key, 0)
        in_powers = before is None or any("e" in text for text in shown)
        found[key] = None if in_powers else max([before or 0, *(len(text.partition(".")[2]) for text in shown)])
    return found


def _cell(row: Mapping[str, Any], places: int | None) -> Cell:
    text = "" if row["value"] is None else number(row["value"], places)
    return Cell(text, interval_of(row, places, "to"), row["status"])
