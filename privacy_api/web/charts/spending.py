"""What was spent of a budget: over time, as steps up to its cap; and now, as one bar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from disclosure.accounting import rho
from privacy_api.governance.dates import in_words
from privacy_api.ports import Balance
from privacy_api.web.charts import parts
from privacy_api.web.charts.scale import Scale, number
from privacy_api.web.charts.svg import COLOURS, GREY, GRID, INK, line, picture, tag, words

HEIGHT = 160.0
LEFT = 70.0
NANO = 1e9
BAR = (320, 16)
"""Width and height of the bar."""
MARKS = (0.0, 0.5, 1.0)
"""Of the cap."""


def spending_chart(spent: Sequence[tuple[str, int]], cap: int, name: str) -> str:
    """spent: (instant, so far in nano-ρ), oldest first. Empty where there is nothing to draw."""
    if len(spent) < 2 or not cap:
        return ""
    times = [datetime.fromisoformat(at).timestamp() for at, _ in spent]
    days = Scale(times[0], max(times[-1], times[0] + 1), LEFT, parts.WIDTH - 10, 1)
    amounts = Scale(0, cap, 16 + HEIGHT, 16, 1)
    inner = _axis(amounts, cap)
    path = f"M{days.at(times[0]):.1f},{amounts.at(0):.1f}"
    for at, (_, so_far) in zip(times, spent, strict=True):
        path += f" H{days.at(at):.1f} V{amounts.at(so_far):.1f}"
    inner.append(tag("path", d=path, fill="none", stroke=COLOURS[0], stroke_width=2.5, data_part="spent"))
    foot = 16 + HEIGHT + 20
    first, last = (in_words(datetime.fromisoformat(at)) for at in (spent[0][0], spent[-1][0]))
    inner += [words(first, LEFT, foot), words(last, parts.WIDTH - 10, foot, "end")]
    told = f"{number(spent[-1][1] / NANO)} of {number(cap / NANO)} ρ spent from {first} to {last}."
    return picture(inner, parts.WIDTH, foot + 12, name, "Budget spent over time", told)


def _axis(amounts: Scale, cap: int) -> list[str]:
    drawn = []
    for share in MARKS:
        y = amounts.at(share * cap)
        look = {"stroke": INK, "stroke_dasharray": "6 3"} if share == 1 else {"stroke": GRID}
        drawn += [line(LEFT, y, parts.WIDTH - 10, y, **look)]
        drawn.append(words(f"{number(share * cap / NANO)} ρ", LEFT - 8, y + 5, "end", fill=GREY))
    return [*drawn, words("cap", parts.WIDTH - 10, amounts.at(cap) + 16, "end", fill=GREY)]


def spent_bar(balance: Balance) -> Markup:
    """How much is spent now, as one bar: an SVG that says in words what it shows."""
    width, height = BAR
    share = min(1.0, balance.spent / balance.cap) if balance.cap else 1.0
    told = f"{100 * share:.1f}% spent: ρ {rho(balance.spent):f} of {rho(balance.cap):f}"
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="app-bar" role="img" width="{w}" height="{h}" '
        'viewBox="0 0 {w} {h}"><title>{told}</title>'
        '<rect width="{w}" height="{h}" fill="#f3f2f1" stroke="#0b0c0c"/>'
        '<rect width="{filled:.1f}" height="{h}" fill="#12436d"/></svg>'
    ).format(w=width, h=height, told=told, filled=share * width)
