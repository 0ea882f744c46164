"""Saved queries in the service database."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, Update, delete, insert, or_, select, update

from privacy_api.ports import SavedQuery
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import saved_queries as table

_columns = tuple(table.c[name] for name in SavedQuery.__dataclass_fields__)


class SqlSavedQueries:
    """The port `SavedQueries`. Whose they are is checked by the caller."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, saved: SavedQuery) -> SavedQuery:
        with writing(self._engine) as connection:
            connection.execute(insert(table).values(**asdict(saved)))
        return saved

    def saved(self, id: str) -> SavedQuery | None:
        if not id.isprintable():
            return None  # PostgreSQL takes no NUL
        with reading(self._engine) as connection:
            row = connection.execute(select(*_columns).where(table.c.id == id)).first()
        return SavedQuery(*row) if row else None

    def of(self, project: str, account: str) -> list[SavedQuery]:
        seen = (table.c.project == project) & or_(table.c.account == account, table.c.shared)
        newest = select(*_columns).where(seen).order_by(table.c.created.desc(), table.c.id)
        with reading(self._engine) as connection:
            return [SavedQuery(*row) for row in connection.execute(newest)]

    def share(self, id: str, shared: bool) -> None:
        self._write(update(table).where(table.c.id == id).values(shared=shared))

    def answered(self, id: str, release: str) -> None:
        self._write(update(table).where(table.c.id == id).values(release=release))

    def delete(self, id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.id == id))

    def _write(self, change: Update) -> None:
        with writing(self._engine) as connection:
            connection.execute(change)
