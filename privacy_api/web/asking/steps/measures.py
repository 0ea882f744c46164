"""What is asked of each cell."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request, Response

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.web.asking import items
from privacy_api.web.asking.builder import Draft, draft_of, query_of, step_of
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.measure_form import measure_from, measure_page
from privacy_api.web.asking.measure_words import measure_words
from privacy_api.web.asking.question import Builder, to
from privacy_api.web.pages_base import render


def measures_page(builder: Builder, request: Request) -> Response:
    listed = [(n, measure_words(m, builder.labels)) for n, m in enumerate(builder.draft.measures)]
    return render(
        request,
        "ask/measures.html",
        **builder.frame("measures"),
        listed=listed,
        radios=items.statistic_radios(builder.offer.statistics()),
    )


def measures_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    if (gone := fields.number("remove")) is not None:
        return to(builder.href("measures", builder.draft.without_measure(gone)))
    if fields.get("do") == "add":
        return to(builder.href("measure", statistic=fields.get("statistic") or "count"))
    return to(builder.href("precision" if builder.draft.measures else "measures"))


def measure_page_of(builder: Builder, request: Request) -> Response:
    return measure_page(builder, request)


def measure_changed(builder: Builder, fields: Fields) -> Draft:
    return builder.draft.with_measure(fields.number("place"), measure_from(fields))


def measure_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    """Shown again, with what is wrong, until it can be asked."""
    try:
        draft = draft_of(query_of(measure_changed(builder, fields)))
        problems = replace(builder, draft=draft).known[1]
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        problems = error.problems
    wrong = [p for p in problems if step_of(p.path) == "measures"]
    if wrong:
        return measure_page(builder, request, fields, wrong)
    return to(builder.href("measures", draft))
