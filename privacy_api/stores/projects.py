"""Projects, people and API keys in the service database."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Select,
    Table,
    func,
    insert,
    select,
    true,
    update,
)

from datasets.scope import DataSetScope
from privacy_api.governance.roles import Permission, permissions_of
from privacy_api.ports import (
    AccountStatus,
    KeyInfo,
    KeyRole,
    Person,
    Principal,
    Project,
    ProjectKind,
    Role,
    Suspended,
)
from privacy_api.stores.clock import now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.keys import new_key, opens, parse_key
from privacy_api.stores.schema import accounts, api_keys, memberships, people, projects

LARGEST_CAP = 2**63 - 1
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class SqlProjects:
    """The port `Projects`. What it refuses is a ValueError that says why."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_project(self, project: Project) -> Project:
        _refuse_malformed(project)
        with writing(self._engine) as connection:
            if _project(connection, project.id) is not None:
                raise ValueError(f"there is a project {project.id} already")
            connection.execute(insert(projects).values(**_row_of(project), created=now()))
        return project

    def change_project(self, project: Project) -> None:
        _refuse_malformed(project)
        changed = {name: value for name, value in _row_of(project).items() if name not in ("id", "kind", "frozen")}
        with writing(self._engine) as connection:
            change = update(projects).where(projects.c.id == project.id).values(**changed)
            if connection.execute(change).rowcount != 1:
                raise ValueError("there is no such project")

    def project(self, project: str) -> Project | None:
        with reading(self._engine) as connection:
            return _project(connection, project)

    def projects(self, kind: ProjectKind | None = None) -> list[Project]:
        wanted = true() if kind is None else projects.c.kind == kind
        with reading(self._engine) as connection:
            rows = connection.execute(select(projects).where(wanted).order_by(projects.c.id)).mappings()
            return [project_of(row) for row in rows]

    def create_person(self, person: Person) -> Person:
        _refuse_bad_id("person", person.id)
        _refuse_bad_cap("person", person.cap)
        with writing(self._engine) as connection:
            if _person(connection, person.id) is not None:
                raise ValueError(f"there is a person {person.id} already")
            connection.execute(insert(people).values(id=person.id, cap=person.cap, created=now()))
        return person

    def person(self, person: str) -> Person | None:
        with reading(self._engine) as connection:
            return _person(connection, person)

    def people(self) -> list[Person]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(people.c.id, people.c.cap).order_by(people.c.id))
            return [Person(row.id, row.cap) for row in rows]

    def create_key(
        self,
        project: str,
        label: str,
        environment: str,
        person: str | None = None,
        role: KeyRole = KeyRole.RESEARCHER,
        account: str | None = None,
        expires: str | None = None,
    ) -> tuple[KeyInfo, str]:
        key = new_key(environment)
        info = KeyInfo(key.id, project, label, now(), None, person, role, account, expires)
        with writing(self._engine) as connection:
            if _project(connection, project) is None:
                raise ValueError("there is no such project")
            if person is not None and _person(connection, person) is None:
                raise ValueError("there is no such person")
            if account is not None and not _is_member(connection, account, project):
                raise ValueError("there is no such account in the project")
            row = asdict(info) | {"environment": environment, "secret_sha256": key.secret_sha256}
            connection.execute(insert(api_keys).values(**row))
        return info, key.text

    def set_cap(self, scope: str, name: str, cap: int) -> bool:
        table = {"project": projects, "person": people}[scope]
        _refuse_bad_cap(scope, cap)
        with writing(self._engine) as connection:
            return connection.execute(update(table).where(table.c.id == name).values(cap=cap)).rowcount == 1

    def issued_keys(self) -> list[KeyInfo]:
        return self._keys(true())

    def keys_of(self, account: str) -> list[KeyInfo]:
        return self._keys(api_keys.c.account == account)

    def key(self, key_id: str) -> KeyInfo | None:
        return next(iter(self._keys(api_keys.c.id == key_id)), None) if key_id.isprintable() else None

    def _keys(self, wanted: ColumnElement[bool]) -> list[KeyInfo]:
        columns = (api_keys.c[name] for name in KeyInfo.__dataclass_fields__)
        shown = select(*columns).where(wanted).order_by(api_keys.c.created, api_keys.c.id)
        with reading(self._engine) as connection:
            return [KeyInfo(**{**row, "role": KeyRole(row["role"])}) for row in connection.execute(shown).mappings()]

    def move_key(self, key_id: str, project: str) -> bool:
        with writing(self._engine) as connection:
            moved = update(api_keys).where(api_keys.c.id == key_id).values(project=project)
            return connection.execute(moved).rowcount == 1

    def founded(self, kind: ProjectKind, since: str) -> int:
        made = select(func.count()).where(projects.c.kind == kind, projects.c.created >= since)
        with reading(self._engine) as connection:
            return int(connection.execute(made).scalar_one())

    def revoke_key(self, key_id: str) -> bool:
        """False if there is no such key, or it was revoked before."""
        valid = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
        with writing(self._engine) as connection:
            return connection.execute(update(api_keys).where(valid).values(revoked=now())).rowcount == 1

    def freeze_key(self, key_id: str, frozen: bool) -> bool:
        return self._freeze(api_keys, key_id, frozen)

    def freeze_project(self, project: str, frozen: bool) -> bool:
        return self._freeze(projects, project, frozen)

    def _freeze(self, table: Table, found: str, frozen: bool) -> bool:
        other = table.c.frozen.is_(None) if frozen else table.c.frozen.is_not(None)
        change = update(table).where(table.c.id == found, other).values(frozen=now() if frozen else None)
        with writing(self._engine) as connection:
            return connection.execute(change).rowcount == 1

    def principal(self, key: str) -> Principal | None:
        parsed = parse_key(key)
        if parsed is None:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(_holder(parsed.id, parsed.environment)).mappings().first()
        opened = opens(parsed, row["secret_sha256"] if row else None)
        if row is None or not opened or row["revoked"] is not None:
            return None
        permissions = _permissions(row)
        if row["account"] is not None and (row["member"] is None or Permission.ASK not in permissions):
            return None
        _refuse_suspended(row)
        project = project_of(row)
        synthetic_only = project.kind is ProjectKind.SANDBOX or Permission.REAL_CUTS not in permissions
        person = row["person"] or row["account_person"]
        return Principal(parsed.id, project, person, KeyRole(row["role"]), synthetic_only)


