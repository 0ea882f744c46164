"""Who may ask for what: projects, people and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from datasets.scope import DataSetScope


class ProjectKind(StrEnum):
    """RESEARCH: somebody decided on it. SANDBOX: anybody's, to try the service with; synthetic cuts only."""

    RESEARCH = "research"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Project:
    """Who may ask for what. cap in nano-ρ over the life of the project; grants name class B and D variables.
    frozen: since when nobody may ask for it; expires: from when on nobody may. scope: by data set, what it may ask of
    it; None for all there is. tightening: of the policies of its cuts, by `table.key`."""

    id: str
    title: str
    cap: int
    grants: frozenset[str]
    kind: ProjectKind = ProjectKind.RESEARCH
    expires: str | None = None
    frozen: str | None = None
    scope: Mapping[str, DataSetScope] | None = None
    tightening: Mapping[str, int] = field(default_factory=dict)


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
    """Whoever asks for a project: the public id of their API key (web-… where an account asks without one), the id of
    its person if it has one, and its role. synthetic_only: real cuts do not exist for them."""

    key_id: str
    project: Project
    person: str | None = None
    role: KeyRole = KeyRole.RESEARCHER
    synthetic_only: bool = False


class Suspended(Exception):
    """The right secret of something that does not open anything now. what: key, account or project; ended: it expired,
    rather than that somebody froze it."""

    def __init__(self, what: str, ended: bool = False) -> None:
        super().__init__(what)
        self.what, self.ended = what, ended


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
    account: str | None = None
    expires: str | None = None
    frozen: str | None = None


class Projects(Protocol):
    def create_project(self, project: Project) -> Project: ...

    def change_project(self, project: Project) -> None:
        """Title, cap, grants, scope, tightening and end; ValueError where there is no such project."""
        ...

    def project(self, project: str) -> Project | None: ...

    def projects(self, kind: ProjectKind | None = None) -> list[Project]:
        """By id; of one kind, since sandboxes come to be many."""
        ...

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
        account: str | None = None,
        expires: str | None = None,
    ) -> tuple[KeyInfo, str]:
        """The key's record and, this once, the key itself. Its charges count against the person, if it has one.
        account: whose key it is, and without whom it does not open."""
        ...

    def set_cap(self, scope: str, name: str, cap: int) -> bool:
        """scope: "project" or "person"; False if there is none of this id. For `service.caps`, which records it."""
        ...

    def issued_keys(self) -> list[KeyInfo]: ...

    def keys_of(self, account: str) -> list[KeyInfo]:
        """Those of an account, oldest first; revoked and ended ones among them."""
        ...

    def key(self, key_id: str) -> KeyInfo | None: ...

    def move_key(self, key_id: str, project: str) -> bool: ...

    def founded(self, kind: ProjectKind, since: str) -> int:
        """How many projects of the kind were made since then."""
        ...

    def revoke_key(self, key_id: str) -> bool: ...

    def freeze_key(self, key_id: str, frozen: bool) -> bool:
        """False if nothing changed."""
        ...

    def freeze_project(self, project: str, frozen: bool) -> bool:
        """False if nothing changed."""
        ...

    def principal(self, key: str) -> Principal | None:
        """Whoever holds this key; None for a wrong, unknown or revoked one (compared in constant time), and for one
        whose account left the project. Suspended for one that is frozen or has ended, or whose account or project is.
        """
        ...
