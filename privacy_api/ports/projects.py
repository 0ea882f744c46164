"""Who may ask for what: projects, people and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Project:
    """Who may ask for what. cap in nano-ρ over the life of the project; grants name class B and D variables."""

    id: str
    title: str
    cap: int
    grants: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, over all projects and cuts. cap in nano-ρ for life."""

    id: str
    cap: int


class KeyRole(StrEnum):
    """What a key may do beyond asking: a checker may have outputs checked, which tells of exact numbers."""

    RESEARCHER = "researcher"
    CHECKER = "checker"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds an API key: the key's public id, its project, the id of its person if it has one, and its role."""

    key_id: str
    project: Project
    person: str | None = None
    role: KeyRole = KeyRole.RESEARCHER


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it may be shown: never the secret."""

    id: str
    project: str
    label: str
    created: str
    revoked: str | None
    person: str | None = None
    role: KeyRole = KeyRole.RESEARCHER


class Projects(Protocol):
    def create_project(self, project: Project) -> Project: ...

    def project(self, project: str) -> Project | None: ...

    def projects(self) -> list[Project]: ...

    def create_person(self, person: Person) -> Person: ...

    def person(self, person: str) -> Person | None: ...

    def people(self) -> list[Person]: ...

    def create_key(
        self,
        project: str,
        label: str,
        environment: str,
        person: str | None = None,
        role: KeyRole = KeyRole.RESEARCHER,
    ) -> tuple[KeyInfo, str]:
        """The key's record and, this once, the key itself. Its charges count against the person, if it has one."""
        ...

    def issued_keys(self) -> list[KeyInfo]: ...

    def revoke_key(self, key_id: str) -> bool: ...

    def principal(self, key: str) -> Principal | None:
        """Whoever holds this key; None for a wrong, unknown or revoked one (compared in constant time)."""
        ...
