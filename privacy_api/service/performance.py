"""The figures of the public performance page, from the whole record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from privacy_api.governance.metrics import Metrics, metrics
from privacy_api.ports import Audit, AuditFilter, Happening, Position
from privacy_api.service.cuts import SANDBOX

AT_ONCE = 1_000
KEPT_SECONDS = 60.0


class Figures:
    """Worked out once a minute at most, by one at a time: anybody may ask, and the whole record is read for them."""

    def __init__(self, audit: Audit, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit, self._clock, self._lock = audit, clock, threading.Lock()
        self._found: Metrics | None = None
        self._at = 0.0

    def now(self) -> Metrics:
        """While they are worked out anew, others are told the last ones."""
        last = self._found
        if last is not None and not self._lock.acquire(blocking=False):
            return last
        if last is None:
            self._lock.acquire()
        try:
            return self._fresh()
        finally:
            self._lock.release()

    def _fresh(self) -> Metrics:
        if self._found is None or self._clock() - self._at > KEPT_SECONDS:
            self._found, self._at = performance(self._audit), self._clock()
        return self._found


def performance(audit: Audit) -> Metrics:
    """Of what was asked of the cuts themselves: sandboxes are play."""
    return metrics(each for each in everything(audit) if SANDBOX not in str(each.facts.get("cut", "")))


def everything(audit: Audit, wanted: AuditFilter | None = None) -> Iterator[Happening]:
    """Both chains in their order, page by page."""
    place: Position | None = None
    while page := audit.happenings(wanted or AuditFilter(), place, AT_ONCE):
        yield from page
        place = page[-1].position
