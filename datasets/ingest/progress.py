"""How far a run of ingest is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def step(self, name: str, done: int, total: int) -> None:
        """`name` begins now, after `done` of `total` steps; the last call has done == total."""
        ...


class Silent:
    def step(self, name: str, done: int, total: int) -> None:
        pass


class Steps:
    """Counts the steps for a Progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def begin(self, name: str) -> None:
        self._progress.step(name, self._done, self._total)
        self._done += 1
