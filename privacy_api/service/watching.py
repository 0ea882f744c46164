"""The feed of red flags, and that somebody has looked at one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.watch import Flag, flags
from privacy_api.ports import AuditFilter, Happening, Position
from privacy_api.service.services import Services

LOOKS_BACK = 30
AT_ONCE = 1_000
MOST = 50_000
"""Happenings that are looked at; the newest ones, where there are more in that time."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who looked at a flag, when, and what they found."""

    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A flag, and whether somebody has looked at it."""

    flag: Flag
    acknowledged: Acknowledged | None


def feed(services: Services, days: int = LOOKS_BACK) -> tuple[Standing, ...]:
    """Newest first."""
    now = datetime.fromisoformat(services.now())
    seen = list(_newest(services, (now - timedelta(days=days)).isoformat(timespec="seconds")))[::-1]
    looked_at = _acknowledged(services)
    return tuple(Standing(flag, looked_at.get(flag.id)) for flag in flags(seen))


def acknowledge(flag: str, reason: str, by: str, services: Services) -> Standing:
    """by: the account that looked. Again, with another reason, is another entry; the last one is shown."""
    found = next((each.flag for each in feed(services) if each.flag.id == flag), None)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    facts = {"detector": found.detector, "severity": found.severity.value, "reason": reason.strip()}
    entry = services.audit.record("flag-acknowledged", by, f"flag:{found.id}", facts)
    return Standing(found, Acknowledged(by, entry.at, reason.strip()))


def _newest(services: Services, since: str) -> Iterator[Happening]:
    place: Position | None = None
    wanted, left = AuditFilter(since=since[:19]), MOST
    while left > 0 and (page := services.audit.newest(wanted, place, min(AT_ONCE, left))):
        yield from page
        place, left = page[-1].position, left - len(page)


def _acknowledged(services: Services) -> Mapping[str, Acknowledged]:
    wanted = AuditFilter(kinds=frozenset({"flag-acknowledged"}))
    page = services.audit.newest(wanted, None, AT_ONCE)
    return {
        each.subject.partition(":")[2]: Acknowledged(each.actor, each.at, each.facts["reason"]) for each in page[::-1]
    }
