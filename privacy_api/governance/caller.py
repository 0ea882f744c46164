"""Who asks, however they showed it."""

from __future__ import annotations

from dataclasses import dataclass

from privacy_api.governance.roles import KEY_PERMISSIONS, Permission, permissions_of
from privacy_api.ports import Account, Principal, Session


@dataclass(frozen=True, slots=True)
class Caller:
    """account: of a session or a bearer token, never of an API key. principal: an API key's, or the account's in the
    project that it named (or its only one). session: of a browser."""

    account: Account | None = None
    principal: Principal | None = None
    session: Session | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        if self.account is not None:
            return permissions_of(self.account.roles)
        return frozenset() if self.principal is None else KEY_PERMISSIONS[self.principal.role]

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    @property
    def known(self) -> bool:
        return self.account is not None or self.principal is not None

    @property
    def actor(self) -> str:
        """Who it was, for the record."""
        if self.account is not None:
            return self.account.id
        return "anonymous" if self.principal is None else f"key-{self.principal.key_id}"


ANONYMOUS = Caller()
