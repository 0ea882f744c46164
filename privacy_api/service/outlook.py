"""Budgets as staff look at them: what is left, how long it lasts, what it means for a pupil and for a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from disclosure.accounting import coin_flip_accuracy, epsilon, guess_accuracy, rho
from disclosure.accuracy import count_margin
from disclosure.noise import standard_deviation
from disclosure.policy import Mode, Policy
from privacy_api.governance.forecast import WINDOW, Forecast, days_of, forecast
from privacy_api.ports import Balance, Project, ProjectKind, Spending, Terms
from privacy_api.service.cuts import HostedCut
from privacy_api.service.services import Services

TYPICAL = (100, 1_000, 10_000)
"""Counts that the error of one question is put beside."""


@dataclass(frozen=True, slots=True)
class Margin:
    """margin: half the width of the interval of a count, at the policy's default price; percent: of the count."""

    count: int
    margin: float
    percent: float


@dataclass(frozen=True, slots=True)
class CutOutlook:
    terms: Terms
    policy: Policy
    balance: Balance
    forecast: Forecast
    margins: tuple[Margin, ...]
    plain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectOutlook:
    project: Project
    balance: Balance


def cuts(services: Services) -> tuple[CutOutlook, ...]:
    hosted = {each.cut.catalogue.cut: each.cut for each in services.data_sets.values()}
    return tuple(_of(cut, services) for _, cut in sorted(hosted.items()))


def projects(services: Services) -> tuple[ProjectOutlook, ...]:
    """Sandboxes are play, and come to be many."""
    every = services.projects.projects(ProjectKind.RESEARCH)
    return tuple(ProjectOutlook(each, services.ledger.project_balance(each)) for each in every)


def margins(policy: Policy, counts: Sequence[int] = TYPICAL) -> tuple[Margin, ...]:
    """Of a question of one measurement at the default price, where a pupil has one row; none without noise."""
    if policy.mode is Mode.OFFICIAL:
        return ()
    sd = standard_deviation(1, policy.default_price, policy.noise)
    half = count_margin(sd, policy.rounding_base, policy.confidence, policy.noise)
    return tuple(Margin(count, half, round(100 * half / count, 2)) for count in counts)


def cut_lasts(account: str, balance: Balance, services: Services) -> Forecast:
    """account: of the cut, in the ledger."""
    # A day more than the window: that there was one says that the budget is older than it.
    return forecast(services.ledger.days(account, WINDOW + 1), balance, _today(services))


def lasts(charges: Sequence[Spending], balance: Balance, services: Services) -> Forecast:
    """Of a project or a person. charges: newest first, as the ledger has them."""
    return forecast(days_of(charges), balance, _today(services))


def _today(services: Services) -> date:
    return date.fromisoformat(services.now()[:10])


def _of(cut: HostedCut, services: Services) -> CutOutlook:
    name = cut.catalogue.cut
    balance = services.ledger.cut_balance(name, cut.cap)
    found = cut_lasts(name, balance, services)
    return CutOutlook(cut.terms, cut.policy, balance, found, margins(cut.policy), _plain(cut.policy, balance, found))


def _plain(policy: Policy, balance: Balance, lasts: Forecast) -> tuple[str, ...]:
    if policy.mode is Mode.OFFICIAL:
        return ("An official policy hides and rounds; it counts no privacy loss and has no budget.",)
    eps = epsilon(balance.cap, policy.delta)
    average, worst = 100 * guess_accuracy(balance.cap), 100 * coin_flip_accuracy(eps)
    half = margins(policy)[0].margin
    return (
        f"The cap is rho {rho(balance.cap):f} (epsilon {eps:.2f} at delta {policy.delta:g}): when all of it is spent, "
        f"somebody who knows everything else about a child is right about one coin-flip fact at most {average:.1f}% "
        f"of the time on average, and in the worst answer that may come out {worst:.1f}%.",
        f"A count at the default price is within {half:,} of the truth {100 * policy.confidence:g}% of the time; "
        f"{balance.left // policy.default_price:,} such questions are left.",
        lasts.plain,
    )
