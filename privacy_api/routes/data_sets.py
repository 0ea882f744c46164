"""/v1/data-sets: what there is to ask about. Public: it holds nothing of the data. And what its answers have cost."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from privacy_api.routes.access import PrincipalDep, ServicesDep
from privacy_api.service.reach import find_data_set, reach, twin
from privacy_api.wire import out

router = APIRouter(prefix="/v1/data-sets", tags=["Data sets"])
ODOMETER_DAYS = 366


@router.get("", summary="The data sets that can be asked")
def data_sets(services: ServicesDep) -> dict[str, Any]:
    return {"results": [out.data_set(h, twin(h, services)) for h in services.data_sets.values()]}


@router.get("/{data_set}", summary="One data set")
def data_set(data_set: str, services: ServicesDep) -> dict[str, Any]:
    hosted = find_data_set(data_set, services)
    return out.data_set(hosted, twin(hosted, services))


@router.get("/{data_set}/meta", summary="Its variables, codes, bandings, statistics and policy")
def meta(data_set: str, services: ServicesDep) -> dict[str, Any]:
    hosted = find_data_set(data_set, services)
    return out.meta(hosted, twin(hosted, services))


@router.get("/{data_set}/odometer", summary="What the answers from its cut have cost in all, day by day")
def odometer(data_set: str, principal: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    """The last 366 days on which the cut was charged; who asked and what is not told."""
    cut = reach(data_set, principal, services).cut
    days = services.ledger.days(cut.account, ODOMETER_DAYS)
    return out.odometer(cut.catalogue.cut, days, services.ledger.cut_balance(cut.account, cut.cap), cut.policy)
