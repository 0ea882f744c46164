from __future__ import annotations

import pytest

from privacy_api.governance.caller import ANONYMOUS, Caller
from privacy_api.governance.roles import KEY_PERMISSIONS, PERMISSIONS, Permission
from privacy_api.ports import Account, KeyRole, Principal, Project, Role

DECIDES = {Permission.DECIDE_APPLICATIONS, Permission.DECIDE_PROPOSALS}


def account(*roles: Role) -> Account:
    return Account(
        "u-abcdefghijkl", "https://issuer.example", "1", "Ada", "", frozenset(roles), "2026-11-21T12:00:00+00:00"
    )


def test_every_role_has_permissions_and_every_permission_a_role() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert frozenset().union(*PERMISSIONS.values()) == set(Permission)
    assert set(KEY_PERMISSIONS) == set(KeyRole)


def test_who_watches_and_who_hands_out_roles_decides_nothing() -> None:
    assert not PERMISSIONS[Role.AUDITOR] & (DECIDES | {Permission.ASK, Permission.MANAGE_ACCOUNTS, Permission.FREEZE})
    assert not PERMISSIONS[Role.ADMIN] & (DECIDES | {Permission.ASK, Permission.VIEW_AUDIT, Permission.UNFREEZE})


@pytest.mark.parametrize("alone", [Role.AUDITOR, Role.ADMIN])
@pytest.mark.parametrize("other", [Role.RESEARCHER, Role.DISCLOSURE_OFFICER])
def test_they_hold_no_other_role(alone: Role, other: Role) -> None:
    assert account(alone).roles == {alone}
    with pytest.raises(ValueError, match="alone"):
        account(alone, other)


def test_only_researchers_reach_real_cuts() -> None:
    assert [role for role in Role if Permission.REAL_CUTS in PERMISSIONS[role]] == [Role.RESEARCHER]


def test_a_caller_may_what_its_roles_may_or_its_key() -> None:
    key = Caller(principal=Principal("k", Project("p", "P", 1, frozenset())))
    assert key.permissions == {Permission.ASK}
    assert not ANONYMOUS.permissions
    both = Caller(account(Role.RESEARCHER, Role.DISCLOSURE_OFFICER))
    assert both.may(Permission.ASK)
    assert both.may(Permission.DECIDE_PROPOSALS)
    assert Caller(account(), key.principal).permissions == frozenset(), "an account's key role adds nothing"
    assert (key.actor, ANONYMOUS.actor, both.actor) == ("key-k", "anonymous", "u-abcdefghijkl")
