"""Projects, people and API keys in the service database."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, insert, select, update

from privacy_api.ports import KeyInfo, KeyRole, Person, Principal, Project
from privacy_api.stores.clock import now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.keys import new_key, opens, parse_key
from privacy_api.stores.schema import api_keys, people, projects

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

    def project(self, project: str) -> Project | None:
        with reading(self._engine) as connection:
            return _project(connection, project)

    def projects(self) -> list[Project]:
        with reading(self._engine) as connection:
            rows = connection.execute(select(projects).order_by(projects.c.id)).mappings()
            return [_project_of(row) for row in rows]

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
    ) -> tuple[KeyInfo, str]:
        key = new_key(environment)
        info = KeyInfo(key.id, project, label, now(), None, person, role)
        with writing(self._engine) as connection:
            if _project(connection, project) is None:
                raise ValueError("there is no such project")
            if person is not None and _person(connection, person) is None:
                raise ValueError("there is no such person")
            connection.execute(
                insert(api_keys).values(
                    id=key.id,
                    project=project,
                    label=label,
                    environment=environment,
                    secret_sha256=key.secret_sha256,
                    created=info.created,
                    person=person,
                    role=role,
                )
            )
        return info, key.text

    def issued_keys(self) -> list[KeyInfo]:
        columns = (api_keys.c[name] for name in ("id", "project", "label", "created", "revoked", "person", "role"))
        shown = select(*columns).order_by(api_keys.c.created, api_keys.c.id)
        with reading(self._engine) as connection:
            return [KeyInfo(**{**row, "role": KeyRole(row["role"])}) for row in connection.execute(shown).mappings()]

    def revoke_key(self, key_id: str) -> bool:
        """False if there is no such key, or it was revoked before."""
        valid = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
        with writing(self._engine) as connection:
            return connection.execute(update(api_keys).where(valid).values(revoked=now())).rowcount == 1

    def principal(self, key: str) -> Principal | None:
        parsed = parse_key(key)
        if parsed is None:
            return None
        with reading(self._engine) as connection:
            row = connection.execute(_holder(parsed.id, parsed.environment)).mappings().first()
        opened = opens(parsed, row["secret_sha256"] if row else None)
        if row is None or not opened or row["revoked"] is not None:
            return None
        return Principal(parsed.id, _project_of(row), row["person"], KeyRole(row["role"]))


def _holder(key_id: str, environment: str) -> Select[Any]:
    return (
        select(projects, api_keys.c.secret_sha256, api_keys.c.revoked, api_keys.c.person, api_keys.c.role)
        .join(api_keys, api_keys.c.project == projects.c.id)
        .where(api_keys.c.id == key_id, api_keys.c.environment == environment)
    )


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
    row = connection.execute(select(people).where(people.c.id == person)).first()
    return Person(row.id, row.cap) if row else None


def _project(connection: Connection, project: str) -> Project | None:
    row = connection.execute(select(projects).where(projects.c.id == project)).mappings().first()
    return _project_of(row) if row else None


def _row_of(project: Project) -> dict[str, Any]:
    grants = json.dumps(sorted(project.grants))
    return {"id": project.id, "title": project.title, "cap": project.cap, "grants": grants}


def _project_of(row: RowMapping) -> Project:
    return Project(row["id"], row["title"], row["cap"], frozenset(json.loads(row["grants"])))
