"""Answers: a release as a page, its downloads and charts; what one's projects had answered; saved questions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from datasets.catalogue import DataSet
from privacy_api.formats import FORMATS
from privacy_api.ports import SavedQuery, StoredRelease
from privacy_api.routes.access import ServicesDep
from privacy_api.service import saved_queries
from privacy_api.service.answer_query import answer_query
from privacy_api.service.cuts import SANDBOX
from privacy_api.service.identity import ON_PAGES
from privacy_api.service.services import Services
from privacy_api.web.asking import offer, told
from privacy_api.web.asking.asker import account_of, asking, principal_of, projects_of, readable
from privacy_api.web.asking.builder import draft_of, text_of
from privacy_api.web.asking.fields import fields_of
from privacy_api.web.asking.measure_words import Labels, question_words
from privacy_api.web.asking.release_view import bibtex_of, charts_of, headline, protection_of, title_of
from privacy_api.web.asking.sheet import columns_of, heads_of, sheet_of
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.paging import Paging, paging_of, part_of
from privacy_api.web.snippets import snippets
from privacy_api.wire.query_in import read_query

router = Pages()
LAST = 500
"""Charges of a project that its pages go back over."""


def release_context(document: Mapping[str, Any], base: str, services: Services, paging: Paging) -> dict[str, Any]:
    """All that release.html shows of a release; base: scheme and host. For whoever may see it."""
    hosted = services.data_sets.get(document["dataSet"]["id"])
    labels = Labels(hosted.data_set if hosted else None)
    sheet = sheet_of(document, labels)
    return {
        "release": document,
        "title": title_of(document, labels),
        "lead": headline(document, labels),
        "sheet": sheet,
        "lines": sheet.lines[paging.first : paging.first + paging.size],
        "paging": paging,
        "charts": charts_of(document, labels),
        "protection": protection_of(document),
        "population": _population(document, hosted.data_set if hosted else None),
        "snippets": snippets(base, document["dataSet"]["id"], document["query"]),
        "bibtex": bibtex_of(document, labels, f"{base}/q/{document['id']}"),
        "address": f"{base}/q/{document['id']}",
        "formats": [(f.name, f.title) for f in FORMATS.values()],
    }


def rows_of(document: Mapping[str, Any], services: Services) -> int:
    """Lines of its table."""
    hosted = services.data_sets.get(document["dataSet"]["id"])
    return len(sheet_of(document, Labels(hosted.data_set if hosted else None)).lines)


def _population(document: Mapping[str, Any], data_set: DataSet | None) -> list[str]:
    """In the words of the builder."""
    if data_set is None:
        return []
    everything = offer.Offer(data_set, [v.granted_as or v.name for v in data_set.variables], False)
    draft = draft_of(dict(document["query"]))
    return told.summary(draft, everything.by_reference(), Labels(data_set))["who"]


def document_of(stored: StoredRelease) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored.body)
    return found


@router.page("/answers/{release}")
def answer(release: str, request: Request, services: ServicesDep) -> Response:
    """For whoever is signed in: releases are a commons."""
    document = document_of(readable(release, request, services))
    labels = labels_for(document["dataSet"]["id"], services)
    paging = paging_of(request, len(sheet_of(document, labels).lines))
    base = f"{request.url.scheme}://{request.url.netloc}"
    context = release_context(document, base, services, paging)
    mine = request.query_params.get("project", "")
    return render(request, "answer.html", **context, **_of_project(mine, document, request, services))


def _of_project(mine: str, document: Mapping[str, Any], request: Request, services: Services) -> dict[str, Any]:
    """What the asker's project paid, and where the question can be changed."""
    known = {project.id for project in projects_of(request, services)}
    project = mine if mine in known else next(iter(sorted(known)), "")
    q = urlencode({"q": text_of(draft_of(dict(document["query"])))})
    data_set = document["dataSet"]["id"]
    change = f"/ask/{quote(project, safe='')}/{quote(data_set, safe='')}/check?{q}" if project else ""
    paid = (
        [s for s in services.ledger.spending(LAST, project=project) if s.release == document["id"]] if project else []
    )
    return {"change": change, "paid": paid[0] if paid else None}


