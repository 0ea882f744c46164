"""Accounts and their memberships in the service database."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from privacy_api.ports import Account, AccountStatus, Project, Role
from privacy_api.stores.clock import now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.projects import project_of
from privacy_api.stores.schema import accounts, memberships, projects

_ALPHABET = string.ascii_lowercase + string.digits


class SqlAccounts:
    """The port `Accounts`. What it refuses is a ValueError that says why."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, issuer: str, subject: str, name: str, email: str, roles: frozenset[Role]) -> Account:
        made = Account(_new_id(), issuer, subject, name, email, roles, now())
        with writing(self._engine) as connection:
            if _by_subject(connection, issuer, subject) is not None:
                raise ValueError("the subject has an account already")
            connection.execute(insert(accounts).values(**_row_of(made)))
        return made

    def account(self, account: str) -> Account | None:
        if not account.isprintable():
            return None  # PostgreSQL takes no NUL
        with reading(self._engine) as connection:
            row = connection.execute(select(accounts).where(accounts.c.id == account)).mappings().first()
        return _account_of(row) if row else None

    def by_subject(self, issuer: str, subject: str) -> Account | None:
        with reading(self._engine) as connection:
            return _by_subject(connection, issuer, subject)

    def accounts(self) -> list[Account]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(accounts).order_by(accounts.c.created, accounts.c.id)).mappings()
            return [_account_of(row) for row in rows]

    def update(self, account: Account) -> bool:
        row = _row_of(account)
        changes = {name: row[name] for name in ("name", "email", "roles", "person", "status")}
        with writing(self._engine) as connection:
            return connection.execute(update(accounts).where(accounts.c.id == account.id).values(changes)).rowcount == 1

    def join(self, account: str, project: str) -> bool:
        with writing(self._engine) as connection:
            for kind, table, sought in (("account", accounts, account), ("project", projects, project)):
                if connection.execute(select(table.c.id).where(table.c.id == sought)).first() is None:
                    raise ValueError(f"there is no such {kind}")
            if connection.execute(select(memberships).where(_membership(account, project))).first() is not None:
                return False
            connection.execute(insert(memberships).values(account=account, project=project, joined=now()))
            return True

    def leave(self, account: str, project: str) -> bool:
        if not (account + project).isprintable():
            return False
        with writing(self._engine) as connection:
            return connection.execute(delete(memberships).where(_membership(account, project))).rowcount == 1

    def projects_of(self, account: str) -> list[Project]:
        mine = (
            select(projects)
            .join(memberships, memberships.c.project == projects.c.id)
            .where(memberships.c.account == account)
            .order_by(projects.c.id)
        )
        with reading(self._engine) as connection:
            return [project_of(row) for row in connection.execute(mine).mappings()]

    def members(self, project: str) -> list[Account]:
        theirs = (
            select(accounts)
            .join(memberships, memberships.c.account == accounts.c.id)
            .where(memberships.c.project == project)
            .order_by(accounts.c.id)
        )
        with reading(self._engine) as connection:
            return [_account_of(row) for row in connection.execute(theirs).mappings()]


def _new_id() -> str:
    return "u-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def _membership(account: str, project: str) -> Any:
    return (memberships.c.account == account) & (memberships.c.project == project)


def _by_subject(connection: Connection, issuer: str, subject: str) -> Account | None:
    sought = select(accounts).where(accounts.c.issuer == issuer, accounts.c.subject == subject)
    row = connection.execute(sought).mappings().first()
    return _account_of(row) if row else None


def _row_of(account: Account) -> dict[str, Any]:
    return asdict(account) | {"roles": json.dumps(sorted(account.roles))}


def _account_of(row: RowMapping) -> Account:
    roles = frozenset(Role(role) for role in json.loads(row["roles"]))
    return Account(**{**row, "roles": roles, "status": AccountStatus(row["status"])})
