"""Signing in and out: from somebody the provider vouches for to an account and a session, all on the record."""

from __future__ import annotations

from dataclasses import replace

from privacy_api.ports import (
    DEVELOPMENT_ISSUER,
    Account,
    AccountStatus,
    Identity,
    NotBelieved,
    Role,
    Session,
    Suspended,
)
from privacy_api.service.services import Services
from privacy_api.service.tallies import Refused

NEWCOMER = frozenset({Role.RESEARCHER})
"""Who signs in for the first time may apply for a project, and ask nothing until they are a member of one."""

PEOPLE = (
    Identity(DEVELOPMENT_ISSUER, "ada", "Ada Researcher", "ada@example.org", frozenset({Role.RESEARCHER})),
    Identity(DEVELOPMENT_ISSUER, "dev", "Dev Loper", "dev@example.org", frozenset({Role.DEVELOPER})),
    Identity(DEVELOPMENT_ISSUER, "olive", "Olive Officer", "olive@example.org", frozenset({Role.DISCLOSURE_OFFICER})),
    Identity(DEVELOPMENT_ISSUER, "oscar", "Oscar Officer", "oscar@example.org", frozenset({Role.DISCLOSURE_OFFICER})),
    Identity(DEVELOPMENT_ISSUER, "cora", "Cora Custodian", "cora@example.org", frozenset({Role.DATA_CUSTODIAN})),
    Identity(DEVELOPMENT_ISSUER, "audrey", "Audrey Auditor", "audrey@example.org", frozenset({Role.AUDITOR})),
    Identity(DEVELOPMENT_ISSUER, "adam", "Adam Admin", "adam@example.org", frozenset({Role.ADMIN})),
)
"""The made-up people of a demonstration."""


def sign_in(
    identity: Identity, way: str, services: Services, id_token: str | None = None, ends: Session | None = None
) -> tuple[Account, str]:
    """The account and what its cookie holds. ends: the session that this browser had, which does not outlive this:
    what somebody planted before the sign-in is worth nothing after it."""
    with services.together():
        account = account_of(identity, way, services)
        if account.status is AccountStatus.FROZEN:
            raise Suspended("account")
        if ends is not None:
            services.sessions.end(ends.id)
        session, cookie = services.sessions.start(account.id, id_token)
        facts = {"issuer": identity.issuer, "way": way, "session": _short(session), "roles": sorted(account.roles)}
        services.audit.record("sign-in", account.id, f"account:{account.id}", facts)
    return account, cookie


def account_of(identity: Identity, way: str, services: Services) -> Account:
    """Made at the first sign-in. What the provider says of a person today is what holds; of roles, where it says."""
    found = services.accounts.by_subject(identity.issuer, identity.subject)
    if found is None:
        roles = NEWCOMER if identity.roles is None else identity.roles
        made = services.accounts.create(identity.issuer, identity.subject, identity.name, identity.email, roles)
        facts = {"issuer": identity.issuer, "roles": sorted(roles), "way": way}
        services.audit.record("account-created", made.id, f"account:{made.id}", facts)
        return made
    roles = found.roles if identity.roles is None else identity.roles
    now = replace(found, name=identity.name, email=identity.email, roles=roles)
    if now != found:
        services.accounts.update(now)
    if roles != found.roles:
        facts = {"roles": sorted(roles), "roles_before": sorted(found.roles), "reason": "by the identity provider"}
        services.audit.record("roles-changed", "service", f"account:{found.id}", facts)
    return now


def refused(reason: str, services: Services) -> None:
    """That somebody was not believed, and why, which they are not told. Counted: anybody can have it happen."""
    services.tallies.count(Refused("sign-in-refused", "nobody", "sign-in"), reason)


def sign_out(session: Session, services: Services) -> None:
    with services.together():
        services.sessions.end(session.id)
        facts = {"session": _short(session)}
        services.audit.record("sign-out", session.account, f"account:{session.account}", facts)


def bearer(token: str, services: Services) -> Account:
    """The account of an access token's subject; NotBelieved where they have none."""
    if services.provider is None:
        raise NotBelieved("not-offered")
    identity = services.provider.bearer(token)
    account = services.accounts.by_subject(identity.issuer, identity.subject)
    if account is None:
        raise NotBelieved("no-account")
    return account


def _short(session: Session) -> str:
    """Enough of a session's id to tell it from others on the record."""
    return session.id[:16]
