"""The ledger as a hash chain: what an entry is, and how one is appended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import Column, Connection, RowMapping, ScalarSelect, Select, bindparam, func, insert, select

from disclosure.accounting import Event
from privacy_api.ports import Request
from privacy_api.stores.anchor import GENESIS, LEDGER, Head
from privacy_api.stores.schema import ledger

Kind = Literal["charge", "release", "failed"]

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
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

    @cached_property
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


edited = LEDGER.edited


def entry_of(row: RowMapping) -> Entry:
    """The row as an Entry, if it is what was hashed when it was written."""
    entry = Entry(**{name: row[name] for name in FIELDS})
    if entry.head.hash != row["hash"]:
        raise edited(f"entry {row['seq']} does not have its hash")
    return entry


def head(connection: Connection) -> Head:
    entry = _first(connection, _latest())
    return entry.head if entry else GENESIS


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


@dataclass(frozen=True, slots=True)
class Tail:
    """The chain's last entry, and the last of a request's cut, project and person; None where there is none yet."""

    last: Entry | None
    cut: Entry | None
    project: Entry | None
    person: Entry | None

    @property
    def head(self) -> Head:
        return self.last.head if self.last else GENESIS

    @property
    def cut_spent(self) -> int:
        return self.cut.cut_total if self.cut else 0

    @property
    def delta_spent(self) -> int:
        return (self.cut.cut_delta or 0) if self.cut else 0

    @property
    def project_spent(self) -> int:
        return self.project.project_total if self.project else 0

    @property
    def person_spent(self) -> int:
        return (self.person.person_total or 0) if self.person else 0


def tail(connection: Connection, request: Request, anchor: Head) -> Tail:
    """What a write goes by, in one look. The chain must still hold the entry that the anchor names, or LedgerBroken."""
    who = {
        "cut": request.cut,
        "project": request.principal.project.id,
        "person": request.principal.person,
    }
    # Each was the last of its kind, so the last of them that has the cut is the last that has it; and so on.
    rows = connection.execute(_TAIL, {**who, "anchor": anchor.seq}).mappings()
    found = sorted((entry_of(row) for row in rows), key=attrgetter("seq"))
    anchored = next((entry.head for entry in found if entry.seq == anchor.seq), GENESIS)
    if anchored != anchor:
        raise LEDGER.different()
    last = {name: [e for e in found if value and getattr(e, name) == value][-1:] for name, value in who.items()}
    return Tail(found[-1] if found else None, *(entries[0] if entries else None for entries in last.values()))


def append(
    connection: Connection,
    after: Tail,
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
    """The caller has held the write lock since it saw the tail, so that its head stays the head until the commit."""
    project, person = request.principal.project.id, request.principal.person
    entry = Entry(
        seq=after.head.seq + 1,
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
        cut_total=after.cut_spent + nano_rho,
        project_total=after.project_spent + nano_rho,
        person=person,
        person_total=None if person is None else after.person_spent + nano_rho,
        cut_delta=(after.delta_spent + delta) or None,
        previous=after.head.hash,
    )
    connection.execute(_INSERT, {**dict(zip(FIELDS, _values(entry), strict=True)), "hash": entry.head.hash})
    return entry


def _latest(column: Column[Any] | None = None, value: str = "") -> Select[Any]:
    rows = select(ledger).order_by(ledger.c.seq.desc()).limit(1)
    return rows if column is None else rows.where(column == value)


def _last_of(name: str) -> ScalarSelect[Any]:
    return select(func.max(ledger.c.seq)).where(ledger.c[name] == bindparam(name)).scalar_subquery()


# Made once: to put a statement together takes longer than to run it.
_INSERT = insert(ledger)
_TAIL = select(ledger).where(
    ledger.c.seq.in_(
        [
            bindparam("anchor", type_=ledger.c.seq.type),
            select(func.max(ledger.c.seq)).scalar_subquery(),
            *(_last_of(name) for name in ("cut", "project", "person")),
        ]
    )
)


def _first(connection: Connection, rows: Select[Any]) -> Entry | None:
    row = connection.execute(rows).mappings().first()
    return entry_of(row) if row else None
