"""What is drawn: one measure of a release, in rows and series, and which kind of chart suits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import prod
from typing import Any

MOST_MARKS = 60
MOST_SERIES = 4
MOST_LINES = 6
MOST_HEAT = (40, 12)
"""Rows and columns of a heat map."""
FROM_ZERO = {"count", "pupils", "distinct", "sum", "percentage", "rate", "histogram", "distribution"}
"""Statistics whose bars have a length that means something; of the others only the place does."""
BESIDE = ("se:", "noise_se:")
"""Outputs of a model that tell of others; `n` and `r_squared` are on another scale too."""


class Kind(StrEnum):
    BARS = "bar chart"
    GROUPED = "grouped bar chart"
    DOTS = "dot-and-range chart"
    LINES = "line chart"
    HEAT = "heat map"


@dataclass(frozen=True, slots=True)
class Mark:
    """One number. value is None where it is not shown; status says why, in GSS symbols."""

    value: float | None
    lower: float | None
    upper: float | None
    status: str

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.lower is None or self.upper is None else (self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class Figure:
    """marks[row][series]. confidence: of the intervals; 1 where they are certain. rows_of, series_of: what they are, in
    words. left_out: rows beyond what is drawn."""

    kind: Kind
    title: str
    unit: str
    confidence: float
    rows: tuple[str, ...]
    series: tuple[str, ...]
    rows_of: str
    series_of: str
    marks: tuple[tuple[Mark, ...], ...]
    left_out: int = 0

    @property
    def all_marks(self) -> tuple[Mark, ...]:
        return tuple(mark for row in self.marks for mark in row)

    @property
    def hidden(self) -> int:
        return sum(mark.value is None for mark in self.all_marks)


@dataclass(frozen=True, slots=True)
class _Axis:
    """key: of a row in the release. codes: (code, label)."""

    key: str
    label: str
    codes: tuple[tuple[str | None, str], ...]
    is_time: bool = False


def figure_of(document: Mapping[str, Any], measure: str, title: str) -> Figure | None:
    """The finest table of the release; None where there is nothing to draw. measure: its id in the release."""
    found = next((m for m in document["measures"] if m["id"] == measure), None)
    if found is None:
        return None
    axes = _axes(document, found)
    rows, series, kind = _layout(axes, found["statistic"])
    kept, left_out = _kept(rows, series, kind)
    at = _marks(document, found, axes)
    marks = tuple(tuple(_mark(at, {**row, **column}, axes) for column in _keys(series)) for row in kept)
    if not any(mark.value is not None for row in marks for mark in row):
        return None
    return Figure(
        kind=kind,
        title=title,
        unit=found["unit"],
        confidence=found["confidence"] if document["protection"]["mode"] == "dp" else 1,
        rows=tuple(_labels(rows))[: len(kept)],
        series=tuple(_labels(series)),
        rows_of=", ".join(axis.label for axis in rows),
        series_of=", ".join(axis.label for axis in series),
        marks=marks,
        left_out=left_out,
    )


def _axes(document: Mapping[str, Any], measure: Mapping[str, Any]) -> list[_Axis]:
    """Groupings of the finest table that tell cells apart, then the outputs of the measure."""
    names = {d["name"]: d for d in document["dimensions"]}
    axes = [_grouping(names[name]) for name in document["query"]["groupBy"]]
    outputs = _Axis("output", str(measure["variable"] or "number"), tuple(_outputs(measure).items()))
    return [axis for axis in (*axes, outputs) if len(axis.codes) > 1]


def _grouping(dimension: Mapping[str, Any]) -> _Axis:
    codes = tuple((c["code"], c["label"]) for c in dimension["codes"])
    return _Axis(dimension["name"], dimension["label"], codes, dimension.get("role") == "time")


def _outputs(measure: Mapping[str, Any]) -> dict[str | None, str]:
    """Code → label of those that are drawn; of a model, its coefficients."""
    outputs = {o["code"]: o["label"] for o in measure["outputs"]}
    if measure["statistic"] not in ("ols", "logistic"):
        return outputs
    drawn = {c: label for c, label in outputs.items() if not (c.startswith(BESIDE) or c in ("n", "r_squared"))}
    return {c: label.removeprefix("coefficient of ") for c, label in drawn.items()}


def _layout(axes: Sequence[_Axis], statistic: str) -> tuple[list[_Axis], list[_Axis], Kind]:
    """What goes down, what across, and as what."""
    time = [axis for axis in axes if axis.is_time]
    others = [axis for axis in axes if not axis.is_time]
    if time and prod(len(axis.codes) for axis in others) <= MOST_LINES:
        return time[:1], others, Kind.LINES
    if statistic == "distribution" and _is_matrix(axes):
        return list(axes[:1]), list(axes[1:]), Kind.HEAT
    bars = statistic in FROM_ZERO
    if len(axes) > 1 and len(axes[-1].codes) <= MOST_SERIES:
        return list(axes[:-1]), list(axes[-1:]), Kind.GROUPED if bars else Kind.DOTS
    return list(axes), [], Kind.BARS if bars else Kind.DOTS


def _is_matrix(axes: Sequence[_Axis]) -> bool:
    if len(axes) != 2 or axes[1].key != "output":
        return False
    down, across = (len(axis.codes) for axis in axes)
    return 2 < down <= MOST_HEAT[0] and 2 < across <= MOST_HEAT[1]


def _kept(rows: list[_Axis], series: list[_Axis], kind: Kind) -> tuple[list[dict[str, Any]], int]:
    every = _keys(rows)
    each = prod(len(axis.codes) for axis in series)
    most = len(every) if kind is Kind.HEAT else max(MOST_MARKS // each, 1)
    return every[:most], max(len(every) - most, 0)


def _keys(axes: Sequence[_Axis]) -> list[dict[str, Any]]:
    codes = [[code for code, _ in axis.codes] for axis in axes]
    return [dict(zip((axis.key for axis in axes), each, strict=True)) for each in product(*codes)]


def _labels(axes: Sequence[_Axis]) -> list[str]:
    return [", ".join(labels) for labels in product(*[[label for _, label in axis.codes] for axis in axes])]


def _marks(
    document: Mapping[str, Any], measure: Mapping[str, Any], axes: Sequence[_Axis]
) -> dict[tuple[Any, ...], Mark]:
    """Of the finest table: rows of totals lack one of its groupings."""
    by, drawn = document["query"]["groupBy"], _outputs(measure) or {None: ""}
    return {
        tuple(row[axis.key] for axis in axes): Mark(row["value"], row["lower"], row["upper"], row["status"])
        for row in document["results"]
        if row["measure"] == measure["id"] and row["output"] in drawn and all(row[name] is not None for name in by)
    }


def _mark(at: Mapping[tuple[Any, ...], Mark], key: Mapping[str, Any], axes: Sequence[_Axis]) -> Mark:
    """A group that is not in the release was not listed."""
    return at.get(tuple(key[axis.key] for axis in axes), Mark(None, None, None, ""))
