"""Counting how many released intervals hold the truth, without showing any of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass
class Coverage:
    held: int = 0
    shown: int = 0
    hidden: int = 0

    def add(self, rows: Sequence[Mapping[str, object]], truth: Callable[[Mapping[str, object]], float]) -> None:
        for row in rows:
            value, lower, upper = row["value"], row["lower"], row["upper"]
            if value is None:
                self.hidden += 1
                continue
            assert isinstance(lower, int | float)
            assert isinstance(upper, int | float)
            self.shown += 1
            self.held += lower <= truth(row) <= upper

    @property
    def share(self) -> float:
        return self.held / self.shown
