"""Both chains in one order, for people who look at what happened. Each entry is checked against its own hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, false, func, select

from privacy_api.governance.audit_kinds import KINDS, LEDGER_KINDS
from privacy_api.ports import AuditFilter, Happening, Position
from privacy_api.stores import audit_chain, chain
from privacy_api.stores.schema import audit, ledger

Conditions = list[ColumnElement[bool]]
_BY_SUBJECT = {"cut": ledger.c.cut, "project": ledger.c.project, "person": ledger.c.person, "release": ledger.c.release}


def onward(connection: Connection, wanted: AuditFilter, after: Position | None, most: int) -> list[Happening]:
    """Oldest first, behind `after`."""
    place = after or Position(0)
    # The ledger that entries know grows with them, so that behind one of them are simply those with a larger seq.
    behind = audit.c.seq > place.audit if place.audit else audit.c.ledger >= place.ledger
    charged = _charged(connection, [*_of_ledger(wanted), ledger.c.seq > place.ledger], most)
    noted = _noted(connection, [*_of_audit(wanted), behind], most)
    return sorted([*charged, *noted], key=_place)[:most]


def backward(connection: Connection, wanted: AuditFilter, before: Position | None, most: int) -> list[Happening]:
    """Newest first, in front of `before`."""
    in_ledger, in_audit = _of_ledger(wanted), _of_audit(wanted)
    if before is not None:
        in_ledger.append(ledger.c.seq <= before.ledger if before.audit else ledger.c.seq < before.ledger)
        in_audit.append(audit.c.seq < before.audit if before.audit else audit.c.ledger < before.ledger)
    charged = _charged(connection, in_ledger, most, newest=True)
    noted = _noted(connection, in_audit, most, newest=True)
    return sorted([*charged, *noted], key=_place, reverse=True)[:most]


def _place(happening: Happening) -> Position:
    return happening.position


def _of_ledger(wanted: AuditFilter) -> Conditions:
    conditions = _within(ledger, wanted)
    if wanted.kinds is not None:
        conditions.append(ledger.c.kind.in_(wanted.kinds & LEDGER_KINDS.keys()))
    if wanted.actor is not None:
        # An account asks as web-…, and a key is named key-… where it does something else than asking.
        names = (wanted.actor, f"web-{wanted.actor}", wanted.actor.removeprefix("key-"))
        conditions.append(ledger.c.key_id.in_(names))
    if wanted.subject is not None:
        kind, _, name = wanted.subject.partition(":")
        conditions.append(_BY_SUBJECT[kind] == name if kind in _BY_SUBJECT else false())
    return conditions


def _of_audit(wanted: AuditFilter) -> Conditions:
    conditions = _within(audit, wanted)
    if wanted.kinds is not None:
        conditions.append(audit.c.kind.in_(wanted.kinds & KINDS.keys()))
    if wanted.actor is not None:
        conditions.append(audit.c.actor == wanted.actor)
    if wanted.subject is not None:
        conditions.append(audit.c.subject == wanted.subject)
    return conditions


def _within(table: Table, wanted: AuditFilter) -> Conditions:
    """Instants are compared as far as the one that is given goes, so that a date includes its whole day."""
    conditions: Conditions = []
    if wanted.since is not None:
        conditions.append(func.substr(table.c.at, 1, len(wanted.since)) >= wanted.since)
    if wanted.until is not None:
        conditions.append(func.substr(table.c.at, 1, len(wanted.until)) <= wanted.until)
    return conditions


def _rows(
    connection: Connection, table: Table, conditions: Conditions, most: int, newest: bool
) -> Sequence[RowMapping]:
    order = table.c.seq.desc() if newest else table.c.seq
    return connection.execute(select(table).where(*conditions).order_by(order).limit(most)).mappings().all()


def _charged(connection: Connection, conditions: Conditions, most: int, newest: bool = False) -> list[Happening]:
    return [_charge(chain.entry_of(row)) for row in _rows(connection, ledger, conditions, most, newest)]


def _noted(connection: Connection, conditions: Conditions, most: int, newest: bool = False) -> list[Happening]:
    entries = (audit_chain.entry_of(row) for row in _rows(connection, audit, conditions, most, newest))
    return [
        Happening(Position(e.ledger, e.seq), e.at, e.kind, e.actor, e.subject, json.loads(e.facts), e.hash)
        for e in entries
    ]


def _charge(entry: chain.Entry) -> Happening:
    facts: dict[str, Any] = {
        "cut": entry.cut,
        "project": entry.project,
        "person": entry.person,
        "release": entry.release,
        "query": entry.query,
        "nanoRho": entry.nano_rho,
        "charge": entry.refers_to,
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return Happening(
        Position(entry.seq), entry.at, entry.kind, entry.key_id, f"release:{entry.release}", known, entry.head.hash
    )
