"""The query builder: data set → who → rows and columns → measures → precision and price → check → run.

The question is in the address of each step (`q`, see web/asking/builder.py). A form that is sent changes it and leads
on; only the last one asks, and is charged.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.routes.access import ServicesDep, gate_of
from privacy_api.web.asking.asker import (
    asking,
    data_sets_of,
    principal_of,
    projects_of,
    suspended,
)
from privacy_api.web.asking.builder import draft_from, draft_of, query_of
from privacy_api.web.asking.fields import Fields, fields_of
from privacy_api.web.asking.question import TITLES, Builder, builder_of
from privacy_api.web.asking.steps import CHANGES, FORMS, PAGES
from privacy_api.web.pages_base import Pages, render

router = Pages()
PATH = "/ask/{project}/{data_set}"


@router.page("/ask")
def choose(request: Request, services: ServicesDep) -> Response:
    """Where a question begins: for which project, about which data set."""
    text = request.query_params.get("q", "")
    draft_from(text)
    rows = [
        (project, data_sets_of(principal_of(request, project.id, services), services))
        for project in projects_of(request, services)
        if not suspended(project, services)
    ]
    return render(request, "ask/choose.html", choices=rows, q=urlencode({"q": text}) if text else "")


@router.page(PATH + "/{step}")
async def show(project: str, data_set: str, step: str, request: Request, services: ServicesDep) -> Response:
    if step not in PAGES:
        raise ApiError(ErrorCode.NOT_FOUND)
    return await gate_of(request).run(lambda: PAGES[step](builder_of(project, data_set, request, services), request))


@router.post(PATH + "/{step}")
async def send(project: str, data_set: str, step: str, request: Request, services: ServicesDep) -> Response:
    if step not in FORMS:
        raise ApiError(ErrorCode.NOT_FOUND)
    fields = await fields_of(request)

    def work() -> Response:
        builder = builder_of(project, data_set, request, services)
        if fields.get("estimate"):
            return so_far(step, builder, fields, request)
        return FORMS[step](builder, fields, request)

    return await asking(request, work)


def so_far(step: str, builder: Builder, fields: Fields, request: Request) -> Response:
    """The box beside the form, as it would be if the form were sent: a script asks for it while people choose."""
    if step not in CHANGES:
        raise ApiError(ErrorCode.NOT_FOUND)
    changed = replace(builder, draft=draft_of(query_of(CHANGES[step](builder, fields))))
    return render(request, "ask/so-far.html", **changed.frame(step if step in TITLES else "who"))
