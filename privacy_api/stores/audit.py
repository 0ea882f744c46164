"""The audit chain in the service database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from privacy_api.ports import AuditEntry, AuditFilter, Happening, Note, Position
from privacy_api.stores import audit_chain, fence, happenings
from privacy_api.stores.anchor import AUDIT, Anchor, Head
from privacy_api.stores.clock import text, utc_now
from privacy_api.stores.database import reading, together, when_committed, writing


class SqlAudit:
    """The port `Audit`. anchor: a file outside the database, beside the ledger's."""

    def __init__(self, engine: Engine, anchor: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine, self._clock = engine, clock
        self._anchor = Anchor(anchor, AUDIT)

    def record(self, kind: str, actor: str, subject: str, facts: Mapping[str, Any] | None = None) -> AuditEntry:
        """Inside of `together` it commits with what it is recorded of.

        The anchor moves after the commit: a crash between the two leaves it behind the chain, which is well; ahead of
        the chain it is only after a rollback.
        """
        note = Note(kind, actor, subject, facts or {})
        with writing(self._engine) as connection:
            standing = self._anchor.standing(lambda: audit_chain.head(connection).seq == 0)
            entry = audit_chain.append(connection, note, text(self._clock()), standing)
        head = Head(entry.seq, entry.hash)
        when_committed(self._engine, "audit", lambda: self._anchor.move(head))
        return entry

    def happenings(self, wanted: AuditFilter, after: Position | None, most: int) -> list[Happening]:
        with reading(self._engine) as connection:
            return happenings.onward(connection, wanted, after, most)

    def newest(self, wanted: AuditFilter, before: Position | None, most: int) -> list[Happening]:
        with reading(self._engine) as connection:
            return happenings.backward(connection, wanted, before, most)

    def verify(self) -> int:
        # The anchor first: whatever it names was committed before, so the snapshot taken afterwards must hold it.
        anchor = self._anchor.standing(self._is_empty)
        with reading(self._engine) as connection:
            return audit_chain.inspect(connection, anchor).seq

    def reanchor(self, actor: str, reason: str) -> int:
        """Accept the chain as it is, if it is whole, and say so in it: for people who have inspected it."""
        with self._anchor.locked(), reading(self._engine) as connection:
            head = audit_chain.inspect(connection, None)
            self._anchor.write(head)
        facts = {"kind": "audit", "entries": head.seq, "reason": reason}
        return self.record("anchor-accepted", actor, "audit", facts).seq

    def mend_fence(self) -> tuple[str, ...]:
        """Put back triggers that are missing, and record that they were; their names."""
        with reading(self._engine) as connection:
            if not fence.gaps(connection):
                return ()
        with together(self._engine), writing(self._engine) as connection:
            missing = fence.gaps(connection)
            fence.mend(connection, missing)
            if missing:
                self.record("fence-restored", "service", "audit", {"what": ", ".join(sorted(missing))})
        return tuple(missing)

    def _is_empty(self) -> bool:
        with reading(self._engine) as connection:
            return audit_chain.head(connection).seq == 0
