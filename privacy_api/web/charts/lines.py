"""Numbers over time periods: a line for each series, told apart by dashes and markers."""

from __future__ import annotations

from privacy_api.web.charts import parts
from privacy_api.web.charts.figure import Figure, Mark
from privacy_api.web.charts.rows import dot
from privacy_api.web.charts.scale import Scale, number, scale_of
from privacy_api.web.charts.svg import COLOURS, GREY, GRID, INK, cut, line, tag, width_of, words

HEIGHT = 300.0
DASHES = ("none", "8 4", "2 3", "10 3 2 3", "5 5", "14 4")
BESIDE = 11.0
"""Pixels between series at one period, so that intervals do not lie on each other."""


def draw(figure: Figure, name: str) -> tuple[list[str], float]:
    several = len(figure.series) > 1
    head, top = parts.key(figure, [_swatch(n) for n in range(len(figure.series))], 0, 4) if several else ([], 16.0)
    bottom = top + HEIGHT
    scale = scale_of(figure.all_marks, bottom, top, True)
    left = max(width_of(number(tick)) for tick in scale.ticks()) + 16
    drawn = [*head, words(figure.unit, 0, bottom + 42, fill=GREY), *_up(scale, left)]
    step = (parts.WIDTH - left) / len(figure.rows)
    for n, period in enumerate(figure.rows):
        x = left + step * (n + 0.5)
        drawn += [line(x, bottom, x, bottom + 5), words(cut(period, step), x, bottom + 22, "middle")]
    for series in range(len(figure.series)):
        aside = BESIDE * (series - (len(figure.series) - 1) / 2)
        places = [left + step * (n + 0.5) + aside for n in range(len(figure.rows))]
        drawn += _series(series, places, [row[series] for row in figure.marks], scale)
    return [*drawn, line(left, bottom, parts.WIDTH, bottom, stroke=INK)], bottom + 50


def _up(scale: Scale, left: float) -> list[str]:
    drawn = []
    for tick in scale.ticks():
        y = scale.at(tick)
        drawn += [line(left, y, parts.WIDTH, y, stroke=GRID), words(number(tick), left - 8, y + 5, "end", fill=GREY)]
    return drawn


def _series(series: int, places: list[float], marks: list[Mark], scale: Scale) -> list[str]:
    """A gap where a number is hidden, and its symbol at the foot."""
    path, pen = "", "M"
    over: list[str] = []
    for x, mark in zip(places, marks, strict=True):
        if mark.value is None:
            over.append(words(parts.missing(mark), x, scale.start - 6, "middle", fill=COLOURS[series]))
            pen = "M"
            continue
        y = scale.at(mark.value)
        path += f"{pen}{x:.1f},{y:.1f} "
        pen = "L"
        over += [*parts.interval_up(mark, scale, x), dot(series, x, y)]
    return [tag("path", d=path.strip(), data_part="line", **_look(series)), *over] if path else over


def _look(series: int) -> dict[str, object]:
    return {"stroke": COLOURS[series], "stroke_width": 2.5, "stroke_dasharray": DASHES[series], "fill": "none"}


def _swatch(series: int) -> str:
    return tag("path", d="M0,7 h26", **_look(series)) + dot(series, 13, 7)
