"""/health: whether this process can answer, for balancers. Says nothing else."""

from __future__ import annotations

from fastapi import APIRouter

from privacy_api import __version__
from privacy_api.routes.access import ServicesDep

router = APIRouter(tags=["Health"])


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Whether the service is up")
async def health(services: ServicesDep) -> dict[str, object]:
    return {"status": "ok", "version": __version__, "environment": services.environment}
