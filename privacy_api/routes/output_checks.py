"""/v1/output-checks: may this table leave the safe room? For who may have outputs checked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from privacy_api.routes.access import PrincipalDep, ServicesDep, gate_of, read_body
from privacy_api.service.output_check import Checker, check, recorded
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.output_check_in import MOST_BODY, read_output

router = APIRouter(prefix="/v1/output-checks", tags=["Output checks"])


@router.post("", summary="Check a table that is to leave a safe room, number by number")
async def post_check(request: Request, checker: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    body = await read_body(request, MOST_BODY)
    by = Checker(checker.key_id, checker.project)
    return await gate_of(request).run(lambda: check(read_output(parse_json(body, MOST_BODY)), by, services))


@router.get("", summary="Which outputs were checked, by whom, with which verdict")
def checks(checker: PrincipalDep, services: ServicesDep) -> dict[str, Any]:
    return {"results": recorded(services)}
