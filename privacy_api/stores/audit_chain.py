"""The audit chain: what an entry is, how one is appended, and reading the whole of it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select

from privacy_api.governance.audit_kinds import facts_text
from privacy_api.ports import AuditEntry, Note
from privacy_api.stores.anchor import AUDIT, GENESIS, Head
from privacy_api.stores.packing import UNREADABLE
from privacy_api.stores.schema import audit, ledger

ENTRIES_AT_ONCE = 1000
FIELDS = tuple(name for name in AuditEntry.__dataclass_fields__ if name != "hash")

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
_values = attrgetter(*FIELDS)


def hash_of(fields: Mapping[str, Any]) -> str:
    """fields: all of an entry but its hash."""
    return hashlib.sha256(_canonical(fields).encode()).hexdigest()


def entry_of(row: RowMapping) -> AuditEntry:
    """The row as an entry, if it is what was hashed when it was written."""
    entry = AuditEntry(**row)
    if hash_of(dict(zip(FIELDS, _values(entry), strict=True))) != entry.hash:
        raise AUDIT.edited(f"entry {entry.seq} does not have its hash")
    return entry


def head(connection: Connection) -> Head:
    row = connection.execute(_LAST).mappings().first()
    return _head_of(entry_of(row)) if row else GENESIS


def append(connection: Connection, note: Note, at: str, anchor: Head) -> AuditEntry:
    """The caller holds the write lock. The chain must still hold the entry that the anchor names, or AuditBroken."""
    last, known = _tail(connection, anchor), connection.execute(_LEDGER).first()
    fields: dict[str, Any] = {
        "seq": last.seq + 1,
        "at": at,
        "kind": note.kind,
        "actor": note.actor,
        "subject": note.subject,
        "facts": facts_text(note),
        "ledger": known.seq if known else GENESIS.seq,
        "ledger_hash": known.hash if known else GENESIS.hash,
        "previous": last.hash,
    }
    fields["hash"] = hash_of(fields)
    connection.execute(_INSERT, fields)
    return AuditEntry(**fields)


def inspect(connection: Connection, anchor: Head | None) -> Head:
    """Check everything, and that the chain passes through `anchor` if one is given; the chain's head."""
    reached, ledger_reached, anchored = GENESIS, 0, anchor in (None, GENESIS)
    for entry in _streamed(connection):
        if (entry.seq, entry.previous) != (reached.seq + 1, reached.hash) or entry.ledger < ledger_reached:
            raise AUDIT.edited(f"entry {entry.seq} does not follow the one before it")
        reached, ledger_reached = _head_of(entry), entry.ledger
        anchored = anchored or reached == anchor
    if not anchored:
        raise AUDIT.different()
    _refuse_another_ledger(connection)
    return reached


def _streamed(connection: Connection) -> Iterator[AuditEntry]:
    seq = 0
    with connection.execute(_ALL, execution_options={"yield_per": ENTRIES_AT_ONCE}) as result:
        try:
            for row in result.mappings():
                entry = entry_of(row)
                seq = entry.seq
                yield entry
        except UNREADABLE:
            raise AUDIT.edited(f"what follows entry {seq} cannot be read") from None


def _refuse_another_ledger(connection: Connection) -> None:
    """Each entry names the ledger's last entry of its time, which must be there still."""
    found = connection.execute(_OTHER_LEDGER).first()
    if found is not None:
        raise AUDIT.edited(f"entry {found.seq} knew another entry {found.ledger} of the ledger than there is")


def _tail(connection: Connection, anchor: Head) -> Head:
    """The last entry's head, where the chain is the one that the anchor describes."""
    found = [_head_of(entry_of(row)) for row in connection.execute(_TAIL, {"anchor": anchor.seq}).mappings()]
    if anchor not in (GENESIS, *found):
        raise AUDIT.different()
    return max(found, key=attrgetter("seq"), default=GENESIS)


def _head_of(entry: AuditEntry) -> Head:
    return Head(entry.seq, entry.hash)


# Made once: to put a statement together takes longer than to run it.
_INSERT = insert(audit)
_ALL = select(audit).order_by(audit.c.seq)
_LAST = select(audit).order_by(audit.c.seq.desc()).limit(1)
_LEDGER = select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
_TAIL = select(audit).where(
    audit.c.seq.in_([bindparam("anchor", type_=audit.c.seq.type), select(func.max(audit.c.seq)).scalar_subquery()])
)
_OTHER_LEDGER = (
    select(audit.c.seq, audit.c.ledger)
    .outerjoin(ledger, ledger.c.seq == audit.c.ledger)
    .where(audit.c.ledger > 0, func.coalesce(ledger.c.hash, "") != audit.c.ledger_hash)
    .order_by(audit.c.seq)
    .limit(1)
)
