"""/v1/tables: tables that officers have had released."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal, RegisteredTable
from privacy_api.routes.access import PrincipalDep, ServicesDep, ShapeDep
from privacy_api.routes.provenance import mark
from privacy_api.service.reach import is_synthetic, may_read
from privacy_api.service.services import Services
from privacy_api.service.tables import find_table, released
from privacy_api.wire.query_in import read_query

router = APIRouter(prefix="/v1/tables", tags=["Registered tables"])


@router.get("", summary="The tables that are registered")
def tables(principal: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    return {"results": [_told(table) for table in services.tables.tables() if _is_there(table, principal, services)]}


@router.get("/{table}", summary="A registered table, at no charge")
def table(table: str, request: Request, principal: PrincipalDep, services: ServicesDep, shape: ShapeDep) -> Response:
    found = find_table(table, services)
    if not _is_there(found, principal, services):
        raise ApiError(ErrorCode.NOT_FOUND)
    mark(request, is_synthetic(found.data_set.partition(".")[0], services))
    stored = released(found, read_query, services)
    if stored is None:
        detail = "The table has not been published for the present version of its data set."
        raise ApiError(ErrorCode.NOT_FOUND, detail=detail)
    return Response(shape.write(stored.body), media_type=shape.format.media_type, headers={"Release-Id": stored.id})


def _is_there(table: RegisteredTable, principal: Principal, services: Services) -> bool:
    return not table.withdrawn and may_read(table.data_set.partition(".")[0], principal, services)


def _told(table: RegisteredTable) -> dict[str, Any]:
    return {
        "id": table.id,
        "title": table.title,
        "dataSet": table.data_set,
        "registered": table.created,
        "links": {"self": f"/v1/tables/{table.id}"},
    }