def _holder(key_id: str, environment: str) -> Select[Any]:
    """The key, its project, and its account if it has one, which must still be a member."""
    key_columns = (api_keys.c[name] for name in ("secret_sha256", "revoked", "person", "role", "account"))
    member = (memberships.c.account == api_keys.c.account) & (memberships.c.project == api_keys.c.project)
    return (
        select(
            projects,
            *key_columns,
            api_keys.c.frozen.label("key_frozen"),
            api_keys.c.expires.label("key_expires"),
            accounts.c.status.label("account_status"),
            accounts.c.roles.label("account_roles"),
            accounts.c.person.label("account_person"),
            memberships.c.account.label("member"),
        )
        .join(api_keys, api_keys.c.project == projects.c.id)
        .outerjoin(accounts, accounts.c.id == api_keys.c.account)
        .outerjoin(memberships, member)
        .where(api_keys.c.id == key_id, api_keys.c.environment == environment)
    )


def _refuse_suspended(row: RowMapping) -> None:
    if row["key_frozen"] is not None:
        raise Suspended("key")
    if row["account_status"] == AccountStatus.FROZEN:
        raise Suspended("account")
    if row["key_expires"] is not None and row["key_expires"] <= now():
        raise Suspended("key", ended=True)


def _permissions(row: RowMapping) -> frozenset[Permission]:
    """Of the key's account, by its roles as they are now; of a key of no account, all that a key may do."""
    if row["account"] is None:
        return frozenset({Permission.ASK, Permission.REAL_CUTS})
    return permissions_of(Role(role) for role in json.loads(row["account_roles"]))


def _is_member(connection: Connection, account: str, project: str) -> bool:
    found = select(memberships.c.account).where(memberships.c.account == account, memberships.c.project == project)
    return connection.execute(found).first() is not None


def _refuse_malformed(project: Project) -> None:
    _refuse_bad_id("project", project.id)
    _refuse_bad_cap("project", project.cap)


def _refuse_bad_id(kind: str, name: str) -> None:
    if not _ID.fullmatch(name):
        raise ValueError(f"a {kind} id is 1 to 63 of a-z, 0-9 and -, and does not start with -")


def _refuse_bad_cap(kind: str, cap: int) -> None:
    if not 0 <= cap <= LARGEST_CAP:
        raise ValueError(f"the cap of a {kind} is between 0 and 2**63 - 1 nano-ρ")


def _person(connection: Connection, person: str) -> Person | None:
    if not person.isprintable():
        return None  # PostgreSQL takes no NUL
    row = connection.execute(select(people).where(people.c.id == person)).first()
    return Person(row.id, row.cap) if row else None


def _project(connection: Connection, project: str) -> Project | None:
    if not project.isprintable():
        return None  # PostgreSQL takes no NUL
    row = connection.execute(select(projects).where(projects.c.id == project)).mappings().first()
    return project_of(row) if row else None


def _row_of(project: Project) -> dict[str, Any]:
    return {
        **{name: getattr(project, name) for name in ("id", "title", "cap", "kind", "expires", "frozen")},
        "grants": json.dumps(sorted(project.grants)),
        "scope": None if project.scope is None else _scope_text(project.scope),
        "tightening": json.dumps(dict(project.tightening), sort_keys=True),
    }


def _scope_text(scope: Mapping[str, DataSetScope]) -> str:
    value = {
        name: {"references": sorted(each.references), "within": {v: sorted(c) for v, c in each.within.items()}}
        for name, each in scope.items()
    }
    return json.dumps(value, sort_keys=True)


def _scope_of(text: str) -> Mapping[str, DataSetScope]:
    return {
        name: DataSetScope(frozenset(each["references"]), {v: frozenset(c) for v, c in each["within"].items()})
        for name, each in json.loads(text).items()
    }


def project_of(row: RowMapping) -> Project:
    return Project(
        id=row["id"],
        title=row["title"],
        cap=row["cap"],
        grants=frozenset(json.loads(row["grants"])),
        kind=ProjectKind(row["kind"]),
        expires=row["expires"],
        frozen=row["frozen"],
        scope=None if row["scope"] is None else _scope_of(row["scope"]),
        tightening=json.loads(row["tightening"]),
    )
