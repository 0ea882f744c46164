"""Prices side by side, and what each would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request, Response

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.web.asking import items, prices
from privacy_api.web.asking.builder import Draft, draft_of, field_of, query_of, step_of
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.measure_words import measure_words
from privacy_api.web.asking.question import Builder, to, with_problems
from privacy_api.web.pages_base import render


def precision_page(builder: Builder, request: Request, wrong: Sequence[Problem] = ()) -> Response:
    """wrong: with what was just sent, while the question stands as it was."""
    if not builder.draft.measures:
        return to(builder.href("measures"))
    found, policy = builder.known[0], builder.hosted.cut.policy
    options = prices.options(builder.draft, found, policy, builder.left, builder.preview) if found else []
    frame = with_problems(builder.frame("precision"), {field_of(p.path): p.message for p in wrong})
    return render(
        request,
        "ask/precision.html",
        422 if wrong else 200,
        **frame,
        margin=items.margin,
        options=options,
        balances=builder.balances,
        left=builder.left,
        policy=policy,
        names=[measure_words(measure, builder.labels) for measure in builder.draft.measures],
        unbiased=(builder.draft.rest or {}).get("display") == "unbiased",
    )


def precision_changed(builder: Builder, fields: Fields) -> Draft:
    chosen = fields.get("price")
    draft = builder.draft.with_rest(display="unbiased" if fields.get("display") == "unbiased" else None)
    if chosen == "default":
        return prices.with_price(draft, None)
    if chosen.startswith("rho:"):
        return prices.with_price(draft, None).with_rest(rho=chosen.removeprefix("rho:"))
    if chosen == "own":
        return prices.with_price(draft, None).with_rest(rho=fields.get("rho") or "0")
    if chosen == "margin" and draft.measures:
        return _with_margin(prices.with_price(draft, None), fields)
    return draft


def _with_margin(draft: Draft, fields: Fields) -> Draft:
    """Of the first measure; the others cost what they cost."""
    margin, at = fields.decimal("margin"), fields.decimal("at")
    precision = {"margin": 0 if margin is None else margin, **({} if at is None else {"at": int(at)})}
    return draft.with_measure(0, {**draft.measures[0], "precision": precision})


def precision_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    if not builder.draft.measures:
        return to(builder.href("measures"))
    try:
        draft = draft_of(query_of(precision_changed(builder, fields)))
    except ApiError as error:
        if error.code is not ErrorCode.INVALID_QUERY:
            raise
        return precision_page(builder, request, error.problems)
    wrong = [p for p in replace(builder, draft=draft).known[1] if step_of(p.path) == "precision"]
    return precision_page(builder, request, wrong) if wrong else to(builder.href("check", draft))
