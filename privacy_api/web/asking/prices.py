"""What different prices would buy, side by side: from previews, which are public facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from disclosure.accounting import LEAST_PRICE, rho
from disclosure.policy import Policy
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Balance
from privacy_api.web.asking.builder import Draft

SIZES = ("100", "1000")
FACTORS = ((0.25, "A quarter of that"), (4, "Four times that"))
Preview = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """Half-widths of the interval of one measure, by the size of a cell; one for all where sizes do not matter."""

    measure: str
    margins: tuple[float | None, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class Option:
    """value: of the radio. nano_rho: the whole price; now: what of it would be charged now. left: afterwards."""

    value: str
    name: str
    nano_rho: int
    now: int
    left: int
    epsilon: float | None
    expected: tuple[Expected, ...]

    @property
    def is_affordable(self) -> bool:
        return self.left >= 0


def options(draft: Draft, first: Preview, policy: Policy, left: int, ask: Callable[[Draft], Preview]) -> list[Option]:
    """The question as it stands, then cheaper and dearer ones. ask: previews a draft. left: nano-ρ, the least of all
    budgets that pay."""
    found = [_option("as-is", _named(draft), first, left)]
    if not policy.sells_precision or policy.mode == "official":
        return found
    default = first if draft.rho is None and not _precise(draft) else _asked(with_price(draft, None), ask)
    if default is None:
        return found
    if default is not first:
        found.append(_option("default", "The usual price of this data set", default, left))
    for factor, name in FACTORS:
        price = int(default["price"]["nanoRho"] * factor)
        least = LEAST_PRICE * default["measurements"]["wanted"]
        if least <= price <= policy.query_cap and (told := _asked(with_price(draft, price), ask)) is not None:
            found.append(_option(f"rho:{rho(price):f}", name, told, left))
    return found


def with_price(draft: Draft, price: int | None) -> Draft:
    """With this price for the whole, in place of any other and of margins wanted; None for the usual one."""
    plain = tuple({k: v for k, v in m.items() if k != "precision"} for m in draft.measures)
    changed = Draft(draft.who, draft.more, draft.group_by, draft.totals, plain, draft.rest)
    return changed.with_rest(rho=None if price is None else f"{rho(price):f}")


def least_left(balances: Sequence[Balance]) -> int:
    return min(balance.left for balance in balances)


def _asked(draft: Draft, ask: Callable[[Draft], Preview]) -> Preview | None:
    """None where the price is out of range."""
    try:
        return ask(draft)
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        return None


def _named(draft: Draft) -> str:
    if draft.rho is not None:
        return "The price you chose"
    return "The margin you chose" if _precise(draft) else "The usual price of this data set"


def _precise(draft: Draft) -> bool:
    return any("precision" in measure for measure in draft.measures)


def _option(value: str, name: str, told: Preview, left: int) -> Option:
    now = told["chargedNow"]["nanoRho"]
    expected = tuple(_expected(m) for m in told["measures"])
    return Option(value, name, told["price"]["nanoRho"], now, left - now, told["price"]["epsilon"], expected)


def _expected(measure: Mapping[str, Any]) -> Expected:
    if "margin" in measure:
        return Expected(measure["id"], (measure["margin"],) * len(SIZES), True)
    return Expected(measure["id"], tuple(measure["marginAt"][size] for size in SIZES), False)
