"""Sessions of signed-in browsers in the service database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update

from privacy_api.ports import Session
from privacy_api.stores.clock import text, utc_now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import sessions

IDLE, LIFE = timedelta(minutes=30), timedelta(hours=8)
NOTED_EVERY = timedelta(minutes=1)
"""That a session was used is written down no oftener than this, since reading a page should not be a write."""

_columns = tuple(sessions.c[name] for name in Session.__dataclass_fields__)


class SqlSessions:
    """The port `Sessions`. idle: how long a session may go unused; life: how long it lasts at most."""

    def __init__(
        self,
        engine: Engine,
        idle: timedelta = IDLE,
        life: timedelta = LIFE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine, self._idle, self._life, self._clock = engine, idle, life, clock

    def start(self, account: str, id_token: str | None = None) -> tuple[Session, str]:
        cookie, at = secrets.token_urlsafe(32), self._clock()
        made = Session(
            _digest(cookie), account, secrets.token_hex(32), text(at), text(at), text(at + self._life), id_token
        )
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires <= text(at)))
            connection.execute(insert(sessions).values(**asdict(made)))
        return made, cookie

    def find(self, cookie: str) -> Session | None:
        at = self._clock()
        with reading(self._engine) as connection:
            row = connection.execute(select(*_columns).where(sessions.c.id == _digest(cookie))).first()
        if row is None:
            return None
        found = Session(*row)
        if text(at) >= found.expires or text(at - self._idle) >= found.seen:
            self.end(found.id)
            return None
        return self._noted(found, at)

    def _noted(self, session: Session, at: datetime) -> Session:
        if text(at - min(NOTED_EVERY, self._idle / 10)) < session.seen:
            return session
        with writing(self._engine) as connection:
            connection.execute(update(sessions).where(sessions.c.id == session.id).values(seen=text(at)))
        return replace(session, seen=text(at))

    def end(self, session: str) -> bool:
        with writing(self._engine) as connection:
            return connection.execute(delete(sessions).where(sessions.c.id == session)).rowcount == 1

    def end_all(self, account: str) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete(sessions).where(sessions.c.account == account)).rowcount


def _digest(cookie: str) -> str:
    """A plain hash is enough: a cookie has 256 random bits, which no dictionary holds."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogatepass")).hexdigest()
