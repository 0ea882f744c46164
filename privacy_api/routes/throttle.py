"""How often one address may do what anybody may, in this process. Addresses are kept for that long, in memory."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from fastapi import Request

from privacy_api.errors import ApiError, ErrorCode

MOST_ADDRESSES = 10_000


class Throttle:
    """At most `most` times in `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._lock = threading.Lock()
        self._times: dict[str, deque[float]] = {}

    def admit(self, request: Request) -> None:
        """Raises TOO_MANY_REQUESTS. An address behind a proxy is the server's business (BEHIND_TLS_PROXY)."""
        address, now = request.client.host if request.client else "", self._clock()
        with self._lock:
            self._forget(now)
            times = self._times.setdefault(address, deque())
            if len(times) >= self._most or len(self._times) > MOST_ADDRESSES:
                wait = self._seconds - (now - times[0]) if times else self._seconds
                raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=max(1, round(wait)))
            times.append(now)

    def _forget(self, now: float) -> None:
        for address, times in list(self._times.items()):
            while times and now - times[0] > self._seconds:
                times.popleft()
            if not times:
                del self._times[address]
