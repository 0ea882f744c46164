"""Pages that explain: how pupils are protected, how the service does, and the statements that a public service owes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fastapi import Request, Response

from privacy_api.errors import ErrorCode
from privacy_api.governance.applications import PLAIN
from privacy_api.ports import Balance, ProjectKind
from privacy_api.ports.applications import ApplicationState
from privacy_api.routes.access import ServicesDep
from privacy_api.service import browse
from privacy_api.service.cuts import HostedCut
from privacy_api.service.services import Services
from privacy_api.web.pages_base import Pages, render

router = Pages()
SIGMA = 5
"""Standard deviation of the noise in the picture, in pupils."""
COOKIES = (
    (
        "session",
        "Keeps you signed in. It is set when you sign in.",
        "until you sign out or close the browser; the service ends it after 30 minutes without use, and after 8 hours",
    ),
    ("sign-in", "Brings you back from your organisation’s sign-in page to this browser and no other.", "10 minutes"),
)
"""Name, what for, how long. A test compares them with those that are set."""
TALLEST = 120
"""Of its bars, in units of the picture."""


@dataclass(frozen=True, slots=True)
class Spent:
    cut: HostedCut
    balance: Balance

    @property
    def percent(self) -> int:
        """Rounded up, so that something is never nothing."""
        return min(100, -(-100 * self.balance.spent // self.balance.cap)) if self.balance.cap else 100


@router.page("/help/protection")
def protection(request: Request, services: ServicesDep) -> Response:
    """The picture: what may come out for a group of 120, each height as often as the discrete Gaussian gives it."""
    bars = [(off, round(TALLEST * math.exp(-(off**2) / (2 * SIGMA**2)))) for off in range(-15, 16)]
    return render(request, "protection.html", bars=bars, spent=_spent(services))


@router.page("/performance")
def performance(request: Request, services: ServicesDep) -> Response:
    _, released = browse.published(0, 0, services)
    projects = len(services.projects.projects(ProjectKind.RESEARCH))
    return render(
        request,
        "performance.html",
        released=released,
        projects=projects,
        spent=_spent(services),
        figures=request.app.state.figures.now(),
        states=[(PLAIN[state], state) for state in PLAIN if state is not ApplicationState.DRAFT],
        codes={code.slug: code.title for code in ErrorCode},
    )


def _spent(services: Services) -> list[Spent]:
    """Of cuts whose answers have noise; the others have no budget to speak of."""
    return [
        Spent(cut, services.ledger.cut_balance(cut.account, cut.cap))
        for cut in browse.hosted_cuts(services)
        if cut.policy.mode == "dp"
    ]


@router.page("/accessibility")
def accessibility(request: Request) -> Response:
    return render(request, "accessibility.html")


@router.page("/privacy")
def privacy(request: Request) -> Response:
    return render(request, "privacy.html")


@router.page("/cookies")
def cookies(request: Request) -> Response:
    prefix = "__Host-" if request.app.state.secure else ""
    return render(request, "cookies.html", cookies=[(prefix + name, *told) for name, *told in COOKIES])
