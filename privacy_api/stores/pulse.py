"""A sign of life, given again and again for all that is being worked on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread

LEAST = 0.05
"""Seconds between two beats, whatever is wished for."""


class Pulse:
    """beat: is told what is worked on, every so many seconds. One thread for all, since an answer may take less time
    than to start one; it ends when there is nothing left, or with the process."""

    def __init__(self, beat: Callable[[frozenset[int]], None], seconds: float) -> None:
        self._beat, self._seconds = beat, max(seconds, LEAST)
        self._lock, self._kept, self._runs = Lock(), set[int](), False

    @contextmanager
    def keeping(self, what: int) -> Iterator[None]:
        with self._lock:
            if not self._runs:  # where no thread can be started nothing is kept, and nothing is taken to run
                Thread(target=self._go, name="pulse", daemon=True).start()
            self._runs = True
            self._kept.add(what)
        try:
            yield
        finally:
            with self._lock:
                self._kept.discard(what)

    def _go(self) -> None:
        while kept := self._next():
            with suppress(Exception):  # whatever keeps the database from taking a beat, the next one will do
                self._beat(kept)

    def _next(self) -> frozenset[int]:
        time.sleep(self._seconds)
        with self._lock:
            self._runs = bool(self._kept)
            return frozenset(self._kept)
