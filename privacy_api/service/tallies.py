"""Refusals, counted by the minute: what anybody can make happen as often as they like must not fill the record.

One entry for each of those who were refused, a minute and a server: a hundred thousand refused questions a minute of
one key are one entry. What was counted in the last minute is lost when a server is killed; decisions never are, they
are recorded one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Timer

from privacy_api.ports import Audit, LedgerBroken

MINUTE = 60.0
MOST = 1_000
"""Whoever is refused beyond that many others in a minute is counted as one crowd."""
CROWD = "crowd"


@dataclass(frozen=True, slots=True)
class Refused:
    """kind: of the entry, one that holds counts. actor, subject: as the entry names them."""

    kind: str
    actor: str
    subject: str


class Tallies:
    """Safe for threads. now: ISO 8601. seconds: after the first refusal, until what was counted is recorded."""

    def __init__(self, audit: Audit, now: Callable[[], str], seconds: float = MINUTE) -> None:
        self._audit, self._now, self._seconds = audit, now, seconds
        self._lock = Lock()
        self._counted: dict[Refused, Counter[str]] = {}
        self._since = ""
        self._timer: Timer | None = None

    def count(self, refused: Refused, code: str) -> None:
        with self._lock:
            if refused not in self._counted and len(self._counted) >= MOST:
                refused = Refused(refused.kind, CROWD, refused.subject)
            if not self._counted:
                self._since = self._now()
                self._wait()
            self._counted.setdefault(refused, Counter())[code] += 1

    def flush(self) -> None:
        """Record what was counted. What cannot be recorded now stays counted."""
        with self._lock:
            counted, since = self._counted, self._since
            self._counted = {}
        while counted:
            refused, codes = counted.popitem()
            try:
                facts = {"counts": dict(codes), "minute": since[:16]}
                self._audit.record(refused.kind, refused.actor, refused.subject, facts)
            except LedgerBroken:
                self._keep({**counted, refused: codes}, since)
                return

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.flush()

    def _wait(self) -> None:
        self._timer = Timer(self._seconds, self.flush)
        self._timer.daemon = True
        self._timer.start()

    def _keep(self, counted: dict[Refused, Counter[str]], since: str) -> None:
        with self._lock:
            for refused, codes in counted.items():
                self._counted.setdefault(refused, Counter()).update(codes)
            self._since = since
            self._wait()
