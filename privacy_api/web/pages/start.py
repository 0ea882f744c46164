"""The start page: what this is, for whom, and how to try it."""

from __future__ import annotations

from fastapi import Request, Response

from privacy_api.routes.access import ServicesDep
from privacy_api.web.pages_base import Pages, render

router = Pages()


@router.page("/")
def start(request: Request, services: ServicesDep) -> Response:
    hosted = list(services.data_sets.values())
    return render(request, "start.html", data_sets=hosted, example=hosted[0] if hosted else None)
