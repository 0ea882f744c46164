"""How the service is doing, for everybody to see: one pure function of the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from privacy_api.ports import Happening
from privacy_api.ports.applications import ApplicationState

DAY_SECONDS = 86_400
MOVED = {
    "application-sent": ApplicationState.SUBMITTED,
    "application-withdrawn": ApplicationState.WITHDRAWN,
    "application-returned": ApplicationState.RETURNED,
}


@dataclass(frozen=True, slots=True)
class Metrics:
    """days_to_decision: of each decided application, from its first sending, sorted; median_days, ninety_days: of these
    (the least number of days that at least that share were decided in). applications: how many are in each state.
    refusals: questions refused, by error code. spent: nano-ρ by cut. median_answer_seconds: from charge to release.
    """

    applications: Mapping[str, int]
    days_to_decision: Sequence[float]
    median_days: float | None
    ninety_days: float | None
    refusals: Mapping[str, int]
    spent: Mapping[str, int]
    charges: int
    releases: int
    failed: int
    median_answer_seconds: float | None


@dataclass(slots=True)
class _Count:
    states: dict[str, str] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    decided: dict[str, float] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    charged: dict[int, datetime] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)


def metrics(happenings: Iterable[Happening]) -> Metrics:
    """happenings: all of both chains, in their order."""
    count = _Count()
    for each in happenings:
        count.kinds[each.kind] += 1
        if each.kind.startswith("application-"):
            _application(count, each)
        elif each.kind == "query-refused":
            count.refusals.update(each.facts["counts"])
        else:
            _ledger(count, each)
    days = sorted(count.decided.values())
    return Metrics(
        applications=dict(Counter(count.states.values())),
        days_to_decision=tuple(days),
        median_days=share(days, 0.5),
        ninety_days=share(days, 0.9),
        refusals=dict(count.refusals),
        spent=dict(count.spent),
        charges=count.kinds["charge"],
        releases=count.kinds["release"],
        failed=count.kinds["failed"],
        median_answer_seconds=share(sorted(count.answers), 0.5),
    )


def share(ordered: Sequence[float], part: float) -> float | None:
    """The least of the numbers that at least `part` of them do not exceed; None of none."""
    return ordered[max(0, -(-len(ordered) * round(part * 100) // 100) - 1)] if ordered else None


def _application(count: _Count, each: Happening) -> None:
    name, at = each.subject, datetime.fromisoformat(each.at)
    if each.kind == "application-sent":
        count.sent.setdefault(name, at)
    if each.kind == "application-decided":
        count.states[name] = each.facts["decision"]
        if name in count.sent:
            count.decided[name] = (at - count.sent[name]).total_seconds() / DAY_SECONDS
    elif each.kind in MOVED:
        count.states[name] = MOVED[each.kind]


def _ledger(count: _Count, each: Happening) -> None:
    if each.kind == "charge":
        count.spent[each.facts["cut"]] += each.facts["nanoRho"]
        count.charged[each.position.ledger] = datetime.fromisoformat(each.at)
    elif each.kind == "release" and each.facts.get("charge") in count.charged:
        taken = datetime.fromisoformat(each.at) - count.charged[each.facts["charge"]]
        count.answers.append(taken.total_seconds())
