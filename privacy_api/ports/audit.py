"""The record of what people decided and of what was refused, beside the ledger's of what was charged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from privacy_api.ports.ledger import LedgerBroken


class AuditBroken(LedgerBroken):
    """The audit chain cannot be trusted or written: nothing is decided, and nothing starts. The message says what to
    do."""


class NotRecordable(ValueError):
    """The audit chain does not hold such a thing; the message says why."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be recorded. kind: one of `governance.audit_kinds`, which says what facts it holds.

    actor: who did it: the id of an account or a key, `console:NAME`, `service` or `nobody`. subject: what it was done
    to, as `cut:npd`, `project:exeter`, `account:u-…`.
    """

    kind: str
    actor: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit chain. facts: canonical JSON.

    ledger, ledger_hash: the ledger's last entry when this one was written, so that the two chains have one order and
    each entry vouches for the ledger as it then was. at: for people only; the order is `seq`'s.
    """

    seq: int
    at: str
    kind: str
    actor: str
    subject: str
    facts: str
    ledger: int
    ledger_hash: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the one order of both chains: an audit entry stands behind the ledger's entries that were there when
    it was written. audit: 0 for an entry of the ledger."""

    ledger: int
    audit: int = 0

    def __str__(self) -> str:
        return f"{self.ledger}.{self.audit}"


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which happenings are wanted; what is None is not asked for. since, until: instants in ISO 8601, both included."""

    kinds: frozenset[str] | None = None
    actor: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of either chain, as auditors see it. kind: the ledger's are charge, release and failed. facts: by name;
    of the ledger's: cut, project, person, release, query, nanoRho. hash: its own, in its chain."""

    position: Position
    at: str
    kind: str
    actor: str
    subject: str
    facts: Mapping[str, Any]
    hash: str


class Audit(Protocol):
    def record(self, kind: str, actor: str, subject: str, facts: Mapping[str, Any] | None = None) -> AuditEntry:
        """Append, durably; NotRecordable for an unknown kind or fact, AuditBroken where the chain is not what it was.

        Inside of `services.together()` it commits with what it is recorded of, or not at all.
        """
        ...

    def happenings(self, wanted: AuditFilter, after: Position | None, most: int) -> Sequence[Happening]:
        """Both chains in one order, oldest first, behind `after`."""
        ...

    def newest(self, wanted: AuditFilter, before: Position | None, most: int) -> Sequence[Happening]:
        """The same from the end: newest first, in front of `before`."""
        ...

    def verify(self) -> int:
        """Check the whole chain, what it says of the ledger, and its anchor; number of entries, or AuditBroken."""
        ...
