"""The query builder: data set → who → rows and columns → measures → precision and price → check → run.

The question is in the address of each step (`q`, see web/builder.py). A form that is sent changes it and leads on; only
the last one asks, and is charged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from datasets.query import Problem
from disclosure.policy import Mode
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Balance, Principal
from privacy_api.routes.access import ServicesDep, gate_of
from privacy_api.service.answer_query import answer_query
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.preview import preview
from privacy_api.service.saved_queries import save
from privacy_api.service.services import Services
from privacy_api.web import items, offer, prices, told
from privacy_api.web.asker import (
    account_of,
    asking,
    balances_of,
    data_set_of,
    data_sets_of,
    principal_of,
    projects_of,
    scope_of,
    suspended,
    twin_of,
)
from privacy_api.web.builder import STEPS, Draft, draft_from, draft_of, field_of, query_of, step_of, text_of
from privacy_api.web.fields import Fields, fields_of
from privacy_api.web.measure_form import measure_from, measure_page
from privacy_api.web.measure_words import Labels, measure_words
from privacy_api.web.pages_base import Pages, render
from privacy_api.web.words import rho_words
from privacy_api.wire.json_in import parse_json
from privacy_api.wire.query_in import read_query

router = Pages()
PATH = "/ask/{project}/{data_set}"
TITLES = {
    "who": "Who is it about?",
    "rows": "Rows and columns",
    "measures": "What do you want to know about them?",
    "precision": "Precision and price",
    "check": "Check your question",
}
SHORT = {"who": "Who", "rows": "Rows and columns", "measures": "Measures", "precision": "Precision", "check": "Check"}
COUNT = {"statistic": "count"}


@dataclass(frozen=True)
class Builder:
    """One half-built question, of one project, about one data set, with all that its pages show."""

    hosted: HostedDataSet
    principal: Principal
    services: Services
    draft: Draft

    @property
    def base(self) -> str:
        return f"/ask/{quote(self.principal.project.id, safe='')}/{quote(self.hosted.id, safe='')}"

    def href(self, step: str, draft: Draft | None = None, **more: str) -> str:
        """The address of a step with this question, or another."""
        text = text_of(self.draft if draft is None else draft)
        query = {**({} if text == "{}" else {"q": text}), **more}
        return f"{self.base}/{step}" + (f"?{urlencode(query)}" if query else "")

    def with_problems(self, step: str, more: Mapping[str, str]) -> dict[str, Any]:
        return with_problems(self.frame(step), more)

    @cached_property
    def offer(self) -> offer.Offer:
        official = self.hosted.cut.policy.mode is Mode.OFFICIAL
        scope = scope_of(self.principal, self.hosted)
        return offer.Offer(self.hosted.data_set, self.principal.project.grants, official, scope)

    @cached_property
    def labels(self) -> Labels:
        return Labels(self.hosted.data_set)

    def preview(self, draft: Draft) -> dict[str, Any]:
        """Raises ApiError as asking would. Without measures the cells of a count are looked at."""
        query = query_of(draft if draft.measures else replace(draft, measures=(COUNT,)))
        return preview(read_query(query, self.hosted.id), self.principal, self.services)

    @cached_property
    def known(self) -> tuple[dict[str, Any] | None, Sequence[Problem]]:
        """The preview, or what is wrong."""
        try:
            return self.preview(self.draft), ()
        except ApiError as error:
            if error.code is not ErrorCode.INVALID_QUERY:
                raise
            return None, error.problems

    @cached_property
    def balances(self) -> dict[str, Balance]:
        return balances_of(self.principal, self.hosted, self.services)

    @property
    def left(self) -> int:
        return prices.least_left(list(self.balances.values()))

    def frame(self, step: str) -> dict[str, Any]:
        """What every step shows: where we are, what was said so far, problems at their fields, cells and price."""
        found, problems = self.known
        here = {field_of(p.path): p.message for p in reversed(problems) if step in (step_of(p.path), "check")}
        told_so_far = told.summary(self.draft, self.offer.by_reference(), self.labels)
        made = {
            "builder": self,
            "step": step,
            "title": TITLES[step],
            "steps": [(name, SHORT[name], self.href(name)) for name in STEPS],
            "so_far": told_so_far,
            "preview": found,
            "problems": here,
            "elsewhere": [p for p in problems if step not in (step_of(p.path), "check")],
            "has_price": bool(self.draft.measures),
            "twin": twin_of(self.hosted, self.principal, self.services),
            "q": urlencode({"q": text_of(self.draft)}) if self.draft != Draft() else "",
            "mended": step_of,
            "boxes": items.boxes,
            "choices": items.choices,
        }
        return with_problems(made, {})


def with_problems(frame: dict[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
    """The frame with what is wrong with what was just sent. more: field → words."""
    found = {**frame["problems"], **more}
    listed = [{"text": words, "href": f"#{name}"} for name, words in found.items()]
    error = lambda name: {"text": found[name]} if name in found else None  # noqa: E731
    return frame | {"problems": found, "problem_list": listed, "error": error}


def builder_of(project: str, data_set: str, request: Request, services: Services) -> Builder:
    """404 where the project is not one's own, or the data set does not exist for it."""
    principal = principal_of(request, project, services)
    hosted = data_set_of(principal, data_set, services)
    return Builder(hosted, principal, services, draft_from(request.query_params.get("q", "")))


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


def to(address: str) -> Response:
    return RedirectResponse(address, 303)


# Who


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


# Rows and columns


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


# Measures


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


# Precision and price


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


# Check, ask, keep


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
    found.append(("Price", _price_words(builder, frame["preview"]), builder.href("precision")))
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
    words = [rho_words(found["price"]["nanoRho"])]
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


PAGES: Mapping[str, Callable[[Builder, Request], Response]] = {
    "who": who_page,
    "condition": condition_page,
    "rows": rows_page,
    "measures": measures_page,
    "measure": measure_page_of,
    "precision": precision_page,
    "check": check_page,
}
FORMS: Mapping[str, Callable[[Builder, Fields, Request], Response]] = {
    "who": who_sent,
    "condition": condition_sent,
    "rows": rows_sent,
    "measures": measures_sent,
    "measure": measure_sent,
    "precision": precision_sent,
    "check": check_sent,
}
CHANGES: Mapping[str, Callable[[Builder, Fields], Draft]] = {
    "who": who_changed,
    "condition": condition_changed,
    "rows": rows_changed,
    "precision": precision_changed,
}
