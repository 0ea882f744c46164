"""A half-built question with all that its pages show: of which project, about which data set, at which price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from datasets.query import Problem
from disclosure.policy import Mode
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Balance, Principal
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.preview import preview
from privacy_api.service.project_terms import held_to
from privacy_api.service.reach import reach
from privacy_api.service.services import Services
from privacy_api.web.asking import items, offer, prices, told
from privacy_api.web.asking.asker import (
    balances_of,
    principal_of,
    twin_of,
)
from privacy_api.web.asking.builder import STEPS, Draft, draft_from, field_of, query_of, step_of, text_of
from privacy_api.web.asking.measure_words import Labels
from privacy_api.wire.query_in import read_query

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

    @property
    def is_official(self) -> bool:
        """Answers have no noise, and so no price."""
        return self.hosted.cut.policy.mode is Mode.OFFICIAL

    @cached_property
    def offer(self) -> offer.Offer:
        scope = (self.principal.project.scope or {}).get(self.hosted.id)
        return offer.Offer(self.hosted.data_set, self.principal.project.grants, self.is_official, scope)

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
    found = {name: words[:1].upper() + words[1:] for name, words in {**frame["problems"], **more}.items()}
    listed = [{"text": words, "href": f"#{name}"} for name, words in found.items()]
    error = lambda name: {"text": found[name]} if name in found else None  # noqa: E731
    return frame | {"problems": found, "problem_list": listed, "error": error}


def builder_of(project: str, data_set: str, request: Request, services: Services) -> Builder:
    """404 where the project is not one's own, or the data set does not exist for it."""
    principal = principal_of(request, project, services)
    hosted = held_to(reach(data_set, principal, services), principal.project)
    draft = draft_from(request.query_params.get("q", "")).named(hosted.data_set.levels)
    return Builder(hosted, principal, services, draft)


def to(address: str) -> Response:
    return RedirectResponse(address, 303)
