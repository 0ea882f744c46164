"""Rows, columns and totals."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request, Response

from privacy_api.web.asking import items, offer, told
from privacy_api.web.asking.builder import Draft
from privacy_api.web.asking.fields import Fields
from privacy_api.web.asking.question import Builder, to
from privacy_api.web.pages_base import render


def rows_page(builder: Builder, request: Request) -> Response:
    by, most = builder.draft.group_by, builder.hosted.cut.policy.max_group_by
    crossed = len(by) > 1
    return render(
        request,
        "ask/rows.html",
        **builder.frame("rows"),
        rows=[*(by[:-1] if crossed else by), *[""] * most][: max(most - 1, 1)],
        columns=by[-1] if crossed else "",
        most=most,
        offered=builder.offer.groupings(),
        totals=items.total_boxes(_totals(builder), builder.draft.totals),
        others=[t for t in builder.draft.totals if ",".join(t) not in dict(_totals(builder))],
    )


def _totals(builder: Builder) -> list[tuple[str, str]]:
    """(value, words) of the totals that are offered for these rows and columns."""
    by = builder.draft.group_by
    if not by:
        return []
    alone = [(name,) for name in by] if len(by) > 1 else []
    banded = [(name,) for each in by for name in offer.coarser(each, builder.hosted.data_set)]
    return [(",".join(total), told.total_words(total, builder.labels)) for total in [(), *alone, *banded]]


def rows_changed(builder: Builder, fields: Fields) -> Draft:
    """Totals stay that the new rows and columns can have."""
    chosen = [fields.get(f"row-{n + 1}") for n in range(8)]
    by = tuple(dict.fromkeys(name for name in [*chosen, fields.get("columns")] if name))
    may = {*by, *(name for each in by for name in offer.coarser(each, builder.hosted.data_set))}
    asked = [tuple(filter(None, value.split(","))) for value in fields.all("totals")]
    kept = tuple(dict.fromkeys(total for total in asked if may.issuperset(total) and (by or not total)))
    return replace(builder.draft, group_by=by, totals=kept if by else ())


def rows_sent(builder: Builder, fields: Fields, request: Request) -> Response:
    return to(builder.href("rows" if fields.get("do") == "update" else "measures", rows_changed(builder, fields)))
