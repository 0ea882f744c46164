"""Small drawings as inline SVG, without script. Every one has a title and a description for those who do not see it.

Colours are told apart by everybody (a blue and an orange of equal weight), and no meaning is in colour alone: numbers
stand in the cells, series differ in shape and line, and a table stands beside each drawing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from synthetic.fidelity.margins import Floats

BLUE, ORANGE, INK, GREY, PALE = "#1d5b96", "#c4570a", "#0b0c0c", "#505a5f", "#e6e9eb"
Colour = Callable[[float], str]


def _mix(light: tuple[int, int, int], dark: tuple[int, int, int], part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(light, dark, strict=True))


def rising(value: float) -> str:
    """White to dark blue for 0 to 1."""
    return _mix((255, 255, 255), (16, 66, 115), min(1.0, max(0.0, value)) ** 0.7)


def diverging(limit: float) -> Colour:
    """Orange under, white at, blue above nothing; full at the limit."""

    def colour(value: float) -> str:
        dark = (22, 86, 146) if value > 0 else (190, 84, 10)
        return _mix((255, 255, 255), dark, min(1.0, abs(value) / limit) ** 0.8)

    return colour


def _on(background: str) -> str:
    """Ink that can be read on it."""
    red, green, blue = (int(background[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "#ffffff"


def drawing(name: str, title: str, description: str, width: float, height: float, body: Sequence[str]) -> Markup:
    """name: of its own on the page."""
    head = (
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>'
    )
    return Markup(head + "".join(body) + "</svg>")  # noqa: S704  texts are escaped where they come in


def text(
    x: float, y: float, words: str, size: float = 11, anchor: str = "start", fill: str = INK, more: str = ""
) -> str:
    look = f'font-size="{size:g}" text-anchor="{anchor}" fill="{fill}" {more}'
    return f'<text x="{x:g}" y="{y:g}" {look}>{escape(words)}</text>'


def _box(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{fill}" {more}/>'


def bullet(share: float, told: float, largest: float, width: float = 120, height: float = 12) -> Markup:
    """A bar for the source and a tick for the reference. Without a text: the numbers stand beside it."""
    scale = (width - 4) / max(largest, 1e-9)
    body = (
        _box(0, 2, share * scale, height - 4, BLUE),
        _box(max(0.0, told * scale - 1), 0, 2.5, height, INK),
    )
    return Markup(  # noqa: S704  numbers only
        f'<svg aria-hidden="true" focusable="false" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg">{"".join(body)}</svg>'
    )


def heat_map(
    name: str,
    title: str,
    description: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Floats,
    colour: Colour,
    write: Callable[[float], str],
    cell: tuple[float, float] = (26, 18),
    marked: str = "",
) -> Markup:
    """Values in coloured cells with their number; NaN is left empty. marked: said under the columns."""
    left = 8 + 6.1 * max(len(r) for r in rows)
    top = 10 + 5.0 * max(len(c) for c in columns)
    wide, high = cell
    body = [text(left - 5, top + high * (i + 0.7), r, 11, "end") for i, r in enumerate(rows)]
    for j, column in enumerate(columns):
        x = left + wide * (j + 0.5) + 3
        body.append(text(x, top - 5, column, 11, "start", INK, f'transform="rotate(-52 {x:g} {top - 5:g})"'))
    for i in range(len(rows)):
        for j in range(len(columns)):
            body += _cell(left + wide * j, top + high * i, wide, high, float(values[i, j]), colour, write)
    height = top + high * len(rows) + (16 if marked else 2)
    if marked:
        body.append(text(left, height - 3, marked, 10.5, fill=GREY))
    return drawing(name, title, description, left + wide * len(columns) + 3.4 * max(map(len, columns)), height, body)


def _cell(
    x: float, y: float, wide: float, high: float, value: float, colour: Colour, write: Callable[[float], str]
) -> list[str]:
    if math.isnan(value):
        return [_box(x, y, wide - 1, high - 1, PALE)]
    fill = colour(value)
    return [
        _box(x, y, wide - 1, high - 1, fill),
        text(x + wide / 2, y + high * 0.7, write(value), 9.5, "middle", _on(fill)),
    ]


Series = Sequence[float | None]


def lines(name: str, title: str, description: str, labels: Sequence[str], source: Series, told: Series) -> Markup:
    """Shares over time: the source as a line with filled squares, the reference dashed with open circles."""
    width, height, left, bottom = 420.0, 220.0, 44.0, 30.0
    top_share = _ceiling([v for v in (*source, *told) if v is not None])
    step = (width - left - 24) / max(len(labels) - 1, 1)

    def at(i: int, share: float) -> tuple[float, float]:
        return left + 10 + step * i, 12 + (height - bottom - 12) * (1 - share / top_share)

    body = []
    for tick in range(5):
        _, y = at(0, top_share * tick / 4)
        body.append(f'<line x1="{left:g}" x2="{width:g}" y1="{y:g}" y2="{y:g}" stroke="{PALE}"/>')
        body.append(text(left - 6, y + 4, f"{100 * top_share * tick / 4:.3g} %", 10.5, "end", GREY))
    body += [text(at(i, 0)[0], height - 12, label, 10.5, "middle") for i, label in enumerate(labels)]
    body += _line([at(i, v) for i, v in enumerate(told) if v is not None], ORANGE, "6 4", False)
    body += _line([at(i, v) for i, v in enumerate(source) if v is not None], BLUE, "", True)
    return drawing(name, title, description, width, height, body)


def _ceiling(values: Sequence[float]) -> float:
    """A round number of percent above them."""
    highest = max(values, default=0.0) or 0.01
    return next(
        s for s in (0.004, 0.01, 0.02, 0.04, 0.08, 0.12, 0.2, 0.32, 0.4, 0.6, 0.8, 1.0) if s >= min(highest, 1.0)
    )


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str, filled: bool) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = f'stroke-dasharray="{dashes}"' if dashes else ""
    body = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" {dash}/>']
    for x, y in points:
        body.append(
            _box(x - 3.5, y - 3.5, 7, 7, colour)
            if filled
            else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
    return body
