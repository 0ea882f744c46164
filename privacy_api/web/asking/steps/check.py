"""The question in words; asking it, saving it, writing it by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from markupsafe import Markup

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.service.answer_query import answer_query
from privacy_api.service.saved_queries import save
from privacy_api.web.asking import items
from privacy_api.web.asking.asker import (
    account_of,
)
from privacy_api.web.asking.builder import draft_of, query_of
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.measure_words import measure_words
from privacy_api.web.asking.question import SHORT, Builder, to, with_problems
from privacy_api.web.pages_base import render
from privacy_api.web.words import rho_words
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.query_in import read_query


def check_page(builder: Builder, request: Request, wrong: Sequence[Problem] = (), raw: str = "") -> Response:
    shown = {p.path if p.path in ("name",) else "query": p.message for p in wrong}
    frame = with_problems(builder.frame("check"), shown)
    return render(
        request,
        "ask/check.html",
        422 if wrong else 200,
        **frame,
        check_rows=_check_rows(builder, frame),
        left=builder.left,
        balances=builder.balances,
        raw=raw or json.dumps(query_of(builder.draft), indent=2, ensure_ascii=False),
    )


def _check_rows(builder: Builder, frame: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a summary list, each with its way back."""
    found = [("Data", [f"{builder.hosted.data_set.title}, version {builder.hosted.cut.version}"], f"/ask?{frame['q']}")]
    found += [(SHORT[step], words, builder.href(step)) for step, words in frame["so_far"].items()]
    found.append(
        (
            "Precision" if builder.is_official else "Price",
            _price_words(builder, frame["preview"]),
            builder.href("precision"),
        )
    )
    return [
        {
            "key": {"text": key},
            "value": {"html": Markup("<br>").join(words)},
            "actions": {"items": [{"href": href, "text": "Change", "visuallyHiddenText": key.lower()}]},
        }
        for key, words, href in found
    ]


def _price_words(builder: Builder, found: Mapping[str, Any] | None) -> list[str]:
    if found is None or not builder.draft.measures:
        return ["Not known yet"]
    words = [] if builder.is_official else [rho_words(found["price"]["nanoRho"])]
    for raw, measure in zip(builder.draft.measures, found["measures"], strict=True):
        name = measure_words(raw, builder.labels)
        if "margin" in measure:
            words.append(f"{name}: {items.margin(measure['margin'])}")
        else:
            words.append(f"{name}: {items.margin(measure['marginAt']['1000'])} in a cell of 1,000 rows")
    return words


def check_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    match fields.get("do"):
        case "json":
            return _rewritten(builder, fields.get("query"), request)
        case "save":
            return _save(builder, fields, request)
        case _:
            return _ask(builder, request)


def _rewritten(builder: Builder, text: str, request: Request) -> Response:
    """The question as somebody wrote it, in the form that the API takes."""
    try:
        return to(builder.href("check", draft_of(parse_json(text.encode()))))
    except ApiError as error:
        if error.code not in (ErrorCode.INVALID_QUERY, ErrorCode.INVALID_REQUEST):
            raise
        return check_page(builder, request, error.problems, text)


def _save(builder: Builder, fields: Fields, request: Request) -> Response:
    try:
        query = query_of(builder.draft)
        account, name, shared = account_of(request).id, fields.get("name"), bool(fields.get("shared"))
        save(builder.principal, account, builder.hosted.id, query, name, shared, builder.services)
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        return check_page(builder, request, error.problems)
    return to("/my/queries")


def _ask(builder: Builder, request: Request) -> Response:
    if not builder.draft.measures or builder.known[1]:
        return check_page(builder, request)
    query = read_query(query_of(builder.draft), builder.hosted.id)
    answered = answer_query(query, builder.principal, builder.services)
    return to(f"/answers/{answered.release}?{urlencode({'project': builder.principal.project.id})}")
