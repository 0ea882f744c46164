"""Who signs in: accounts, which projects they belong to, and their sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from privacy_api.ports.projects import Project

_ACCOUNT_ID = re.compile(r"u-[a-z0-9]{12}")


class Role(StrEnum):
    """What an account is in the service. What each role may do: governance/roles.py."""

    RESEARCHER = "researcher"
    DEVELOPER = "developer"
    DISCLOSURE_OFFICER = "disclosure-officer"
    DATA_CUSTODIAN = "data-custodian"
    AUDITOR = "auditor"
    ADMIN = "admin"


ALONE = frozenset({Role.AUDITOR, Role.ADMIN})
"""Roles that an account has alone: who watches, and who hands out roles, does not decide anything else."""


DEVELOPMENT_ISSUER = "urn:privacy-api:development"
"""Of the made-up people of a demonstration, whom nobody proves to be."""


class AccountStatus(StrEnum):
    ACTIVE = "active"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Account:
    """issuer and subject: who they are at the identity provider, for good. person: whose lifetime cap counts."""

    id: str
    issuer: str
    subject: str
    name: str
    email: str
    roles: frozenset[Role]
    created: str
    person: str | None = None
    status: AccountStatus = AccountStatus.ACTIVE

    def __post_init__(self) -> None:
        if not _ACCOUNT_ID.fullmatch(self.id):
            raise ValueError("an account id is u- and 12 of a-z, 0-9")
        if not (self.issuer and self.subject):
            raise ValueError("an account has an issuer and a subject")
        refuse_conflicting(self.roles)


def refuse_conflicting(roles: frozenset[Role]) -> None:
    if roles & ALONE and len(roles) > 1:
        raise ValueError(f"the roles {', '.join(sorted(ALONE))} are held alone, not with others")


@dataclass(frozen=True, slots=True)
class Membership:
    """An account asks, and has keys, for the projects it is a member of."""

    account: str
    project: str


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. id: SHA-256 of what its cookie holds. csrf: the secret that its forms are proved with.
    id_token: what the provider wants to hear at sign-out, if it signs out."""

    id: str
    account: str
    csrf: str = field(repr=False)
    created: str
    seen: str
    expires: str
    id_token: str | None = field(default=None, repr=False)


class Accounts(Protocol):
    def create(self, issuer: str, subject: str, name: str, email: str, roles: frozenset[Role]) -> Account:
        """ValueError where the provider's subject has an account already, or the roles do not go together."""
        ...

    def account(self, account: str) -> Account | None: ...

    def by_subject(self, issuer: str, subject: str) -> Account | None: ...

    def accounts(self) -> list[Account]: ...

    def update(self, account: Account) -> bool:
        """Name, email, roles, person and status; False if there is no such account."""
        ...

    def join(self, account: str, project: str) -> bool:
        """False if the account was a member before; ValueError if there is no such account or project."""
        ...

    def leave(self, account: str, project: str) -> bool: ...

    def projects_of(self, account: str) -> list[Project]:
        """The projects that the account is a member of, by id; frozen and ended ones among them."""
        ...

    def members(self, project: str) -> list[Account]: ...


class Sessions(Protocol):
    def start(self, account: str, id_token: str | None = None) -> tuple[Session, str]:
        """A new session and, this once, what its cookie holds."""
        ...

    def find(self, cookie: str) -> Session | None:
        """The session, which counts as used now; None if unknown, ended, idle for too long or too old."""
        ...

    def end(self, session: str) -> bool: ...

    def end_all(self, account: str) -> int: ...
