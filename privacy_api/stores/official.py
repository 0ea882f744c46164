"""Tables released in `official` mode, which the next release of their scope is protected with regard to.

Every stored table of a scope was protected with regard to all those stored before it. *Proof.* Writers take turns
(`database.writing`), and entries are numbered in the order of their commits. The transaction that appends a charge also
reads the tables of its scope: they are those with entries below the charge. The transaction that stores a table does so
only if none of the scope has an entry above the charge, and no other writer comes between that look and its commit. So
what was read at the reservation is all that there is when the table is stored. ∎
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, RowMapping, insert, select

from privacy_api.ports import ReleasedTable, Reserved
from privacy_api.stores.chain import edited
from privacy_api.stores.packing import UNREADABLE, PackedTable, pack_table, unpack_table
from privacy_api.stores.schema import official_tables


def released(connection: Connection, scope: str) -> tuple[ReleasedTable, ...]:
    """Every table of the scope, oldest first; none where there is no scope."""
    if not scope:
        return ()
    rows = select(official_tables).where(official_tables.c.scope == scope).order_by(official_tables.c.entry)
    return tuple(_unpacked(row) for row in connection.execute(rows).mappings())


def released_since(connection: Connection, scope: str, charge: int) -> bool:
    if not scope:
        return False
    later = (official_tables.c.scope == scope) & (official_tables.c.entry > charge)
    return connection.execute(select(official_tables.c.entry).where(later).limit(1)).first() is not None


def packed(reserved: Reserved, table: ReleasedTable | None) -> PackedTable | None:
    """Wanted where the request has a scope and pays for anything; ValueError where it is missing, or not wanted."""
    scope = reserved.request.scope
    if (table is not None) != bool(scope and reserved.charge is not None):
        raise ValueError("a table is stored with what a request with a scope has paid for, and with nothing else")
    return None if table is None else pack_table(scope, table)


def insert_table(connection: Connection, cut: str, entry: int, table: PackedTable) -> None:
    connection.execute(insert(official_tables).values(**asdict(table), cut=cut, entry=entry))


def packed_of(row: RowMapping) -> PackedTable:
    return PackedTable(row["scope"], row["population"], row["keys"], row["hidden"])


def _unpacked(row: RowMapping) -> ReleasedTable:
    try:
        return unpack_table(packed_of(row))
    except UNREADABLE:
        raise edited("a released table cannot be read") from None
