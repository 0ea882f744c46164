"""The ledger as a hash chain: what an entry is, and how one is appended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import Column, Connection, RowMapping, Select, insert, select

from disclosure.accounting import Event
from privacy_api.ports import LedgerBroken, Request
from privacy_api.stores.anchor import DIFFERENT, GENESIS, INSPECT, Head
from privacy_api.stores.schema import ledger

Kind = Literal["charge", "release", "failed"]

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger. refers_to: the charge that a release or a failure closes.

    cut_total, project_total, person_total: what each has spent, this entry included; a key may have no person, and
    its entries then no total of one. cut_delta: the cut's δ so far in atto-δ, None where that is nothing. at: for
    people only; nothing is decided by it.
    """

    seq: int
    kind: Kind
    at: str
    project: str
    key_id: str
    cut: str
    release: str
    query: str
    nano_rho: int
    events: str
    digest: str
    refers_to: int | None
    cut_total: int
    project_total: int
    person: str | None
    person_total: int | None
    cut_delta: int | None
    previous: str

    @property
    def head(self) -> Head:
        fields = dict(zip(FIELDS, _values(self), strict=True))
        # Entries from before there were people, or a δ, are hashed as they were then: without these.
        absent = {name for name in ("person", "person_total", "cut_delta") if fields[name] is None}
        text = _canonical({name: value for name, value in fields.items() if name not in absent})
        return Head(self.seq, hashlib.sha256(text.encode()).hexdigest())


FIELDS = tuple(Entry.__dataclass_fields__)
_values = attrgetter(*FIELDS)


def events_text(events: Iterable[Event]) -> str:
    """What is None is left out, and a δ of 0: events without one are written as they always were."""
    return _canonical(
        [{k: v for k, v in asdict(event).items() if v is not None and (k, v) != ("delta", 0)} for event in events]
    )


def edited(what: str) -> LedgerBroken:
    return LedgerBroken(f"The ledger was rolled back or edited: {what}. {INSPECT}")


def entry_of(row: RowMapping) -> Entry:
    """The row as an Entry, if it is what was hashed when it was written."""
    entry = Entry(**{name: row[name] for name in FIELDS})
    if entry.head.hash != row["hash"]:
        raise edited(f"entry {row['seq']} does not have its hash")
    return entry


def head(connection: Connection) -> Head:
    entry = _first(connection, _latest())
    return entry.head if entry else GENESIS


def trust(connection: Connection, anchor: Head) -> None:
    """The chain must still hold the entry that the anchor names."""
    at_anchor = _first(connection, select(ledger).where(ledger.c.seq == anchor.seq))
    if (at_anchor.head if at_anchor else GENESIS) != anchor:
        raise LedgerBroken(DIFFERENT)


def cut_spent(connection: Connection, cut: str) -> int:
    entry = _first(connection, _latest(ledger.c.cut, cut))
    return entry.cut_total if entry else 0


def project_spent(connection: Connection, project: str) -> int:
    entry = _first(connection, _latest(ledger.c.project, project))
    return entry.project_total if entry else 0


def person_spent(connection: Connection, person: str) -> int:
    entry = _first(connection, _latest(ledger.c.person, person))
    return (entry.person_total or 0) if entry else 0


def delta_spent(connection: Connection, cut: str) -> int:
    entry = _first(connection, _latest(ledger.c.cut, cut))
    return (entry.cut_delta or 0) if entry else 0


def is_open(connection: Connection, charge: int) -> bool:
    """Nothing has come of this charge yet, neither a release nor a failure."""
    closing = select(ledger.c.seq).where(ledger.c.refers_to == charge)
    return connection.execute(closing).first() is None


def append(
    connection: Connection,
    kind: Kind,
    at: str,
    request: Request,
    *,
    nano_rho: int = 0,
    delta: int = 0,
    events: str = "[]",
    digest: str = "",
    refers_to: int | None = None,
) -> Entry:
    """The caller holds the write lock, so that the head stays the head until the commit."""
    project, person = request.principal.project.id, request.principal.person
    last = head(connection)
    entry = Entry(
        seq=last.seq + 1,
        kind=kind,
        at=at,
        project=project,
        key_id=request.principal.key_id,
        cut=request.cut,
        release=request.release,
        query=request.query,
        nano_rho=nano_rho,
        events=events,
        digest=digest,
        refers_to=refers_to,
        cut_total=cut_spent(connection, request.cut) + nano_rho,
        project_total=project_spent(connection, project) + nano_rho,
        person=person,
        person_total=None if person is None else person_spent(connection, person) + nano_rho,
        cut_delta=(delta_spent(connection, request.cut) + delta) or None,
        previous=last.hash,
    )
    fields = dict(zip(FIELDS, _values(entry), strict=True))
    connection.execute(insert(ledger).values(**fields, hash=entry.head.hash))
    return entry


def _latest(column: Column[Any] | None = None, value: str = "") -> Select[Any]:
    rows = select(ledger).order_by(ledger.c.seq.desc()).limit(1)
    return rows if column is None else rows.where(column == value)


def _first(connection: Connection, rows: Select[Any]) -> Entry | None:
    row = connection.execute(rows).mappings().first()
    return entry_of(row) if row else None
