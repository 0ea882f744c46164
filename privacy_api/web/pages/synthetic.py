"""Synthetic releases for people: what each is for, its report, and its files."""

from __future__ import annotations

from fastapi import Request, Response

from privacy_api.routes.access import ServicesDep
from privacy_api.service.synthetic_releases import releases
from privacy_api.web.pages_base import Pages, render
from privacy_api.wire.synthetic_out import release

router = Pages()


@router.page("/synthetic")
def synthetic(request: Request, services: ServicesDep) -> Response:
    return render(request, "synthetic.html", releases=[release(each) for each in releases(services)])
