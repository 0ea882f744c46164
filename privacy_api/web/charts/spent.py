"""How much of a budget is spent, as one bar."""

from __future__ import annotations

from markupsafe import Markup

from disclosure.accounting import rho
from privacy_api.ports import Balance

WIDTH, HEIGHT = 320, 16


def spent_bar(balance: Balance) -> Markup:
    """An SVG that says in words what it shows."""
    share = min(1.0, balance.spent / balance.cap) if balance.cap else 1.0
    told = f"{100 * share:.1f}% spent: ρ {rho(balance.spent):f} of {rho(balance.cap):f}"
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="app-bar" role="img" width="{w}" height="{h}" '
        'viewBox="0 0 {w} {h}"><title>{told}</title>'
        '<rect width="{w}" height="{h}" fill="#f3f2f1" stroke="#0b0c0c"/>'
        '<rect width="{filled:.1f}" height="{h}" fill="#12436d"/></svg>'
    ).format(w=WIDTH, h=HEIGHT, told=told, filled=share * WIDTH)