@router.page("/my/releases")
def releases(request: Request, services: ServicesDep) -> Response:
    """What one's projects had answered, newest first."""
    rows = [
        (project, spent, question_words(json.loads(spent.query), _labels_in(spent.cut, spent.query, services)))
        for project in projects_of(request, services)
        for spent in services.ledger.spending(LAST, project=project.id)
    ]
    rows.sort(key=lambda row: row[1].at, reverse=True)
    mine = f"{ON_PAGES}{account_of(request).id}"
    return render(request, "my-releases.html", part=part_of(request, rows), mine=mine)


def _labels_in(cut: str, query: str, services: Services) -> Labels:
    """Of a data set of the cut that the question could be about: the ledger's record of it names none."""
    value, name = json.loads(query), cut.partition(SANDBOX)[0]
    of = [Labels(h.data_set) for h in services.data_sets.values() if h.cut.catalogue.cut == name]
    return next((labels for labels in of if labels.know(value)), Labels(None))


def labels_for(data_set: str, services: Services) -> Labels:
    hosted = services.data_sets.get(data_set)
    return Labels(hosted.data_set if hosted else None)


@router.page("/my/queries")
def queries(request: Request, services: ServicesDep) -> Response:
    account = account_of(request)
    rows = [
        (
            project,
            saved,
            _title_of(saved, services),
            question_words(json.loads(saved.query), labels_for(saved.data_set, services)),
            _href(saved),
            _is_old(saved, services),
        )
        for project in projects_of(request, services)
        for saved in services.saved_queries.of(project.id, account.id)
    ]
    return render(request, "my-queries.html", rows=rows, account_id=account.id)


def _title_of(saved: SavedQuery, services: Services) -> str:
    hosted = services.data_sets.get(saved.data_set)
    return hosted.data_set.title if hosted else saved.data_set


def _href(saved: SavedQuery) -> str:
    q = urlencode({"q": text_of(draft_of(json.loads(saved.query)))})
    return f"/ask/{quote(saved.project, safe='')}/{quote(saved.data_set, safe='')}/check?{q}"


def _is_old(saved: SavedQuery, services: Services) -> bool:
    """Whether its last answer is of another version than the data set has now."""
    hosted = services.data_sets.get(saved.data_set)
    if hosted is None or saved.release is None:
        return False
    stored = services.ledger.release(saved.release)
    return stored is not None and document_of(stored)["dataSet"]["version"] != hosted.cut.version


@router.post("/my/queries")
async def act(request: Request, services: ServicesDep) -> Response:
    """Ask again, share, stop sharing, or forget."""
    fields = await fields_of(request)
    return await asking(request, lambda: _act(fields.get("saved"), fields.get("do"), request, services))


def _act(id: str, do: str, request: Request, services: Services) -> Response:
    account, projects = account_of(request).id, [p.id for p in projects_of(request, services)]
    if do == "ask":
        return _ask_again(saved_queries.seen(id, account, projects, services), request, services)
    found = saved_queries.own(id, account, projects, services)
    if do == "forget":
        services.saved_queries.delete(found.id)
    elif do in ("share", "keep"):
        services.saved_queries.share(found.id, do == "share")
    return RedirectResponse("/my/queries", 303)


def _ask_again(saved: SavedQuery, request: Request, services: Services) -> Response:
    """Charged as any question; where the answer before was of another version, both are shown side by side."""
    principal = principal_of(request, saved.project, services)
    answered = answer_query(read_query(json.loads(saved.query), saved.data_set), principal, services)
    services.saved_queries.answered(saved.id, answered.release)
    where = f"/answers/{answered.release}"
    if saved.release not in (None, answered.release):
        return RedirectResponse(f"{where}/since/{saved.release}", 303)
    return RedirectResponse(f"{where}?{urlencode({'project': saved.project})}", 303)


@router.page("/answers/{release}/since/{earlier}")
def since(release: str, earlier: str, request: Request, services: ServicesDep) -> Response:
    """Two answers to one question, number by number."""
    now, before = (document_of(readable(id, request, services)) for id in (release, earlier))
    changes = saved_queries.changes(before, now)
    part = part_of(request, changes)
    beyond = sum(change.is_beyond for change in changes)
    labels = labels_for(now["dataSet"]["id"], services)
    return render(
        request, "since.html", now=now, before=before, part=part, beyond=beyond, total=len(changes),
        columns=columns_of(now, labels), heads=heads_of(now, labels),
    )  # fmt: skip
