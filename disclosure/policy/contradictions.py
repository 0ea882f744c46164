"""Values that are accepted one by one and cannot stand together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from disclosure.accounting import LEAST_PRICE, nano_rho, rho
from disclosure.fields import OFFICIAL, Mode
from disclosure.policy.read import PolicyFile

_DP = (Mode.DP,)


@dataclass(frozen=True, slots=True)
class Agreement:
    """between: values (`table.key`) or tables that `holds` takes in this order, once all values are there."""

    between: tuple[str, ...]
    holds: Callable[..., bool]
    wants: str
    modes: tuple[Mode, ...] = OFFICIAL


AGREEMENTS: tuple[Agreement, ...] = (
    Agreement(
        ("budget.default_rho", "budget.query_rho", "budget.cut_rho"),
        lambda default, query, cut: bool(default <= query <= cut),
        "budget: wants default_rho ≤ query_rho ≤ cut_rho",
        _DP,
    ),
    Agreement(
        ("budget.default_rho",),
        lambda price: nano_rho(Decimal(price)) >= LEAST_PRICE,
        f"budget.default_rho: wants at least {rho(LEAST_PRICE):f}, the least a measurement may cost",
        _DP,
    ),
    Agreement(
        ("listed_groups.delta", "listed_groups.delta_total"),
        lambda each, total: bool(each <= total),
        "listed_groups: wants delta ≤ delta_total",
        _DP,
    ),
    Agreement(
        ("listed_groups", "mechanism.noise"),
        lambda listed, noise: not listed or noise == "gaussian",
        "listed_groups: wants mechanism.noise 'gaussian'",
        _DP,
    ),
    Agreement(
        ("synthetic_model.most_rho", "budget.cut_rho"),
        lambda model, cut: bool(model <= cut),
        "synthetic_model: wants most_rho ≤ budget.cut_rho",
        _DP,
    ),
    Agreement(
        ("synthetic_model", "mechanism.noise"),
        lambda model, noise: not model or noise == "gaussian",
        "synthetic_model: wants mechanism.noise 'gaussian', which is the noise of its margins",
        _DP,
    ),
    Agreement(
        ("limits.group_by",),
        lambda most: bool(most <= 4),
        "limits.group_by: wants at most 4 in official mode, where a table is protected with all its totals",
    ),
    # A full cell stands among zeros: if they are shown, it is their total, which is shown too.
    Agreement(
        ("class_disclosure", "minimum_count.zeros"),
        lambda there, zeros: not there or zeros == "hide",
        "class_disclosure: wants minimum_count.zeros 'hide', since the zeros beside a full cell tell it",
    ),
    # With no further cells hidden, only what is not known of the cells shown is left to protect a hidden one.
    Agreement(
        ("secondary.method", "rounding.base", "cell_key"),
        lambda method, base, perturbed: method != "none" or base >= 3 or perturbed,
        "secondary.method: 'none' wants rounding.base at least 3, or cell_key: else totals tell what is hidden",
    ),
    Agreement(
        ("rounding.method", "rounding.base"),
        lambda method, base: method == "conventional" or base >= 2,
        "rounding.base: wants at least 2 unless rounding.method is 'conventional': to base 1 nothing is rounded",
    ),
    # A count that is shown is never shown as 0: then 0 would say two things.
    Agreement(
        ("minimum_count.value", "rounding.method", "rounding.base"),
        lambda least, method, base: least > base // 2 if method == "conventional" else least >= base,
        "minimum_count.value: wants more than half of rounding.base (all of it, unless rounding is conventional), or "
        "counts that are shown would become 0",
    ),
    Agreement(
        ("minimum_count.value", "cell_key.max_noise", "rounding.base"),
        lambda least, noise, base: least - noise > base // 2,
        "cell_key.max_noise: wants to be less than minimum_count.value by more than half of rounding.base, or counts "
        "that are shown would become 0",
    ),
    # Controlled rounding wants a table that adds up; random rounding would draw a second time from the same key.
    Agreement(
        ("cell_key", "rounding.method"),
        lambda perturbed, method: not perturbed or method == "conventional",
        "cell_key: wants rounding.method 'conventional': perturbed counts do not add up, and their key is used already",
    ),
    Agreement(
        ("ad_hoc", "differencing"),
        lambda ad_hoc, guarded: ad_hoc == guarded,
        "differencing: wants to be there exactly where ad_hoc is: it guards free queries, and nothing else",
    ),
)


def contradictions(file: PolicyFile) -> list[str]:
    found = []
    for agreement in AGREEMENTS:
        values = [file.get(path) for path in agreement.between]
        if file.mode in agreement.modes and None not in values and not agreement.holds(*values):
            found.append(agreement.wants)
    return found
