"""The register: who may ask, and everything that was released, whatever it says; each release has a page to cite."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.formats import FORMATS
from privacy_api.ports import ProjectKind
from privacy_api.routes.access import ServicesDep
from privacy_api.routes.provenance import mark
from privacy_api.service import browse
from privacy_api.service.reach import is_synthetic
from privacy_api.service.services import Services
from privacy_api.web.asking.measure_words import question_words
from privacy_api.web.pages.answers import labels_for, release_context, rows_of
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import ROWS, Part, paging_of, part_of

router = Pages()


@router.page("/register")
def register(request: Request, services: ServicesDep) -> Response:
    projects = services.projects.projects(ProjectKind.RESEARCH)
    part = part_of(request, sorted(projects, key=lambda p: p.title.casefold()))
    return render(request, "register.html", part=part, granted=granted(services))


@router.page("/register/releases")
def releases(request: Request, services: ServicesDep) -> Response:
    paging = paging_of(request, browse.published(0, 0, services)[1])
    rows, _ = browse.published(paging.first, ROWS, services)
    titles = {each.id: question_words(each.asked, labels_for(each.data_set, services)) for each in rows}
    return render(request, "releases.html", part=Part(rows, paging), titles=titles)


@router.page("/q/{release}")
def release(release: str, request: Request, services: ServicesDep) -> Response:
    found, document = browse.find_release(release, services)
    mark(request, found.synthetic)
    paging = paging_of(request, rows_of(document, services))
    base = f"{request.url.scheme}://{request.url.netloc}"
    return render(request, "q.html", found=found, **release_context(document, base, services, paging))


@router.page("/q/{release}/{format}")
def download(release: str, format: str, request: Request, services: ServicesDep) -> Response:
    """The same as a file, in any format of the API."""
    stored, known = browse.released(release, services), FORMATS.get(format)
    mark(request, is_synthetic(stored.cut, services))
    if known is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    body = known.write(stored.body, request.query_params.get("labels") == "both")
    attached = {"Content-Disposition": f'attachment; filename="{stored.id}.{known.extension}"'}
    return Response(body, media_type=known.media_type, headers=attached)


def granted(services: Services) -> Mapping[str, str]:
    """What a grant is called → words for it."""
    variables = [v for hosted in services.data_sets.values() for v in hosted.data_set.variables]
    return {v.granted_as or v.name: v.label for v in reversed(variables) if v.sensitivity.needs_grant}
