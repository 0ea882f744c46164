"""Charts with a line for each row: bars, grouped bars, dots with ranges. Labels stand level, beside what they name."""

from __future__ import annotations

from privacy_api.web.charts import parts
from privacy_api.web.charts.figure import Figure, Kind, Mark
from privacy_api.web.charts.scale import Scale, number, scale_of
from privacy_api.web.charts.svg import COLOURS, GREY, INK, PAPER, cut, escaped, line, rect, tag, width_of, words

BAR = 18.0
GAP = 10.0
MOST_LABEL = 250.0
NUMBERS = 74.0
"""Room right of the plot for the number of each row."""


def draw(figure: Figure, name: str) -> tuple[list[str], float]:
    """Markup, and its height."""
    several = len(figure.series) > 1
    head, top = _key(figure, name) if several else ([], 8.0)
    labels = min(max(width_of(label) for label in figure.rows) + 12, MOST_LABEL)
    scale = scale_of(figure.all_marks, labels, parts.WIDTH - NUMBERS, figure.kind is not Kind.DOTS)
    each = len(figure.series) * BAR + GAP
    bottom = top + each * len(figure.rows)
    drawn = [parts.patterns(name), *head, *parts.across(scale, top, bottom, figure.unit)]
    for n, (label, marks) in enumerate(zip(figure.rows, figure.marks, strict=True)):
        drawn.append(tag("g", *_row(figure, name, label, marks, scale, top + n * each + GAP / 2)))
    if scale.low <= 0 <= scale.high:
        drawn.append(line(scale.at(0), top, scale.at(0), bottom, stroke=INK, stroke_width=1.5))
    return drawn, bottom + 48


def _row(figure: Figure, name: str, label: str, marks: tuple[Mark, ...], scale: Scale, y: float) -> list[str]:
    middle = y + len(marks) * BAR / 2
    drawn = [tag("title", escaped(label)), words(cut(label, scale.start - 12), scale.start - 10, middle + 5, "end")]
    for series, mark in enumerate(marks):
        drawn += _mark(figure, name, series, mark, scale, y + series * BAR)
    return drawn


def _mark(figure: Figure, name: str, series: int, mark: Mark, scale: Scale, y: float) -> list[str]:
    middle = y + BAR / 2
    if mark.value is None:
        return [words(parts.missing(mark), scale.at(max(scale.low, 0)) + 8, middle + 5, fill=GREY, font_style="italic")]
    if figure.kind is Kind.DOTS:
        drawn = [*parts.interval(mark, scale, middle), dot(series, scale.at(mark.value), middle)]
    else:
        left, right = sorted((scale.at(0), scale.at(mark.value)))
        bar = rect(left, y + 2, right - left, BAR - 4, data_part="bar", **parts.fill(name, series))
        drawn = [bar, *parts.interval(mark, scale, middle)]
    shown = number(mark.value) + (f" {mark.status}" if mark.status else "")
    return [*drawn, words(shown, parts.WIDTH, middle + 5, "end", font_size=13)]


def dot(series: int, x: float, y: float) -> str:
    """A marker of its own shape for each series."""
    look = {"fill": COLOURS[series], "stroke": PAPER, "stroke_width": 1, "data_part": "dot"}
    shapes = (
        "",
        f"M{x - 6:.1f},{y + 5:.1f} h12 l-6,-11 z",
        f"M{x - 5:.1f},{y - 5:.1f} h10 v10 h-10 z",
        f"M{x:.1f},{y - 7:.1f} l6,7 l-6,7 l-6,-7 z",
        f"M{x - 6:.1f},{y - 5:.1f} h12 l-6,11 z",
        f"M{x - 2:.1f},{y - 6:.1f} h4 v4 h4 v4 h-4 v4 h-4 v-4 h-4 v-4 h4 z",
    )
    return tag("path", d=shapes[series], **look) if series else tag("circle", cx=x, cy=y, r=5.5, **look)


def _key(figure: Figure, name: str) -> tuple[list[str], float]:
    if figure.kind is Kind.DOTS:
        swatches = [dot(n, 13, 7) for n in range(len(figure.series))]
    else:
        swatches = [rect(0, 0, 26, 14, **parts.fill(name, n)) for n in range(len(figure.series))]
    return parts.key(figure, swatches, 0, 4)
