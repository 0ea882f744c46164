"""The app refuses to start unless each route has its row, and each row its route."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.routing import Route

from privacy_api.governance.access_table import KEY, PUBLIC, acts
from privacy_api.routes.admission import AccessTableRefused, check_table


def app() -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter(prefix="/v1")

    @router.get("/things/{thing}")
    @router.post("/things/{thing}")
    def thing() -> None: ...

    made.include_router(router)
    return made


BOTH = {("GET", "/v1/things/{thing}"): KEY, ("POST", "/v1/things/{thing}"): KEY}


def test_a_whole_table_will_do() -> None:
    check_table(app().routes, BOTH)


def test_a_new_route_without_a_row_is_refused() -> None:
    with pytest.raises(AccessTableRefused, match=r"without a row.*POST"):
        check_table(app().routes, {("GET", "/v1/things/{thing}"): KEY})


def test_a_row_without_a_route_is_refused() -> None:
    with pytest.raises(AccessTableRefused, match=r"without a route.*/v1/gone"):
        check_table(app().routes, {**BOTH, ("GET", "/v1/gone"): PUBLIC})


def test_a_route_that_would_not_pass_the_admission_must_be_public() -> None:
    made = app()
    made.router.routes.append(Route("/bare", lambda request: Response("")))
    rows = {("GET", "/bare"): PUBLIC, ("HEAD", "/bare"): PUBLIC}
    check_table(made.routes, BOTH | rows)
    with pytest.raises(AccessTableRefused, match="must be public"):
        check_table(made.routes, BOTH | rows | {("GET", "/bare"): KEY})


def test_a_question_in_the_address_acts_although_it_is_read() -> None:
    assert acts("GET", "/v1/data-sets/{data_set}/query")
    assert not acts("GET", "/v1/data-sets/{data_set}/query/preview")
    assert acts("POST", "/anything")
