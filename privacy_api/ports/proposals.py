"""What one person proposes and another decides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ProposalKind(StrEnum):
    """What wants a second person: whatever lets more be known."""

    APPROVE_APPLICATION = "approve-application"
    """Class B or D variables, or a project that is to get more than it has."""
    LOOSEN_PROJECT = "loosen-project"
    """Taking a tightening of a project's policy away, or making it less tight."""
    RAISE_PROJECT_CAP = "raise-project-cap"
    RAISE_CUT_CAP = "raise-cut-cap"
    RAISE_PERSON_CAP = "raise-person-cap"
    LOOSEN_POLICY = "loosen-policy"


class ProposalState(StrEnum):
    OPEN = "open"
    EXECUTED = "executed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposal:
    """subject: what it is about, as the record names it (`application:app-…`, `project:exeter`, `cut:npd`). what: what
    is to be done, as canonical JSON, and told: the same in words for whoever decides; neither ever changes. by: the
    account that proposed. lapses: from then on it can no longer be approved.
    """

    id: str
    kind: ProposalKind
    subject: str
    what: str
    told: str
    why: str
    by: str
    at: str
    lapses: str
    state: ProposalState = ProposalState.OPEN
    closed_by: str | None = None
    closed: str | None = None
    reason: str | None = None


class Proposals(Protocol):
    def add(self, proposal: Proposal) -> Proposal:
        """ValueError where the same is proposed of the same subject and open."""
        ...

    def proposal(self, proposal: str) -> Proposal | None: ...

    def proposals(self, state: ProposalState | None = None, subject: str | None = None) -> list[Proposal]:
        """Oldest first."""
        ...

    def close(self, proposal: str, state: ProposalState, by: str, at: str, reason: str) -> bool:
        """False, and nothing changed, where it is not open."""
        ...
