"""The record of outputs that were checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutputCheck:
    """That an output was checked: who (the id of a key, or who ran the command), the table's SHA-256, the query as JSON
    and the verdict. No number of the table is kept. policy: its digest.
    """

    id: str
    at: str
    who: str
    project: str | None
    data_set: str
    version: str
    policy: str
    sha256: str
    query: str | None
    verdict: str


class OutputChecks(Protocol):
    def record(self, check: OutputCheck) -> None: ...

    def checks(self, last: int) -> list[OutputCheck]:
        """The last ones, oldest first."""
        ...
