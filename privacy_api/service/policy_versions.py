"""Versions of a cut's policy: drafted, compared with the one in force, tried on synthetic data, published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets.official.fits import misfits
from disclosure.policy import Change, Difference, PolicyRefused, compare, load_policy
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import PolicyState, PolicyVersion, Terms
from privacy_api.service.cuts import HostedCut
from privacy_api.service.services import Services
from privacy_api.service.terms import change_terms

OPEN = frozenset({PolicyState.DRAFT, PolicyState.PROPOSED})
CLOSED = "This version was published or withdrawn already."
LONGEST = 1_800
"""Characters of what is told of a review: it has to fit on the record."""


@dataclass(frozen=True, slots=True)
class Review:
    """A version beside the one that is in force. since: digest of the terms it was compared under."""

    version: PolicyVersion
    in_force: int
    differences: tuple[Difference, ...]
    since: str

    @property
    def loosens(self) -> tuple[str, ...]:
        return _places(self.differences, Change.LOOSENS)

    @property
    def tightens(self) -> tuple[str, ...]:
        return _places(self.differences, Change.TIGHTENS)

    @property
    def facts(self) -> dict[str, Any]:
        """For the record."""
        told = {"version": str(self.version.version), "policy": self.version.digest}
        return {**told, "loosens": list(self.loosens), "tightens": list(self.tightens)}

    @property
    def what(self) -> Mapping[str, Any]:
        """What a proposal to publish it names: it is done under these terms or not at all."""
        name = {"cut": self.version.cut, "version": self.version.version, "policy": self.version.digest}
        return {**name, "since": self.since}

    @property
    def told(self) -> str:
        changes = "; ".join(map(str, self.differences)) or "nothing"
        changes = changes if len(changes) <= LONGEST else f"{changes[:LONGEST]}… (all of it is in the review)"
        return f"Publish version {self.version.version} of the policy of {self.version.cut}, which changes: {changes}."


def draft(cut: str, text: str, why: str, by: str, services: Services) -> Review:
    """Stored as the cut's next version; nothing is in force of it yet."""
    hosted = find_cut(cut, services)
    try:
        problems = misfits(load_policy(text), hosted.catalogue)
    except PolicyRefused as refused:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=str(refused)) from None
    if problems:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="\n".join(problems))
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest == standing_terms(cut, services).policy:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="This is the policy that is in force.")
    with services.together():
        made = services.terms.add_version(PolicyVersion(cut, 0, text, digest, why, by, services.now()))
        found = review(cut, made.version, services)
        services.audit.record("policy-drafted", by, f"cut:{cut}", {**found.facts, "reason": why})
    return found


def review(cut: str, version: int, services: Services) -> Review:
    """What it would change, rule by rule, and which way."""
    terms = standing_terms(cut, services)
    standing = services.terms.version(cut, terms.version)
    found = find_version(cut, version, services)
    differences = compare(standing.text if standing else "", found.text)
    return Review(found, terms.version, differences, terms.digest)


def refuse_closed(version: PolicyVersion) -> None:
    if version.state not in OPEN:
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=CLOSED)


def publish_proposed(what: Mapping[str, Any], why: str, by: str, proposal: str, services: Services) -> Terms:
    """Once a second person has approved it. ApiError where the terms have changed since it was compared."""
    found = review(str(what["cut"]), int(what["version"]), services)
    if (found.since, found.version.digest) != (what["since"], what["policy"]):
        detail = "The terms of the cut have changed since this was proposed: compare it again, and propose it anew."
        raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
    return put_in_force(found, why, by, proposal, services)


def put_in_force(found: Review, why: str, by: str, proposal: str | None, services: Services) -> Terms:
    """In every server from the commit on."""
    cut, version, now = found.version.cut, found.version.version, services.now()
    with services.together():
        standing = standing_terms(cut, services)
        if standing.digest != found.since:
            raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail="The terms of the cut have just changed: look again.")
        if not services.terms.move_version(cut, version, OPEN, PolicyState.PUBLISHED, by, now):
            raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=CLOSED)
        facts = found.facts | ({"proposal": proposal} if proposal else {})
        changes = {"version": version, "policy": found.version.digest}
        return change_terms(standing, "policy-published", by, now, why, facts, services, **changes)


def mark_proposed(cut: str, version: int, services: Services) -> None:
    services.terms.move_version(cut, version, OPEN, PolicyState.PROPOSED, None, None)


def withdraw(cut: str, version: int, why: str, by: str, services: Services) -> None:
    """A version that is not to be published after all."""
    found, now = find_version(cut, version, services), services.now()
    with services.together():
        if not services.terms.move_version(cut, version, OPEN, PolicyState.WITHDRAWN, by, now):
            raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=CLOSED)
        facts = {"version": str(version), "policy": found.digest, "reason": why}
        services.audit.record("policy-withdrawn", by, f"cut:{cut}", facts)


def find_version(cut: str, version: int, services: Services) -> PolicyVersion:
    found = services.terms.version(cut, version)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail="There is no such version of the policy of this cut.")
    return found


def standing_terms(cut: str, services: Services) -> Terms:
    found = services.terms.of(cut)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail="There is no cut of this id.")
    return found


def find_cut(cut: str, services: Services) -> HostedCut:
    found = next((h.cut for h in services.data_sets.values() if h.cut.catalogue.cut == cut), None)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail="There is no cut of this id.")
    return found


def _places(differences: tuple[Difference, ...], change: Change) -> tuple[str, ...]:
    return tuple(each.place for each in differences if each.change is change)
