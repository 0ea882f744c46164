"""What was charged, read back: the odometer's numbers."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, RowMapping, func, select

from privacy_api.ports import MODEL, Charge, Day, Spending, StoredRelease
from privacy_api.stores import chain
from privacy_api.stores.packing import UNREADABLE
from privacy_api.stores.schema import ledger, projects
from privacy_api.stores.schema import releases as released

DATE = 10
"""Characters of an ISO 8601 instant that are its date."""


def charges(connection: Connection, cut: str, last: int) -> list[Charge]:
    """Each entry is checked against its own hash."""
    rows = select(ledger).where(ledger.c.cut == cut, ledger.c.kind == "charge").order_by(ledger.c.seq.desc())
    found = [chain.entry_of(row) for row in connection.execute(rows.limit(last)).mappings()]
    return [
        Charge(e.seq, e.at, e.cut, e.project, e.person, e.release, e.nano_rho, e.cut_total, e.cut_delta or 0)
        for e in reversed(found)
    ]


def days(connection: Connection, cut: str, last: int) -> list[Day]:
    """Summed from the end, so that it ends in the balance even if the clock was once set back."""
    date = func.substr(ledger.c.at, 1, DATE)
    rows = (
        select(date, func.count(), func.sum(ledger.c.nano_rho))
        .where(ledger.c.cut == cut, ledger.c.kind == "charge")
        .group_by(date)
        .order_by(date.desc())
        .limit(last)
    )
    so_far, found = chain.cut_spent(connection, cut), []
    for day, count, cost in connection.execute(rows):
        found.append(Day(day, int(count), int(cost), so_far))
        so_far -= int(cost)
    return found[::-1]


def spending(connection: Connection, last: int, project: str, person: str) -> list[Spending]:
    """Charges, whatever came of them, and releases that needed none."""
    whose, so_far = (
        (ledger.c.project == project, ledger.c.project_total)
        if project
        else (ledger.c.person == person, ledger.c.person_total)
    )
    ended = ledger.alias()
    columns = [ledger.c[name] for name in ("at", "cut", "project", "key_id", "release", "query", "nano_rho")]
    free = (ledger.c.kind == "release") & ledger.c.refers_to.is_(None)
    rows = (
        select(*columns, so_far.label("so_far"), ledger.c.kind, ended.c.kind.label("outcome"))
        .join(ended, ended.c.refers_to == ledger.c.seq, isouter=True)
        .where(whose, (ledger.c.kind == "charge") | free)
        .order_by(ledger.c.seq.desc())
        .limit(last)
    )
    return [_spending(row) for row in connection.execute(rows).mappings()]


def _spending(row: RowMapping) -> Spending:
    told = {name: row[name] for name in Spending.__dataclass_fields__ if name != "answered"}
    return Spending(**told, answered="release" in (row["kind"], row["outcome"]))


def releases(connection: Connection, first: int, most: int) -> tuple[list[StoredRelease], int]:
    """Newest first, by their place in the chain; none of a sandbox, and no model."""
    found = released.join(projects, projects.c.id == released.c.project)
    listed = (projects.c.kind == "research") & ~released.c.id.startswith(MODEL)
    total = connection.execute(select(func.count()).select_from(found).where(listed)).scalar_one()
    columns = (released.c[name] for name in ("id", "cut", "project", "created", "body"))
    rows = select(*columns).select_from(found).where(listed).order_by(released.c.entry.desc()).offset(first).limit(most)
    return [release_of(row) for row in connection.execute(rows).mappings()], int(total)


def release_of(row: RowMapping) -> StoredRelease:
    try:
        body = zlib.decompress(row["body"])
    except UNREADABLE:
        raise chain.edited("a stored release cannot be read") from None
    return StoredRelease(row["id"], row["cut"], row["project"], row["created"], body)
