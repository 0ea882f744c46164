"""Tables that officers register to be released."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RegisteredTable:
    """A table that an officer has registered to be released: its question as JSON, and the digest of the policy it was
    approved under. Its release for each version of the cut is found by asking that question."""

    id: str
    title: str
    data_set: str
    question: str
    policy: str
    created: str
    withdrawn: str | None = None


class Tables(Protocol):
    def register(self, table: RegisteredTable) -> RegisteredTable:
        """Raises AlreadyRegistered where the id is taken, also by a table that was withdrawn."""
        ...

    def table(self, table: str) -> RegisteredTable | None: ...

    def tables(self) -> list[RegisteredTable]:
        """In the order of registering, withdrawn ones among them."""
        ...

    def withdraw(self, table: str) -> bool: ...


class AlreadyRegistered(ValueError):
    """A registered table has this id."""
