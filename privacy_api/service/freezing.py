"""Freezing a cut, by one person and at once: every server refuses at its next request."""

from __future__ import annotations

from privacy_api.governance.approvals import bar_of_proposing
from privacy_api.ports import Terms
from privacy_api.service.policy_versions import standing_terms
from privacy_api.service.proposals import interested, unbarred
from privacy_api.service.services import Services
from privacy_api.service.terms import change_terms


def freeze_cut(cut: str, why: str, by: str, services: Services) -> Terms:
    return _set(cut, True, why, by, services)


def unfreeze_cut(cut: str, why: str, by: str, services: Services) -> Terms:
    """By somebody who has no questions of their own that wait for it."""
    unbarred(lambda: bar_of_proposing(by, interested(f"cut:{cut}", services), why))
    return _set(cut, False, why, by, services)


def _set(cut: str, frozen: bool, why: str, by: str, services: Services) -> Terms:
    """A cut that is so already stays as it is, and nothing is recorded."""
    with services.together():
        standing = standing_terms(cut, services)
        if standing.frozen == frozen:
            return standing
        kind = "cut-frozen" if frozen else "cut-unfrozen"
        return change_terms(standing, kind, by, services.now(), why, {}, services, frozen=frozen)
