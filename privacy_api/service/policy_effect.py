"""What another policy would do to questions of the past, shown on pupils who do not exist, before it is published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from datasets.answer import Answer, Status
from datasets.query import Groups, Query
from disclosure.policy import Policy, load_policy
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import AuditFilter, Principal, Project
from privacy_api.service.answer_query import check, rehearse
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.policy_versions import find_cut, find_version
from privacy_api.service.services import Services

Reader = Callable[[Any, str], Query]
"""JSON value and data set → question; it is the wire's."""
SAMPLE = 20
LOOKS_AT = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """Of all answered questions together. refused: questions that the policy does not answer; margin: the median half
    width of an interval, None where there is none."""

    numbers: int
    hidden: int
    refused: int
    margin: float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """on: the synthetic cut that the questions were asked of."""

    on: str
    questions: int
    before: Shown
    after: Shown

    @property
    def plain(self) -> str:
        if not self.questions:
            return "No question of this cut was answered yet, so that there is nothing to try the policy on."
        hidden = f"hides {self.after.hidden} of {self.after.numbers} numbers, where {self.before.hidden} were"
        margin = f"the median margin is {_said(self.after.margin)} instead of {_said(self.before.margin)}"
        refused = f"{self.after.refused} of {self.questions} questions are refused instead of {self.before.refused}"
        return f"On synthetic data ({self.on}), the policy {hidden}; {margin}; {refused}."


def effect(cut: str, version: int, read: Reader, services: Services) -> Effect:
    """The last questions of the cut, asked of its synthetic twin under both policies. Nothing is stored or charged."""
    hosted = find_cut(cut, services)
    wanted = load_policy(find_version(cut, version, services).text)
    sample = list(_sample(cut, services))
    data_sets = {name: _twin(name, services) for name in {name for name, _ in sample}}
    on = next((each.cut.id for each in data_sets.values()), "none")
    asked = [(data_sets[name], read(question, data_sets[name].id)) for name, question in sample]
    return Effect(on, len(sample), _shown(asked, hosted.policy, services), _shown(asked, wanted, services))


def _sample(cut: str, services: Services) -> Iterator[tuple[str, Any]]:
    """The last different questions that were answered: id of data set, and the question as JSON."""
    wanted = AuditFilter(kinds=frozenset({"release"}), subject=f"cut:{cut}")
    seen: set[str] = set()
    for each in services.audit.newest(wanted, None, LOOKS_AT):
        stored = services.ledger.release(str(each.facts["release"]))
        if stored is None or stored.is_model or each.facts["query"] in seen or len(seen) == SAMPLE:
            continue
        question = json.loads(each.facts["query"])
        if question.get("groups") != Groups.LISTED:  # which groups there are is another population's affair
            seen.add(each.facts["query"])
            yield json.loads(stored.body)["dataSet"]["id"], question


def _twin(name: str, services: Services) -> HostedDataSet:
    """The data set itself where it is synthetic, else a synthetic one of the same id in another cut."""
    inside = name.partition(".")[2]
    for each in (services.data_sets.get(name), *services.data_sets.values()):
        if each is not None and each.cut.catalogue.synthetic and each.data_set.id == inside:
            return each
    detail = "No synthetic cut with these data sets is hosted here, and a policy is never tried on real pupils."
    raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)


def _shown(asked: list[tuple[HostedDataSet, Query]], policy: Policy, services: Services) -> Shown:
    answers = [_answer(replace(each, cut=replace(each.cut, policy=policy)), query, services) for each, query in asked]
    series = [series for answer in answers if answer is not None for series in answer.series]
    widths = [((each.upper - each.lower) / 2).ravel() for each in series]
    known = [width[np.isfinite(width)] for width in widths]
    margins = np.concatenate(known) if known else np.zeros(0)
    hidden = sum(int((each.status == Status.CONFIDENTIAL).sum()) for each in series)
    return Shown(
        numbers=sum(each.status.size for each in series),
        hidden=hidden,
        refused=sum(answer is None for answer in answers),
        margin=float(np.median(margins)) if margins.size else None,
    )


def _answer(hosted: HostedDataSet, query: Query, services: Services) -> Answer | None:
    """None where the policy refuses it."""
    grants = frozenset(variable.name for variable in hosted.data_set.variables)
    anybody = Principal("rehearsal", Project("rehearsal", "Rehearsal", 0, grants))
    try:
        return rehearse(check(query, hosted, anybody, registered=True), anybody, services)
    except ApiError:
        return None


def _said(margin: float | None) -> str:
    return "not known" if margin is None else f"{margin:.3g}"
