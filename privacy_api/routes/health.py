"""/health: whether this process can answer, for balancers. Says nothing else."""

from __future__ import annotations

from fastapi import APIRouter

from privacy_api import __version__
from privacy_api.routes.access import ServicesDep

router = APIRouter(tags=["Health"])


@router.api_route("/health", methods=["GET", "HEAD"], summary="Whether the service is up")
async def health(services: ServicesDep) -> dict[str, object]:
    return {"status": "ok", "version": __version__, "environment": services.environment}
