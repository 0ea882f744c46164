"""SVG as text. Presentation attributes only, so that a page needs no exception from its content security policy."""

from __future__ import annotations

import html
import re

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
INK, GREY, GRID, PAPER = "#0b0c0c", "#505a5f", "#b1b4b6", "#ffffff"
COLOURS = ("#12436D", "#F46A25", "#28A197", "#801650", "#3D3D3D", "#A285D1")
"""Of series, in order. None is told by its colour alone: bars differ in pattern, lines in dashes and markers."""
FONT = "Arial, sans-serif"
SIZE = 14
LETTER = 7.2
"""Pixels of an average letter at SIZE: labels are laid out without a font to measure them by."""


def tag(name: str, *inner: str, **attributes: object) -> str:
    """An element. Underscores in names of attributes are dashes; inner is markup already."""
    given = "".join(f' {key.replace("_", "-")}="{escaped(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{''.join(inner)}</{name}>" if inner else f"<{name}{given}/>"


def escaped(value: object) -> str:
    """For text and attributes alike; numbers are shortened."""
    text = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
    return html.escape(_NOT_XML.sub("", text), quote=True)


def words(text: str, x: float, y: float, anchor: str = "start", **more: object) -> str:
    look = {"fill": INK, "font_size": SIZE, "text_anchor": anchor} | more
    return tag("text", escaped(text), x=float(x), y=float(y), **look)


def line(x1: float, y1: float, x2: float, y2: float, **look: object) -> str:
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), **({"stroke": INK} | look))


def rect(x: float, y: float, width: float, height: float, **look: object) -> str:
    return tag("rect", x=float(x), y=float(y), width=float(max(width, 0)), height=float(height), **look)


def width_of(text: str) -> float:
    return LETTER * len(text)


def cut(text: str, width: float) -> str:
    """The text, or as much of it as fits."""
    most = max(int(width / LETTER), 2)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def picture(inner: list[str], width: float, height: float, name: str, title: str, description: str) -> str:
    """The whole: readable by itself, as a file or in a page. name: begins every id in it."""
    return tag(
        "svg",
        tag("title", escaped(title), id=f"{name}-title"),
        tag("desc", escaped(description), id=f"{name}-desc"),
        *inner,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=round(width),
        height=round(height),
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        font_family=FONT,
    )
