"""The data catalogue: what there is to ask about, for everybody."""

from __future__ import annotations

from fastapi import Request, Response

from datasets.npd.pages import row_of
from datasets.npd.words import rule
from privacy_api.routes.access import ServicesDep
from privacy_api.service import browse
from privacy_api.service.answer_query import find_data_set
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import part_of

router = Pages()


@router.page("/catalogue")
def catalogue(request: Request, services: ServicesDep) -> Response:
    """With `q` the variables that fit it, without it the data sets."""
    words = request.query_params.get("q", "").strip()[: browse.LONGEST]
    part = part_of(request, browse.find(words, services))
    return render(request, "catalogue.html", words=words, part=part, cuts=browse.hosted_cuts(services))


@router.page("/catalogue/{data_set}")
def data_set(data_set: str, request: Request, services: ServicesDep) -> Response:
    hosted = find_data_set(data_set, services)
    return render(
        request,
        "data_set.html",
        hosted=hosted,
        part=part_of(request, hosted.data_set.variables, 100),
        row_of=row_of(hosted.data_set) or "row of the file",
        released=", ".join(f"{stage} ({month})" for stage, month in hosted.data_set.releases),
    )


@router.page("/catalogue/{data_set}/{variable}")
def variable(data_set: str, variable: str, request: Request, services: ServicesDep) -> Response:
    hit = browse.find_variable(data_set, variable, services)
    return render(
        request,
        "variable.html",
        hosted=hit.hosted,
        v=hit.variable,
        part=part_of(request, hit.variable.atoms),
        names=browse.names_of(hit, services),
        origin=browse.origin(hit, services),
        linked_as=browse.linked_as(hit, services),
        rules=rule(hit.variable, hit.hosted.data_set.by_name),
    )
