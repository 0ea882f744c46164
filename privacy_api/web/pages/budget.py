"""What is left of the budgets that one asks from, what was spent when, and what the amounts mean."""

from __future__ import annotations

from fastapi import Request, Response

from disclosure.policy import Mode
from privacy_api.governance.forecast import Forecast
from privacy_api.ports import Balance, Spending
from privacy_api.routes.access import ServicesDep
from privacy_api.service import outlook
from privacy_api.service.cuts import HostedCut
from privacy_api.service.reach import cuts_of
from privacy_api.service.services import Services
from privacy_api.web.asking.asker import account_of, principals_of, projects_of
from privacy_api.web.charts.spending import spending_chart
from privacy_api.web.pages_base import Pages, render

router = Pages()
LAST = 500


@router.page("/budget")
def budget(request: Request, services: ServicesDep) -> Response:
    ledger = services.ledger
    account = account_of(request)
    person = services.projects.person(account.person) if account.person else None
    projects = [
        _shown(p.title, f"project-{n}", ledger.project_balance(p), ledger.spending(LAST, project=p.id), services)
        for n, p in enumerate(projects_of(request, services))
    ]
    own = []
    if person is not None:
        spent = ledger.spending(LAST, person=person.id)
        own.append(_shown("You, over all projects", "person", ledger.person_balance(person), spent, services))
    cuts = {cut.account: cut for mine in principals_of(request, services) for cut in cuts_of(mine, services).values()}
    shared = [_shared(cut, services) for cut in cuts.values() if cut.policy.mode is Mode.DP]
    return render(request, "budget.html", budgets=[*projects, *own], shared=shared)


def _shared(cut: HostedCut, services: Services) -> tuple[HostedCut, Balance, Forecast]:
    balance = services.ledger.cut_balance(cut.account, cut.cap)
    return cut, balance, outlook.cut_lasts(cut.account, balance, services)


def _shown(title: str, name: str, balance: Balance, spent: list[Spending], services: Services) -> dict[str, object]:
    share = balance.spent / balance.cap if balance.cap else 0.0
    return {
        "title": title,
        "id": name,
        "balance": balance,
        "lasts": outlook.lasts(spent, balance, services),
        "percent": f"{100 * share:.1f}",
        "spent": [s for s in spent if s.nano_rho][:10],
        "chart": spending_chart([(s.at, s.so_far) for s in reversed(spent)], balance.cap, name),
    }
