"""Every detector finds what it is for, and leaves ordinary work alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from privacy_api.governance.near_questions import nearly_same
from privacy_api.governance.watch import DETECTORS, flags
from privacy_api.ports import Happening, Position

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Record:
    """A record being written, one entry after the other."""

    def __init__(self) -> None:
        self.entries: list[Happening] = []

    def note(self, kind: str, at: datetime, actor: str = "k1", subject: str = "x:y", **facts: Any) -> None:
        place = Position(0, len(self.entries) + 1)
        self.entries.append(Happening(place, at.isoformat(), kind, actor, subject, facts, "0" * 64))

    def charge(
        self, at: datetime, query: Any = None, actor: str = "k1", project: str = "exeter", rho: int = 10
    ) -> None:
        asked = json.dumps({"measures": [{"statistic": "count"}], **(query or {"n": len(self.entries)})})
        self.note("charge", at, actor, "release:r", project=project, query=asked, nanoRho=rho, cut="npd")


def schools(*codes: str) -> dict[str, Any]:
    return {"criteria": {"filters": {"school": {"in": list(codes)}}}}


ALL = [f"s{n}" for n in range(9)]


def differencing(record: Record) -> None:
    for n in range(4):
        record.charge(MONDAY + timedelta(minutes=n), schools(*ALL[: 5 + n]), actor=f"k{n}")


def ordinary_comparison(record: Record) -> None:
    """Everybody, then by sex, then single places: no two populations are one code apart."""
    record.charge(MONDAY, {"criteria": None})
    for code in ("F", "M"):
        record.charge(MONDAY, {"criteria": {"filters": {"sex": {"eq": code}}}})
    for code in ALL:
        record.charge(MONDAY, {"criteria": {"filters": {"la": {"eq": code}}}})
    for n in range(4):
        record.charge(MONDAY + timedelta(days=2 * n), schools(*ALL[: 5 + n]))


def scraping(record: Record) -> None:
    for n in range(120):
        record.charge(MONDAY + timedelta(seconds=20 * n))


def a_busy_week(record: Record) -> None:
    for n in range(300):
        record.charge(MONDAY + timedelta(hours=24 * (n // 60), minutes=5 * (n % 60)), actor=f"k{n % 3}")


def refusals(record: Record) -> None:
    for n in range(3):
        record.note("query-refused", MONDAY + timedelta(minutes=n), counts={"invalid-query": 30})


def a_few_refusals(record: Record) -> None:
    for n in range(60):
        record.note("query-refused", MONDAY + timedelta(hours=n), counts={"invalid-query": 20})


def at_night(record: Record) -> None:
    for n in range(30):
        record.charge(MONDAY + timedelta(days=n % 10, minutes=n), actor="k1")
    for n in range(12):
        record.charge(MONDAY.replace(day=20, hour=2) + timedelta(minutes=n), actor="k1")


def always_at_night(record: Record) -> None:
    """A job that runs each night asks at no unusual hour."""
    for n in range(60):
        record.charge(MONDAY.replace(hour=2) + timedelta(days=n // 12, minutes=n % 12))


def many_keys(record: Record) -> None:
    for n in range(4):
        record.note("key-created", MONDAY, "u-ann", f"key:k{n}", person="ann", project="exeter")


def keys_one_after_the_other(record: Record) -> None:
    for n in range(6):
        record.note("key-created", MONDAY + timedelta(days=n), "u-ann", f"key:k{n}", person="ann", project="exeter")
        record.note("key-revoked", MONDAY + timedelta(days=n, hours=9), "u-ann", f"key:k{n}")
        record.note("key-created", MONDAY + timedelta(days=n), "u-bob", f"key:b{n}", project="exeter")


def fast_spending(record: Record) -> None:
    for n in range(6):
        record.charge(MONDAY + timedelta(days=n), rho=10)
    record.charge(MONDAY + timedelta(days=7), rho=500)


def steady_spending(record: Record) -> None:
    for n in range(20):
        record.charge(MONDAY + timedelta(days=n), rho=10 + n)
    record.charge(MONDAY, project="leeds", rho=10_000)  # the first day of a project is like no other


def refused_sign_ins(record: Record) -> None:
    for n in range(4):
        record.note("sign-in-refused", MONDAY + timedelta(minutes=n), "nobody", "sign-in", counts={"wrong-state": 3})


def a_forgotten_password(record: Record) -> None:
    for n in range(5):
        record.note("sign-in-refused", MONDAY + timedelta(days=n), "nobody", "sign-in", counts={"wrong-state": 4})
        record.note("sign-in", MONDAY + timedelta(days=n), "u-ann", "account:u-ann")


def touched(record: Record) -> None:
    record.note("fence-restored", MONDAY, "service", "audit", what="ledger_no_delete")


def untouched(record: Record) -> None:
    record.note("record-exported", MONDAY, "u-audrey", "audit", way="csv")


CASES: dict[str, tuple[Callable[[Record], None], Callable[[Record], None]]] = {
    "differencing": (differencing, ordinary_comparison),
    "scraping": (scraping, a_busy_week),
    "refusals": (refusals, a_few_refusals),
    "unusual-hours": (at_night, always_at_night),
    "many-keys": (many_keys, keys_one_after_the_other),
    "fast-spending": (fast_spending, steady_spending),
    "refused-sign-ins": (refused_sign_ins, a_forgotten_password),
    "record-touched": (touched, untouched),
}


def raised(happens: Callable[[Record], None]) -> Sequence[str]:
    record = Record()
    happens(record)
    return [flag.detector for flag in flags(sorted(record.entries, key=lambda each: each.at))]


@pytest.mark.parametrize("detector", [each.name for each in DETECTORS])
def test_each_detector_finds_its_case_and_leaves_ordinary_work_alone(detector: str) -> None:
    found, left_alone = CASES[detector]
    assert raised(found) == [detector]
    assert raised(left_alone) == []


def test_a_flag_keeps_its_id_while_its_evidence_grows() -> None:
    record = Record()
    refusals(record)
    (before,) = flags(record.entries)
    record.note("query-refused", MONDAY + timedelta(minutes=9), counts={"invalid-query": 30})
    (after,) = flags(record.entries)
    assert (before.id, before.subject) == (after.id, after.subject) == (before.id, "key:k1")
    assert before.plain != after.plain
    assert after.evidence == tuple(each.position for each in record.entries)


def question(criteria: Any, **more: Any) -> str:
    return json.dumps({"measures": [{"statistic": "count"}], "criteria": criteria, **more})


def within(*codes: str, operator: str = "in") -> dict[str, Any]:
    return {"filters": {"school": {operator: list(codes)}}}


GIRLS = {"filters": {"sex": {"eq": "F"}}}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (within("a", "b", "c"), within("a", "b"), True),
        (within("a", "b", "c"), within("a", "c", "b"), False),
        (within("a", "b"), within("a"), False),
        (within("a", "b", "c"), within("a", "b", "d"), False),
        (None, within("a", operator="notIn"), True),
        (None, {"not": {"filters": {"school": {"eq": "a"}}}}, True),
        (None, {"filters": {"school": {"eq": "a"}}}, False),
        (None, {"filters": {"school": {"notEq": "a"}}}, True),
        (GIRLS, {"and": [GIRLS, {"not": within("a")}]}, True),
        (GIRLS, {"and": [GIRLS, within("a", "b")]}, False),
        ({"and": [GIRLS, within("a", "b", "c")]}, {"and": [within("a", "b"), GIRLS]}, True),
        ({"or": [within("a", "b", "c"), GIRLS]}, {"and": [within("a", "b"), GIRLS]}, False),
        ({"locations": {"in": [{"level": "LA", "code": c} for c in "abc"]}},
         {"locations": {"in": [{"level": "LA", "code": c} for c in "ab"]}}, True),
    ],
)  # fmt: skip
def test_populations_that_differ_by_little(one: Any, other: Any, near: bool) -> None:
    assert nearly_same(question(one), question(other)) is near
    assert nearly_same(question(other), question(one)) is near
    assert not nearly_same(question(one, groupBy=["la"]), question(other))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"criteria": 7}', '{"criteria": {"filters": 1}}', "null"])
def test_what_cannot_be_read_is_near_nothing(text: str) -> None:
    assert not nearly_same(text, question(None))
    assert not nearly_same(text, text)
