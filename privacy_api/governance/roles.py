"""The one table of what each role may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from privacy_api.ports import KeyRole, Role


class Permission(StrEnum):
    ASK = "ask"
    """Questions, previews and releases, for a project of one's own."""
    REAL_CUTS = "real-cuts"
    """Of pupils who exist. Without it every cut that is not synthetic is one that does not exist."""
    OWN_KEYS = "own-keys"
    APPLY = "apply"
    CHECK_OUTPUTS = "check-outputs"
    REVIEW_APPLICATIONS = "review-applications"
    DECIDE_APPLICATIONS = "decide-applications"
    VIEW_BUDGETS = "view-budgets"
    SET_BUDGETS = "set-budgets"
    VIEW_POLICIES = "view-policies"
    SET_POLICIES = "set-policies"
    DECIDE_PROPOSALS = "decide-proposals"
    """The second of two people: loosened policies, raised caps, class B and D variables."""
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    VIEW_RED_FLAGS = "view-red-flags"
    VIEW_AUDIT = "view-audit"
    MANAGE_ACCOUNTS = "manage-accounts"
    STAFF = "staff"
    """The staff pages' own front page."""


_P = Permission
_ASKS = frozenset({_P.ASK, _P.OWN_KEYS, _P.APPLY})
_SEES = frozenset({_P.STAFF, _P.VIEW_BUDGETS, _P.VIEW_POLICIES, _P.VIEW_RED_FLAGS})
_DECIDES = _SEES | {_P.REVIEW_APPLICATIONS, _P.DECIDE_APPLICATIONS, _P.DECIDE_PROPOSALS, _P.FREEZE}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.RESEARCHER: _ASKS | {_P.REAL_CUTS},
    Role.DEVELOPER: _ASKS,
    Role.DISCLOSURE_OFFICER: _DECIDES | {_P.SET_POLICIES, _P.SET_BUDGETS, _P.CHECK_OUTPUTS},
    Role.DATA_CUSTODIAN: _DECIDES | {_P.SET_POLICIES, _P.SET_BUDGETS, _P.UNFREEZE, _P.VIEW_AUDIT},
    Role.AUDITOR: _SEES | {_P.VIEW_AUDIT},
    Role.ADMIN: frozenset({_P.STAFF, _P.MANAGE_ACCOUNTS, _P.FREEZE}),
}

KEY_PERMISSIONS: Mapping[KeyRole, frozenset[Permission]] = {
    KeyRole.RESEARCHER: frozenset({_P.ASK}),
    KeyRole.CHECKER: frozenset({_P.ASK, _P.CHECK_OUTPUTS}),
}
"""An API key asks. It never decides, and makes no other key: who finds one must not be able to stay."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    return frozenset().union(*(PERMISSIONS[role] for role in roles))
