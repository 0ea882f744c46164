"""Red flags: what in the record deserves that somebody looks at it. From the ledger and the audit chain alone.

A flag accuses nobody: most have an innocent reason, and whoever looks writes it down. One detector is one line in
DETECTORS; each is a pure function of happenings in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from privacy_api.governance.near_questions import nearly_same
from privacy_api.ports import Happening, Position

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = (22, 6)
"""Hours, UTC: from the first until before the second."""
MOST_EVIDENCE = 20


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Flag:
    """subject: whom or what it is about, as the record names it. id: the same as long as the evidence begins on the
    same day, so that what was looked at stays looked at. plain: what was seen. evidence: places in the record."""

    id: str
    detector: str
    severity: Severity
    subject: str
    plain: str
    since: str
    until: str
    evidence: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector saw: of whom, in which happenings, in words."""

    subject: str
    plain: str
    evidence: Sequence[Happening]


@dataclass(frozen=True, slots=True)
class Detector:
    """plain: what it looks for, and why, in a sentence for people."""

    name: str
    severity: Severity
    plain: str
    find: Callable[[Sequence[Happening]], Iterator[Seen]]


def flags(happenings: Sequence[Happening]) -> tuple[Flag, ...]:
    """Newest first. happenings: oldest first."""
    found = [_flag(detector, seen) for detector in DETECTORS for seen in detector.find(happenings)]
    return tuple(sorted(found, key=lambda flag: (flag.until, flag.id), reverse=True))


def _flag(detector: Detector, seen: Seen) -> Flag:
    first, last = seen.evidence[0], seen.evidence[-1]
    name = hashlib.sha256(f"{detector.name}|{seen.subject}|{first.at[:10]}".encode()).hexdigest()[:16]
    places = tuple(each.position for each in seen.evidence[-MOST_EVIDENCE:])
    return Flag(f"flag-{name}", detector.name, detector.severity, seen.subject, seen.plain, first.at, last.at, places)


DIFFERENCING_PAIRS = 3
SCRAPING = 100
REFUSALS = 50
NIGHT_QUESTIONS = 10
KEYS = 4
SIGN_INS = 10
FAST = 4
"""How many times its usual day a project spends in one, before somebody is told."""
USUAL_DAYS = 5


def _differencing(happenings: Sequence[Happening]) -> Iterator[Seen]:
    for project, charges in _by(_of_kind(happenings, "charge"), "project").items():
        pairs = [
            (one, other)
            for place, other in enumerate(charges)
            for one in charges[max(0, place - 200) : place]
            if _apart(one, other) <= DAY and nearly_same(one.facts["query"], other.facts["query"])
        ]
        if len(pairs) >= DIFFERENCING_PAIRS:
            evidence = sorted({h.position: h for pair in pairs for h in pair}.values(), key=_position)
            told = f"{len(pairs)} pairs of questions within a day whose populations differ by one code"
            yield Seen(f"project:{project}", told, evidence)


def _scraping(happenings: Sequence[Happening]) -> Iterator[Seen]:
    for actor, charges in _by_actor(_of_kind(happenings, "charge")).items():
        if burst := _densest(charges, HOUR, SCRAPING):
            yield Seen(f"key:{actor}", f"{len(burst):,} new questions within an hour", burst)


def _refusals(happenings: Sequence[Happening]) -> Iterator[Seen]:
    for kind, what in (("query-refused", "questions"), ("access-refused", "requests for something else")):
        for actor, refused in _by_actor(_of_kind(happenings, kind)).items():
            if burst := _densest(refused, HOUR, REFUSALS, _counted):
                yield Seen(f"key:{actor}", f"{sum(map(_counted, burst)):,} {what} were refused within an hour", burst)


def _night(happenings: Sequence[Happening]) -> Iterator[Seen]:
    """By who does not usually ask at night."""
    for actor, charges in _by_actor(_of_kind(happenings, "charge")).items():
        night = [each for each in charges if not NIGHT[1] <= _at(each).hour < NIGHT[0]]
        burst = _densest(night, timedelta(hours=8), NIGHT_QUESTIONS)
        if burst and len(night) <= len(charges) / 2:
            yield Seen(f"key:{actor}", f"{len(burst)} questions in one night, by who asks by day", burst)


def _keys(happenings: Sequence[Happening]) -> Iterator[Seen]:
    gone = {each.subject for each in _of_kind(happenings, "key-revoked")}
    made = [each for each in _of_kind(happenings, "key-created") if each.subject not in gone]
    for person, keys in _by(made, "person").items():
        if len(keys) >= KEYS:
            yield Seen(f"person:{person}", f"{len(keys)} keys that work belong to one person", keys)


