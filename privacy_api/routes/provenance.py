"""Whether a response is about pupils who do not exist, which each such response says of itself."""

from __future__ import annotations

from fastapi import Request

from privacy_api.governance.access_table import is_page
from privacy_api.governance.caller import ANONYMOUS
from privacy_api.ports import ProjectKind
from privacy_api.service.services import Services

HEADER = "X-Data-Provenance"


def headers_of(request: Request) -> dict[str, str]:
    return {HEADER: "synthetic"} if _is_synthetic(request) else {}


def mark(request: Request, synthetic: bool) -> None:
    """For routes whose address does not name the data set."""
    request.state.synthetic = synthetic


def _is_synthetic(request: Request) -> bool:
    """By what the address names, what the route found, who asks (a sandbox sees nothing else), or all there is."""
    services: Services = request.app.state.services
    named = services.data_sets.get(request.path_params.get("data_set", ""))
    if named is not None:
        return named.cut.catalogue.synthetic
    if (marked := getattr(request.state, "synthetic", None)) is not None:
        return bool(marked)
    principal = getattr(request.state, "caller", ANONYMOUS).principal
    if principal is not None and principal.project.kind is ProjectKind.SANDBOX:
        return True
    cuts = {h.cut.id: h.cut.catalogue for h in services.data_sets.values()}
    return bool(cuts) and all(c.synthetic for c in cuts.values()) and not is_page(request.url.path)
