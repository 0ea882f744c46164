"""Who a question is about: time periods and conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request, Response

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.web.asking import offer, told
from privacy_api.web.asking.builder import Draft, draft_of, query_of
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.question import Builder, to, with_problems
from privacy_api.web.pages_base import render


def who_page(builder: Builder, request: Request) -> Response:
    offered = builder.offer.groupings()
    return render(
        request,
        "ask/who.html",
        **builder.frame("who"),
        time=next((each for each in offered if each.is_time), None),
        conditions=[
            (c, told.condition_words(c, builder.offer.by_reference(), builder.labels))
            for c in builder.draft.who
            if not _is_time(c.reference, builder)
        ],
        more=[told.more_words(each, builder.labels) for each in builder.draft.more],
        offered=[each for each in offered if not each.is_time],
    )


def _is_time(reference: str, builder: Builder) -> bool:
    return any(each.is_time and each.reference == reference for each in builder.offer.groupings())


def who_changed(builder: Builder, fields: Fields) -> Draft:
    draft = builder.draft
    for each in builder.offer.groupings():
        if each.is_time:
            known = {code.code for code in each.codes}
            draft = draft.with_choice(each.reference, [code for code in fields.all("time") if code in known])
    if (gone := fields.number("remove")) is not None:
        draft = replace(draft, more=draft.more[:gone] + draft.more[gone + 1 :])
    return draft.with_choice(dropped, []) if (dropped := fields.get("drop")) else draft


def who_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    draft = who_changed(builder, fields)
    reference = fields.get("reference")
    if fields.get("do") == "add" and reference in builder.offer.by_reference():
        return to(builder.href("condition", draft, reference=reference))
    stays = fields.get("do") == "add" or fields.get("remove") or fields.get("drop")
    return to(builder.href("who" if stays else "rows", draft))


def condition_page(builder: Builder, request: Request, wrong: Sequence[Problem] = ()) -> Response:
    reference, find = request.query_params.get("reference", ""), request.query_params.get("find", "").strip()
    found = builder.offer.by_reference().get(reference)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    chosen = builder.draft.codes(reference)
    frame = with_problems(builder.frame("who"), {"code": wrong[0].message} if wrong else {})
    shown = [c for c in found.codes if find.lower() in f"{c.code} {c.label}".lower()]
    return render(
        request,
        "ask/condition.html",
        422 if wrong else 200,
        **frame,
        of=found,
        find=find,
        chosen=chosen,
        shown=shown[: offer.MOST_SHOWN],
        matching=len(shown),
        kept=[c for c in found.codes if c.code in chosen and c not in shown[: offer.MOST_SHOWN]],
        kept_query=kept_query(request, "find"),
    )


def kept_query(request: Request, *changed: str) -> list[tuple[str, str]]:
    """For hidden fields of a form that gets: the rest of the address."""
    return [(name, value) for name, value in request.query_params.multi_items() if name not in changed]


def condition_changed(builder: Builder, fields: Fields) -> Draft:
    return builder.draft.with_choice(fields.get("reference"), fields.all("code"))


def condition_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    if fields.get("reference") not in builder.offer.by_reference():
        raise ApiError(ErrorCode.NOT_FOUND)
    try:
        return to(builder.href("who", draft_of(query_of(condition_changed(builder, fields)))))
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        return condition_page(builder, request, error.problems)
