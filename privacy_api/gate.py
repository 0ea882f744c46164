"""How many queries are computed, and how many wait, at a time in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from privacy_api.errors import ApiError, ErrorCode


class Gate:
    def __init__(self, running: int, waiting: int, seconds: float = 60.0) -> None:
        self._places = threading.BoundedSemaphore(running)
        self._queue = threading.BoundedSemaphore(running + waiting)
        self._seconds = seconds

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place; a full queue is refused at once rather than left to grow."""
        if not self._queue.acquire(blocking=False):
            raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=2)
        try:
            if not self._places.acquire(timeout=self._seconds):
                raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=5)
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._queue.release()


def pad(started: float, slot_ms: int) -> None:
    """Sleep to the next multiple of the slot since `started`, so that time says little about the data."""
    if slot_ms:
        slot = slot_ms / 1000
        time.sleep(slot - (time.monotonic() - started) % slot)
