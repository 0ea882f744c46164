"""An application for a project: what is asked for, by whom, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Step(IntEnum):
    """The numbered steps; the same for all."""

    PURPOSE = 1
    PEOPLE = 2
    DATA = 3
    SENSITIVE = 4
    PUBLICATION = 5
    FIVE_SAFES = 6
    CHECK = 7


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    START = "start"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Step 1, with whose project it is and on which law it stands. commercial: solely; duplicates_official: statistics
    that are published already. None is not yet answered.
    """

    title: str = ""
    organisation: str = ""
    organisation_type: str = ""
    ico_number: str = ""
    purpose: str = ""
    research_questions: tuple[str, ...] = ()
    public_benefit: str = ""
    audience: str = ""
    commercial: bool | None = None
    duplicates_official: bool | None = None
    legal_gateway: str = ""
    gdpr_article_6: str = ""
    gdpr_article_9: str = ""
    dpia: str = ""
    ethics: str = ""


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Somebody who is to ask. email: as they sign in. accreditation: its number; expires: the date it runs out."""

    name: str = ""
    email: str = ""
    job_title: str = ""
    reason: str = ""
    accreditation: str = ""
    accreditation_expires: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Step 2. The lead is the first."""

    people: tuple[NamedPerson, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptTo:
    """Codes of a variable that questions would keep to, such as terms, or who the cohort is."""

    variable: str = ""
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedData:
    """One data set. references: variables ("la") and bandings ("la.region"). periods: codes of its time variable."""

    data_set: str = ""
    references: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    keeps_to: tuple[KeptTo, ...] = ()


@dataclass(frozen=True, slots=True)
class DataWanted:
    """Step 3, with the dates of the agreement. rho: the budget asked for, as a decimal number."""

    wanted: tuple[WantedData, ...] = ()
    starts: str = ""
    ends: str = ""
    destroy_by: str = ""
    agreement: str = ""
    rho: str = ""


@dataclass(frozen=True, slots=True)
class Justification:
    """Of one sensitive variable. why: it is needed. coarser: why no banding that is offered would do; only where the
    variable itself is asked for and has bandings.
    """

    data_set: str = ""
    reference: str = ""
    why: str = ""
    coarser: str = ""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Step 4."""

    justifications: tuple[Justification, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """Step 5. whatever_they_say: results are published whatever they say."""

    outputs: str = ""
    where: str = ""
    when: str = ""
    whatever_they_say: bool | None = None


@dataclass(frozen=True, slots=True)
class FiveSafes:
    """Step 6: the check list. Each is confirmed or not; notes say what is behind it."""

    people: bool | None = None
    project: bool | None = None
    setting: bool | None = None
    data: bool | None = None
    outputs: bool | None = None
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """All that an applicant writes."""

    purpose: Purpose = field(default_factory=Purpose)
    people: People = field(default_factory=People)
    data: DataWanted = field(default_factory=DataWanted)
    sensitive: Sensitive = field(default_factory=Sensitive)
    publication: Publication = field(default_factory=Publication)
    five_safes: FiveSafes = field(default_factory=FiveSafes)


@dataclass(frozen=True, slots=True)
class Application:
    """number: what people call it by. applicant: an account. changes: the project that it would change, None where it
    is for a new one; project: what came of it. submission: how often it was sent.
    """

    id: str
    number: int
    applicant: str
    state: ApplicationState
    created: str
    content: Content
    changes: str | None = None
    project: str | None = None
    submission: int = 0

    @property
    def reference(self) -> str:
        return f"DS{self.number:05}"


@dataclass(frozen=True, slots=True)
class Moved:
    """That an application was moved, by whom, and to which state."""

    seq: int
    at: str
    actor: str
    move: Move
    state: ApplicationState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    seq: int
    at: str
    author: str
    by_staff: bool
    text: str
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What was sent, as it was sent, for good. digest: SHA-256 of its canonical JSON."""

    number: int
    at: str
    by: str
    content: Content
    digest: str


class Overtaken(Exception):
    """Somebody else moved the application in the meantime."""


class Applications(Protocol):
    def start(
        self, application: str, applicant: str, at: str, changes: str | None, content: Content
    ) -> Application: ...

    def application(self, application: str) -> Application | None: ...

    def applications(self, applicant: str | None = None, state: ApplicationState | None = None) -> list[Application]:
        """Oldest first."""
        ...

    def write(self, application: Application, content: Content) -> None:
        """What the applicant has written so far. Overtaken if it is not as it was read."""
        ...

    def move(
        self, application: Application, move: Move, to: ApplicationState, actor: str, at: str, reason: str = ""
    ) -> Application:
        """To another state, and on the record; SUBMIT keeps what was sent. Overtaken if it is not as it was read."""
        ...

    def settle(self, application: str, project: str) -> None:
        """The project that came of it."""
        ...

    def moves(self, application: str) -> list[Moved]: ...

    def submissions(self, application: str) -> list[Submission]: ...

    def comment(
        self, application: str, author: str, by_staff: bool, at: str, text: str, step: Step | None
    ) -> Comment: ...

    def comments(self, application: str) -> list[Comment]: ...
