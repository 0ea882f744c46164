"""Parts that several kinds of chart have: the value axis, intervals, the key of series, what stands for no number."""

from __future__ import annotations

from collections.abc import Sequence

from privacy_api.web.charts.figure import Figure, Mark
from privacy_api.web.charts.scale import Scale, number
from privacy_api.web.charts.svg import COLOURS, GREY, GRID, INK, PAPER, SIZE, line, rect, tag, width_of, words

WIDTH = 720.0
CAP = 4.0
"""Half the length of an interval's end."""


def patterns(name: str) -> str:
    """Fills of the first series: plain, stripes, dots, and empty with an edge."""
    stripes = tag("path", d="M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4", stroke=PAPER, stroke_width=2)
    dots = tag("circle", cx=4, cy=4, r=1.6, fill=PAPER)
    drawn = [(1, stripes), (2, dots)]
    made = [
        tag(
            "pattern", rect(0, 0, 8, 8, fill=COLOURS[n]), over, id=f"{name}-{n}", width=8, height=8,
            patternUnits="userSpaceOnUse",
        )
        for n, over in drawn
    ]  # fmt: skip
    return tag("defs", *made)


def fill(name: str, series: int) -> dict[str, object]:
    if series in (1, 2):
        return {"fill": f"url(#{name}-{series})", "stroke": COLOURS[series]}
    return {"fill": PAPER if series == 3 else COLOURS[series], "stroke": COLOURS[series], "stroke_width": 1.5}


def across(scale: Scale, top: float, bottom: float, unit: str) -> list[str]:
    """A value axis below the plot, with lines up through it."""
    drawn: list[str] = []
    for tick in scale.ticks():
        x = scale.at(tick)
        drawn += [line(x, top, x, bottom, stroke=GRID), words(number(tick), x, bottom + 18, "middle", fill=GREY)]
    return [*drawn, words(unit, scale.end, bottom + 38, "end", fill=GREY)]


def interval(mark: Mark, scale: Scale, y: float) -> list[str]:
    """From end to end with caps, on white, so that it is seen on any bar."""
    if mark.interval is None:
        return []
    low, high = (scale.at(end) for end in mark.interval)
    path = f"M{low:.1f},{y - CAP:.1f} v{2 * CAP} M{low:.1f},{y:.1f} H{high:.1f} M{high:.1f},{y - CAP:.1f} v{2 * CAP}"
    return _twice(path)


def interval_up(mark: Mark, scale: Scale, x: float) -> list[str]:
    if mark.interval is None:
        return []
    low, high = (scale.at(end) for end in mark.interval)
    path = f"M{x - CAP:.1f},{low:.1f} h{2 * CAP} M{x:.1f},{low:.1f} V{high:.1f} M{x - CAP:.1f},{high:.1f} h{2 * CAP}"
    return _twice(path)


def _twice(path: str) -> list[str]:
    return [
        tag("path", d=path, stroke=PAPER, stroke_width=5, fill="none"),
        tag("path", d=path, stroke=INK, stroke_width=2, fill="none", data_part="interval"),
    ]


def missing(mark: Mark) -> str:
    """What stands where no number does: its symbol."""
    return mark.status or "–"


def key(figure: Figure, swatch: Sequence[str], x: float, y: float) -> tuple[list[str], float]:
    """A key of the series in as many lines as it takes, and where it ends. swatch: 26 × 14 at the origin, each."""
    drawn, left = [], x
    for label, picture in zip(figure.series, swatch, strict=True):
        wide = 34 + width_of(label) + 18
        if left > x and left + wide > WIDTH:
            left, y = x, y + SIZE + 10
        drawn += [tag("g", picture, transform=f"translate({left:.0f},{y:.0f})"), words(label, left + 34, y + 12)]
        left += wide
    return drawn, y + SIZE + 12
