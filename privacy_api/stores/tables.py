"""Registered tables in the service database."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, insert, select, update

from privacy_api.ports import AlreadyRegistered, RegisteredTable
from privacy_api.stores.clock import now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import registered_tables

_columns = tuple(registered_tables.c[name] for name in RegisteredTable.__dataclass_fields__)


class SqlTables:
    """The port `Tables`. Ids are checked by the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, table: RegisteredTable) -> RegisteredTable:
        same = select(registered_tables.c.id).where(registered_tables.c.id == table.id)
        with writing(self._engine) as connection:
            if connection.execute(same).first() is not None:
                raise AlreadyRegistered(f"there is a registered table {table.id} already")
            connection.execute(insert(registered_tables).values(**asdict(table)))
        return table

    def table(self, table: str) -> RegisteredTable | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(*_columns).where(registered_tables.c.id == table)).first()
        return RegisteredTable(*row) if row else None

    def tables(self) -> list[RegisteredTable]:
        by_age = select(*_columns).order_by(registered_tables.c.created, registered_tables.c.id)
        with reading(self._engine) as connection:
            return [RegisteredTable(*row) for row in connection.execute(by_age)]

    def withdraw(self, table: str) -> bool:
        """False if there is no such table, or it was withdrawn before."""
        standing = (registered_tables.c.id == table) & registered_tables.c.withdrawn.is_(None)
        with writing(self._engine) as connection:
            return connection.execute(update(registered_tables).where(standing).values(withdrawn=now())).rowcount == 1