def _fast(happenings: Sequence[Happening]) -> Iterator[Seen]:
    """Beside the project's own usual day, of those on which it asked at all."""
    for project, charges in _by(_of_kind(happenings, "charge"), "project").items():
        days: dict[str, list[Happening]] = {}
        for each in charges:
            days.setdefault(each.at[:10], []).append(each)
        spent = {day: sum(h.facts["nanoRho"] for h in those) for day, those in days.items()}
        for place, day in enumerate(sorted(days)):
            before = sorted(spent[each] for each in sorted(days)[:place])
            if len(before) >= USUAL_DAYS and spent[day] > FAST * before[len(before) // 2] > 0:
                times = spent[day] / before[len(before) // 2]
                yield Seen(
                    f"project:{project}", f"{times:.0f} times its usual day's budget was spent on {day}", days[day]
                )


def _sign_ins(happenings: Sequence[Happening]) -> Iterator[Seen]:
    groups: dict[str, list[Happening]] = {}
    for each in _of_kind(happenings, "sign-in-refused"):
        groups.setdefault(each.subject, []).append(each)
    for subject, refused in groups.items():
        if burst := _densest(refused, HOUR, SIGN_INS, _counted):
            yield Seen(subject, f"{sum(map(_counted, burst)):,} sign-ins were refused within an hour", burst)


def _tampering(happenings: Sequence[Happening]) -> Iterator[Seen]:
    for each in happenings:
        if each.kind in ("fence-restored", "anchor-accepted"):
            yield Seen(each.subject, "the fences or an anchor of the record were missing", [each])


DETECTORS: tuple[Detector, ...] = (
    Detector(
        "differencing",
        Severity.HIGH,
        "Several questions of one project whose populations differ by a single code: their answers can be subtracted.",
        _differencing,
    ),
    Detector(
        "scraping", Severity.MEDIUM, "Very many new questions in an hour: a program reads all there is.", _scraping
    ),
    Detector("refusals", Severity.LOW, "Very many refused questions in an hour: somebody tries what works.", _refusals),
    Detector("unusual-hours", Severity.LOW, "Questions at night by who asks by day: a key may be stolen.", _night),
    Detector("many-keys", Severity.MEDIUM, "Many keys of one person: they may be passed on.", _keys),
    Detector("fast-spending", Severity.MEDIUM, "A project spends far more on a day than it usually does.", _fast),
    Detector(
        "refused-sign-ins", Severity.MEDIUM, "Many refused sign-ins in an hour: somebody tries to get in.", _sign_ins
    ),
    Detector(
        "record-touched", Severity.HIGH, "What protects the record itself was missing or was accepted anew.", _tampering
    ),
)


def _of_kind(happenings: Sequence[Happening], kind: str) -> list[Happening]:
    return [each for each in happenings if each.kind == kind]


def _by(happenings: Sequence[Happening], fact: str) -> dict[str, list[Happening]]:
    """Those that have the fact, by it."""
    found: dict[str, list[Happening]] = {}
    for each in happenings:
        if fact in each.facts:
            found.setdefault(str(each.facts[fact]), []).append(each)
    return found


def _by_actor(happenings: Sequence[Happening]) -> dict[str, list[Happening]]:
    found: dict[str, list[Happening]] = {}
    for each in happenings:
        found.setdefault(each.actor, []).append(each)
    return found


def _one(happening: Happening) -> int:
    return 1


def _counted(happening: Happening) -> int:
    return sum(happening.facts.get("counts", {"": 1}).values())


def _densest(
    happenings: Sequence[Happening], within: timedelta, least: int, weight: Callable[[Happening], int] = _one
) -> list[Happening]:
    """The heaviest run within that time, if it weighs `least`; else none."""
    best: tuple[int, int, int] = (0, 0, 0)
    start, weighs = 0, 0
    for end, each in enumerate(happenings):
        weighs += weight(each)
        while _apart(happenings[start], each) > within:
            weighs -= weight(happenings[start])
            start += 1
        best = max(best, (weighs, -start, end + 1))
    return list(happenings[-best[1] : best[2]]) if best[0] >= least else []


def _at(happening: Happening) -> datetime:
    return datetime.fromisoformat(happening.at)


def _apart(one: Happening, other: Happening) -> timedelta:
    return abs(_at(other) - _at(one))


def _position(happening: Happening) -> Position:
    return happening.position
