"""Answers and charts as files."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.formats import FORMATS
from privacy_api.routes.access import ServicesDep
from privacy_api.web.asking.asker import readable
from privacy_api.web.asking.release_view import charts_of
from privacy_api.web.pages.answers import document_of, labels_for

router = APIRouter(include_in_schema=False)


@router.get("/answers/{release}/download/{format}")
def download(release: str, format: str, request: Request, services: ServicesDep) -> Response:
    known = FORMATS.get(format)
    stored = readable(release, request, services)
    if known is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    name = f"{release}.{known.extension}"
    labels = request.query_params.get("labels") == "both"
    return Response(
        known.write(stored.body, labels),
        media_type=known.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Release-Id": release},
    )


@router.get("/answers/{release}/chart/{number}")
def chart(release: str, number: str, request: Request, services: ServicesDep) -> Response:
    """A chart as a file."""
    document = document_of(readable(release, request, services))
    charts = charts_of(document, labels_for(document["dataSet"]["id"], services))
    place = int(number) - 1 if number.isascii() and number.isdigit() and len(number) < 3 else -1
    if not 0 <= place < len(charts):
        raise ApiError(ErrorCode.NOT_FOUND)
    name = f"{release}-{place + 1}.svg"
    return Response(
        charts[place].svg, media_type="image/svg+xml", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
