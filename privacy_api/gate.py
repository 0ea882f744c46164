"""How many queries are computed, and how many wait, at a time in this process.

Work runs in threads of the gate's own, so that a full queue of queries never keeps `/health` or the catalogue waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from privacy_api.errors import ApiError, ErrorCode

Result = TypeVar("Result")
PAUSE = 0.05


class Gate:
    """running: queries computed at a time; waiting: how many more may wait. patience: seconds for InProgress."""

    def __init__(self, running: int, waiting: int, patience: float = 20.0) -> None:
        self._running, self._waiting, self._patience = running, waiting, patience
        self._limiter: anyio.CapacityLimiter | None = None  # made in the event loop it is used in
        self._inside = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread when there is a place; a full queue is refused at once rather than left to grow.

        Whoever asks what another is having measured waits outside the places, then gets that answer for nothing.
        """
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return await self._in_place(work)
            except ApiError as error:
                if error.code is not ErrorCode.IN_PROGRESS or time.monotonic() > deadline:
                    raise
            await anyio.sleep(PAUSE)

    async def _in_place(self, work: Callable[[], Result]) -> Result:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._running)
        if self._inside >= self._running + self._waiting:
            raise ApiError(ErrorCode.TOO_MANY_REQUESTS, retry_after=2)
        self._inside += 1
        try:
            return await run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1


async def pad(started: float, slot_ms: int) -> None:
    """Wait for the next multiple of the slot since `started`, so that time says little about the data."""
    if slot_ms:
        slot = slot_ms / 1000
        await anyio.sleep(slot - (time.monotonic() - started) % slot)
