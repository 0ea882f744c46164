"""Questions that people keep, to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """query: as the API takes it, as JSON. shared: seen by all members of the project, and not its author alone.
    release: the last answer to it that its author or a member had, or None. Times are UTC in ISO 8601."""

    id: str
    project: str
    account: str
    name: str
    data_set: str
    query: str
    shared: bool
    created: str
    release: str | None = None


class SavedQueries(Protocol):
    def save(self, saved: SavedQuery) -> SavedQuery: ...

    def saved(self, id: str) -> SavedQuery | None: ...

    def of(self, project: str, account: str) -> list[SavedQuery]:
        """The account's own of this project, and those that others share with it; the newest first."""
        ...

    def share(self, id: str, shared: bool) -> None: ...

    def answered(self, id: str, release: str) -> None:
        """Keep which answer came last."""
        ...

    def delete(self, id: str) -> None: ...
