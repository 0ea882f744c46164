"""Facts about this installation that are decided once, such as its mode."""

from __future__ import annotations

from sqlalchemy import Engine, insert, select

from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import service


def fact(engine: Engine, name: str) -> str | None:
    with reading(engine) as connection:
        return connection.execute(select(service.c.value).where(service.c.name == name)).scalar()


def settle(engine: Engine, name: str, value: str) -> str:
    """Record the fact unless it is recorded; what stands from now on, which the caller compares with its own."""
    with writing(engine) as connection:
        standing = connection.execute(select(service.c.value).where(service.c.name == name)).scalar()
        if standing is None:
            connection.execute(insert(service).values(name=name, value=value))
    return value if standing is None else standing
