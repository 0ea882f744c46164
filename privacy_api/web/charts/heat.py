"""A matrix of shares: darker is more, and the number stands in each cell."""

from __future__ import annotations

from privacy_api.web.charts import parts
from privacy_api.web.charts.figure import Figure, Mark
from privacy_api.web.charts.scale import number
from privacy_api.web.charts.svg import GREY, INK, PAPER, cut, rect, tag, width_of, words

SHADES = ("#ffffff", "#d5e3ef", "#a3c3df", "#6a9bc6", "#2f6ea5", "#12436D")
ROW = 30.0
MOST_LABEL = 230.0


def draw(figure: Figure, name: str) -> tuple[list[str], float]:
    left = min(max(width_of(label) for label in (*figure.rows, figure.rows_of)) + 12, MOST_LABEL)
    wide = (parts.WIDTH - left) / len(figure.series)
    highest = max([m.value for m in figure.all_marks if m.value is not None and m.value > 0], default=1.0)
    drawn = [words(cut(figure.rows_of, left - 10), left - 10, 44, "end", fill=GREY)]
    drawn.append(words(f"{figure.series_of} ({figure.unit})", left, 18, fill=GREY))
    for n, label in enumerate(figure.series):
        drawn.append(words(cut(label, wide - 4), left + wide * (n + 0.5), 44, "middle"))
    for n, (label, marks) in enumerate(zip(figure.rows, figure.marks, strict=True)):
        y = 54 + n * ROW
        drawn.append(words(cut(label, left - 10), left - 10, y + 20, "end"))
        drawn += [_cell(mark, left + wide * place, y, wide, highest) for place, mark in enumerate(marks)]
    return drawn, 54 + ROW * len(figure.rows) + 8


def _cell(mark: Mark, x: float, y: float, wide: float, highest: float) -> str:
    if mark.value is None:
        shade, ink, text = PAPER, GREY, parts.missing(mark)
    else:
        place = min(max(round(mark.value / highest * (len(SHADES) - 1)), 0), len(SHADES) - 1)
        shade, ink, text = SHADES[place], (PAPER if place > 3 else INK), number(round(mark.value, 1))
        text += f" {mark.status}" if mark.status else ""
    edge = {"stroke": GREY, "stroke_dasharray": "3 3" if mark.value is None else "none", "data_part": "cell"}
    return tag(
        "g", rect(x + 1, y + 1, wide - 2, ROW - 2, fill=shade, **edge),
        words(text, x + wide / 2, y + 20, "middle", fill=ink),
    )  # fmt: skip
