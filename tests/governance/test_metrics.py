"""The figures of the performance page, beside a recomputation that shares nothing with them."""

from __future__ import annotations

import statistics
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_api.governance.metrics import metrics, share
from privacy_api.ports import Audit, AuditFilter, Happening, Position
from privacy_api.service.performance import Figures

START = datetime(2026, 1, 1, tzinfo=UTC)
APPLICATION = st.sampled_from(["sent", "returned", "decided", "withdrawn", "commented"])
EVENT = st.tuples(st.integers(0, 4), st.one_of(APPLICATION, st.sampled_from(["charge", "answer", "refused"])))


def written(events: list[tuple[int, str]]) -> list[Happening]:
    """Each an hour after the one before. Answers are of the last charge."""
    record: list[Happening] = []
    charges = 0
    for hour, (number, word) in enumerate(events):
        at = (START + timedelta(hours=hour)).isoformat()
        subject, facts, kind, place = f"application:a{number}", {}, f"application-{word}", Position(charges, hour + 1)
        if word == "decided":
            facts = {"decision": "approved" if number % 2 else "refused"}
        elif word == "commented":
            facts = {"comment": "It is being read."}
        elif word == "refused":
            kind, subject, facts = "query-refused", "cut:npd", {"counts": {"invalid-query": number, "frozen": 1}}
        elif word == "charge":
            charges += 1
            kind, facts, place = "charge", {"cut": f"cut{number}", "nanoRho": number + 1}, Position(charges)
        elif word == "answer":
            kind, facts = "release", {"charge": charges, "cut": "x"} if charges else {"cut": "x"}
        record.append(Happening(place, at, kind, "u-x", subject, facts, ""))
    return record


def hours(one: str, other: str) -> float:
    return (datetime.fromisoformat(other) - datetime.fromisoformat(one)).total_seconds() / 3600


@settings(max_examples=200)
@given(st.lists(EVENT, max_size=40))
def test_figures_are_those_of_an_independent_count(events: list[tuple[int, str]]) -> None:
    record = written(events)
    found = metrics(record)
    by_application: dict[str, list[Happening]] = {}
    for each in record:
        if each.kind.startswith("application-"):
            by_application.setdefault(each.subject, []).append(each)
    days: list[float] = []
    states: list[str] = []
    for entries in by_application.values():
        sent = [e.at for e in entries if e.kind == "application-sent"]
        decided = [e for e in entries if e.kind == "application-decided" and sent and e.at > sent[0]]
        if decided:
            days.append(hours(sent[0], decided[-1].at) / 24)
        moves = [e for e in entries if e.kind != "application-commented"]
        words: dict[str, Any] = {
            "application-sent": "submitted", "application-returned": "returned", "application-withdrawn": "withdrawn",
        }  # fmt: skip
        states += [words.get(e.kind) or e.facts["decision"] for e in moves[-1:]]
    assert dict(found.applications) == dict(Counter(states))
    assert list(found.days_to_decision) == sorted(days)
    assert found.median_days == (statistics.median_low(days) if days else None)
    charges = {e.position.ledger: e for e in record if e.kind == "charge"}
    assert found.charges == len(charges)
    assert sum(found.spent.values()) == sum(e.facts["nanoRho"] for e in charges.values())
    assert found.releases == sum(e.kind == "release" for e in record)
    refused = [e.facts["counts"] for e in record if e.kind == "query-refused"]
    assert found.refusals.get("frozen", 0) == len(refused)
    assert found.refusals.get("invalid-query", 0) == sum(c["invalid-query"] for c in refused)
    answers = [
        hours(charges[e.facts["charge"]].at, e.at) for e in record if e.kind == "release" and "charge" in e.facts
    ]
    assert found.median_answer_seconds == (statistics.median_low(answers) * 3600 if answers else None)


def test_ninety_per_cent_is_the_least_number_that_at_least_so_many_do_not_exceed() -> None:
    assert share([], 0.9) is None
    assert share([7.0], 0.9) == 7.0
    assert share([float(n) for n in range(1, 11)], 0.9) == 9.0
    assert share([float(n) for n in range(1, 12)], 0.9) == 10.0
    assert share([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0


class Counting:
    """An audit of which one thing is asked: how often it was read from the beginning."""

    def __init__(self) -> None:
        self.readings = 0

    def happenings(self, wanted: AuditFilter, after: Position | None, most: int) -> list[Happening]:
        self.readings += after is None
        return []


def test_anybody_who_asks_often_has_the_record_read_once_a_minute() -> None:
    audit, clock = Counting(), [0.0]
    figures = Figures(cast("Audit", audit), lambda: clock[0])
    assert [figures.now().charges for _ in range(100)] == [0] * 100
    assert audit.readings == 1
    clock[0] = 61.0
    figures.now()
    assert audit.readings == 2
