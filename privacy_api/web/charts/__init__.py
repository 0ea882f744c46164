"""Charts of released numbers as SVG, made here: no script, no style, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from privacy_api.web.charts import heat, lines, parts, rows, svg
from privacy_api.web.charts.figure import Figure, Kind, figure_of

__all__ = ["Chart", "Kind", "chart_of"]


@dataclass(frozen=True, slots=True)
class Chart:
    """svg: markup that stands by itself. told: what a reader should know beside it."""

    kind: Kind
    title: str
    svg: str
    told: str


def chart_of(document: Mapping[str, Any], measure: str, title: str, name: str = "chart") -> Chart | None:
    """One measure of a release document, as the kind of chart that suits it; None where there is nothing to draw.

    name: begins every id in the markup, so that several charts can stand in one page.
    """
    figure = figure_of(document, measure, title)
    if figure is None or len(figure.all_marks) < 2:
        return None
    draw = {Kind.LINES: lines.draw, Kind.HEAT: heat.draw}.get(figure.kind, rows.draw)
    inner, height = draw(figure, name)
    told = _told(figure)
    return Chart(
        figure.kind, title, svg.picture(inner, parts.WIDTH, height, name, title, f"{figure.kind}. {told}"), told
    )


def _told(figure: Figure) -> str:
    said = []
    if figure.kind is not Kind.HEAT and any(mark.interval for mark in figure.all_marks):
        certain = "Lines with ends show the range in which the true number lies."
        said.append(certain if figure.confidence == 1 else f"Lines with ends are {figure.confidence:.0%} intervals.")
    if figure.kind is Kind.HEAT:
        said.append("Darker is more. Intervals are in the table.")
    if figure.hidden:
        said.append(f"{figure.hidden} of {len(figure.all_marks)} numbers are not shown; a symbol stands for each.")
    if figure.left_out:
        said.append(f"The first {len(figure.rows)} of {len(figure.rows) + figure.left_out} groups; the table has all.")
    return " ".join(said)
