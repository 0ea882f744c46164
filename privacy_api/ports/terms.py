"""The terms on which a cut is asked: the version of its policy that is in force, its cap, and whether it is frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PolicyState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy that was written for a cut. version: 1, 2, … of the cut, whatever the file calls itself. digest: the
    SHA-256 of its text. by, at, why: of its drafting; closed_by, closed: of its publishing or withdrawal."""

    cut: str
    version: int
    text: str
    digest: str
    why: str
    by: str
    at: str
    state: PolicyState = PolicyState.DRAFT
    closed_by: str | None = None
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a cut from `at` on, whole, so that no reader ever meets half of a change.

    number: of all changes of all cuts, in order. policy: digest of the version in force. cap: nano-ρ that are allotted;
    None is all that the policy has. digest: of everything else here; what a charge was asked under, and in the audit
    chain. The terms of a cut that has none yet (in tests) have an empty one.
    """

    number: int = 0
    cut: str = ""
    version: int = 0
    policy: str = ""
    cap: int | None = None
    frozen: bool = False
    by: str = ""
    at: str = ""
    reason: str = ""
    digest: str = ""

    def cap_under(self, policys: int) -> int:
        """nano-ρ that answers may cost in all: what was allotted, and never more than the policy has."""
        return policys if self.cap is None else min(self.cap, policys)


class Outdated(Exception):
    """The terms of the cut have changed since they were read. Read them again, and ask again."""


class CutTerms(Protocol):
    def newest(self) -> str:
        """Digest of the last change to any cut; empty where there is none."""
        ...

    def standing(self) -> Mapping[str, Terms]:
        """By cut: the terms in force."""
        ...

    def of(self, cut: str) -> Terms | None: ...

    def history(self, cut: str) -> list[Terms]:
        """Oldest first."""
        ...

    def append(self, terms: Terms) -> Terms:
        """With its number and digest. For `service.terms`, which records it in the same transaction."""
        ...

    def versions(self, cut: str) -> list[PolicyVersion]:
        """Oldest first."""
        ...

    def version(self, cut: str, version: int) -> PolicyVersion | None: ...

    def add_version(self, version: PolicyVersion) -> PolicyVersion:
        """With the next number of its cut."""
        ...

    def move_version(
        self, cut: str, version: int, before: frozenset[PolicyState], to: PolicyState, by: str | None, at: str | None
    ) -> bool:
        """False, and nothing changed, where it is in none of the states `before`."""
        ...
