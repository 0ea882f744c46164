"""`privacy-api budget`: what was spent, over time, and what it means, for the officer who answers for a cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from privacy_api.cli.budgets import ModeOption, amount
from privacy_api.cli.common import HomeOption, fail, settings_for, stores_for

if TYPE_CHECKING:
    from disclosure.policy import Policy
    from privacy_api.bootstrap import Stores
    from privacy_api.ports import Balance, Charge
    from privacy_api.settings import Settings

budget_app = typer.Typer(help="What was spent, and what it means.", no_args_is_help=True)
CutOption = Annotated[str | None, typer.Option("--cut", help="One cut; without it, every published one.")]
TYPICAL = (20, 100, 1_000, 10_000)
"""Counts that the error is put beside."""
BAR = 20


@budget_app.command("odometer")
def odometer(
    cut: CutOption = None,
    last: Annotated[int, typer.Option(min=1, help="Charges to show per cut, newest at the end.")] = 100,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """Each charge with the loss so far, in rho and in epsilon at the cut's delta. Checks the whole ledger first."""
    with stores_for(home, mode) as stores:
        stores.ledger.verify()
        for name, policy, cap in _cuts(settings_for(home, mode=mode), cut, stores):
            balance = stores.ledger.cut_balance(name, cap)
            for line in _history(name, policy, balance, stores.ledger.charges(name, last + 1), last):
                typer.echo(line)


@budget_app.command("explain")
def explain(
    cut: CutOption = None,
    rho: Annotated[str | None, typer.Option(help="Price of the question to explain; without it, the default.")] = None,
    home: HomeOption = None,
    mode: ModeOption = None,
) -> None:
    """What a cut's budget means in plain words: the cap, what was spent, one question, and how many are left."""
    with stores_for(home, mode) as stores:
        for name, policy, cap in _cuts(settings_for(home, mode=mode), cut, stores):
            balance = stores.ledger.cut_balance(name, cap)
            for line in _explained(name, policy, balance, _price(rho, policy)):
                typer.echo(line)


def _cuts(settings: Settings, chosen: str | None, stores: Stores) -> list[tuple[str, Policy, int]]:
    """Each with the policy in force and the cap that is allotted."""
    from datasets.ingest import list_cuts
    from privacy_api.bootstrap import terms_of

    known = list_cuts(settings.cuts)
    if chosen is not None and chosen not in known:
        fail(f"{chosen}: no such cut is published; published are {', '.join(known) or 'none'}")
    found = [(name, *terms_of(settings, name, stores)) for name in ([chosen] if chosen else known)]
    return [(name, policy, terms.cap_under(policy.cut_cap)) for name, terms, policy in found]


def _price(rho: str | None, policy: Policy) -> int:
    from disclosure.accounting import LEAST_PRICE
    from disclosure.accounting import rho as rho_of

    if rho is None:
        return policy.default_price
    price = amount(rho)
    if policy.cut_cap and not LEAST_PRICE <= price <= policy.query_cap:
        fail(f"--rho: a question may cost {rho_of(LEAST_PRICE):f} to {rho_of(policy.query_cap):f}")
    return price


def _history(cut: str, policy: Policy, balance: Balance, charges: list[Charge], last: int) -> Iterator[str]:
    from disclosure.accounting import delta, epsilon, rho

    if not policy.cut_cap:
        yield f"{cut}: an official policy counts no privacy loss"
        return
    beside = f", and {float(delta(balance.delta)):g} of listed groups on top" if balance.delta else ""
    yield f"{cut}: loss so far, epsilon at delta {policy.delta:g}{beside}"
    if len(charges) > last:
        yield f"(the last {last} charges; --last shows more)"
    yield "\t".join(("date", "project", "person", "release", "rho", "rho so far", "epsilon so far"))
    for each in charges[-last:]:
        amounts = f"{rho(each.nano_rho):f}\t{rho(each.so_far):f}\t{epsilon(each.so_far, policy.delta):.4f}"
        yield f"{each.at[:10]}\t{each.project}\t{each.person or '-'}\t{each.release}\t{amounts}"
    spent = epsilon(balance.spent, policy.delta)
    yield f"total\trho {rho(balance.spent):f} of {rho(balance.cap):f}\tepsilon {spent:.4f}"
    yield _bar(balance)


def _bar(balance: Balance) -> str:
    """Text, such as [#####---------------] 25.0 % of the cap."""
    share = balance.spent / balance.cap
    full = min(BAR, round(BAR * share))
    return f"[{'#' * full}{'-' * (BAR - full)}] {100 * share:.1f} % of the cap"


def _explained(cut: str, policy: Policy, balance: Balance, price: int) -> Iterator[str]:
    from disclosure.accounting import delta

    if not policy.cut_cap:
        yield f"{cut}: an official policy hides and rounds; it counts no privacy loss and has no budget."
        return
    yield f"{cut}, under policy {policy.name} version {policy.version} ({policy.noise.title()} noise)"
    most = policy.listed_at_most(balance.delta)
    yield from _loss("The cap", balance.cap, policy, most)
    yield from _loss("Spent so far", balance.spent, policy, balance.delta)
    yield f"  {_bar(balance)}"
    yield from _loss(
        "One question at the default price" if price == policy.default_price else "One question", price, policy
    )
    yield from _errors(policy, price)
    yield f"Left: {balance.left // price:,} such questions of one measurement each, until the cut answers nothing new."
    yield (
        f"Delta {policy.delta:g} is the chance, 1 in {1 / policy.delta:,.0f}, that what comes out tells more than the "
        "epsilons here say. The ledger itself counts rho, which has no delta."
    )
    if most:
        spent, cap = (float(delta(amount)) for amount in (balance.delta, most))
        yield (
            f"Listed groups do have a delta, which comes on top: {spent:g} was spent on them, of {cap:g}. It is the "
            "chance that a group which only one pupil is in is told of."
        )


def _loss(what: str, nano: int, policy: Policy, listed: int = 0) -> Iterator[str]:
    from disclosure.accounting import coin_flip_accuracy, epsilon, guess_accuracy, pure_epsilon, rho
    from disclosure.tables import Noise

    eps = epsilon(nano, policy.delta)
    yield f"{what}: rho {rho(nano):f}, epsilon {eps:.2f} at delta {policy.delta_with(listed):g}."
    yield (
        "  Someone who knows everything else about a child improves a coin-flip guess (50 %) to at most "
        f"{100 * coin_flip_accuracy(eps):.1f} %, but for the chance delta, and to at most "
        f"{100 * guess_accuracy(nano):.1f} % on average over what may come out."
    )
    if policy.noise is Noise.LAPLACE and nano == policy.default_price:
        pure = pure_epsilon([nano])
        most = 100 * coin_flip_accuracy(pure)
        yield f"  Alone it is pure {pure:.4f}-DP: at most {most:.1f} % whatever comes out, with no delta at all."


def _errors(policy: Policy, price: int) -> Iterator[str]:
    from disclosure.accuracy import count_margin
    from disclosure.noise import standard_deviation

    sd = standard_deviation(1, price, policy.noise)
    margin = count_margin(sd, policy.rounding_base, policy.confidence, policy.noise)
    yield (
        f"  Its noise has standard deviation {sd:.1f}: ± {margin:,} pupils on a count, {100 * policy.confidence:g} % "
        f"of the time, rounding to {policy.rounding_base} included (where a pupil has one row)."
    )
    beside = ", ".join(f"{n:,} ± {100 * margin / n:.3g} %" for n in TYPICAL)
    yield f"  Beside typical counts: {beside}."
