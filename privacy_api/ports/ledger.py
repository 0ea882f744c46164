"""Charges before anything is measured, releases after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from datasets.official.released import ReleasedCells
from disclosure.accounting import Event
from disclosure.refine import Paid
from disclosure.tables import Measurement
from privacy_api.ports.projects import Person, Principal, Project
from privacy_api.ports.terms import Terms


@dataclass(frozen=True, slots=True)
class Wanted:
    """One measurement that an answer needs. `event.question` is its fingerprint; `event.nano_rho` its price now."""

    event: Event

    @property
    def question(self) -> str:
        return self.event.question


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedTable:
    """What later `official` releases of a data set must know of an earlier one. population: whose numbers, and by what,
    as JSON; cells: which were shown and which hidden.
    """

    population: str
    cells: ReleasedCells


@dataclass(frozen=True, slots=True)
class Request:
    """A reservation asked for. release: id of the release it is for; query: its canonical JSON, for the record.
    delta_cap: of the cut, in atto-δ. scope: the data set (of one cut version) whose `official` tables are protected
    with regard to each other; empty where there is noise. terms: of the cut, that it was asked under.
    """

    principal: Principal
    cut: str
    cut_cap: int
    release: str
    query: str
    wanted: tuple[Wanted, ...]
    delta_cap: int = 0
    scope: str = ""
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Reserved:
    """The charge is durable. stored: by question, what was measured before (free). missing: what this charge pays for;
    where the question is also in `stored`, the new measurement adds to the old one, and costs the difference.
    earlier: every released table of the request's scope, oldest first.
    """

    request: Request
    charge: int | None
    nano_rho: int
    stored: Mapping[str, Paid]
    missing: tuple[Wanted, ...]
    earlier: tuple[ReleasedTable, ...] = ()


MODEL = "syn-"
"""What the id of a release begins with that is a model, not an answer: a file of its own kind."""


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A citable protected answer as it was first given: `body` is its JSON."""

    id: str
    cut: str
    project: str
    created: str
    body: bytes

    @property
    def is_model(self) -> bool:
        return self.id.startswith(MODEL)


@dataclass(frozen=True, slots=True)
class Balance:
    """Amounts in nano-ρ; delta: what of a cut's δ was spent, in atto-δ."""

    cap: int
    spent: int
    delta: int = 0

    @property
    def left(self) -> int:
        return max(0, self.cap - self.spent)


class BudgetExhausted(Exception):
    """The charge would pass a cap. scope: "cut", "project" or "person"; or "delta", the cut's, whose balance is in
    atto-δ. Known from the ledger alone.
    """

    def __init__(self, scope: str, balance: Balance) -> None:
        super().__init__(scope)
        self.scope, self.balance = scope, balance


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge as the ledger has it. nano_rho: its price; so_far: what its cut had spent with it; delta_so_far: the
    same of its δ, in atto-δ.
    """

    entry: int
    at: str
    cut: str
    project: str
    person: str | None
    release: str
    nano_rho: int
    so_far: int
    delta_so_far: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What a cut's charges of one day (UTC) came to, in nano-ρ; so_far: of all days up to it."""

    date: str
    charges: int
    nano_rho: int
    so_far: int


@dataclass(frozen=True, slots=True)
class Spending:
    """A charge, or a release that cost nothing, as its own project and person may see it. query: its JSON.
    so_far: what the project (or the person) had spent with it. answered: whether it led to a release; a charge that did
    not stays charged.
    """

    at: str
    cut: str
    project: str
    key_id: str
    release: str
    query: str
    nano_rho: int
    so_far: int
    answered: bool


class InProgress(Exception):
    """Somebody else's charge for one of these measurements is being answered now; ask again in a moment."""


class LedgerBroken(Exception):
    """The ledger cannot be trusted or written: no answer, and no start. The message says what to do."""


class Ledger(Protocol):
    def release(self, release: str, terms: Terms | None = None) -> StoredRelease | None:
        """terms: those it was asked under; Outdated if the cut's are others by now."""
        ...

    def releases(self, first: int, most: int) -> tuple[list[StoredRelease], int]:
        """Newest first, but for `first` of them, at most so many; and how many there are. None of a sandbox, and no
        model: it is no answer."""
        ...

    def missing(self, cut: str, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        """What `reserve` would have to charge for now, each at the price that is still lacking."""
        ...

    def reserve(self, request: Request) -> Reserved:
        """Charge what is missing, durably, or raise BudgetExhausted, InProgress, LedgerBroken; Outdated, where the
        terms of the cut are others by now; or Suspended, where the project was frozen or ended by now.

        One transaction: refuses terms that have changed; finds what was measured before, and what it lacks of the
        precision wanted; checks all caps, appends the charge to the chain, claims the missing questions; then moves the
        anchor outside.
        """
        ...

    def held(self, reserved: Reserved) -> AbstractContextManager[None]:
        """While it is measured, however long that takes: nobody else is charged for its questions, unless this process
        dies."""
        ...

    def store(
        self, reserved: Reserved, measured: Mapping[str, Measurement], body: bytes, table: ReleasedTable | None = None
    ) -> StoredRelease:
        """Store measurements and release, and append the release to the chain, in one transaction.

        table: wanted where the request has a scope and pays for anything. InProgress, and nothing stored, if another
        table of the scope was released since the reservation: this one was protected without regard to it.
        """
        ...

    def fail(self, reserved: Reserved) -> None:
        """Record that a charge led to no release, and give up its claims. The charge stays."""
        ...

    def released_tables(self, scope: str) -> tuple[ReleasedTable, ...]:
        """Every released table of the scope, oldest first."""
        ...

    def cut_balance(self, cut: str, cap: int) -> Balance: ...

    def project_balance(self, project: Project) -> Balance: ...

    def person_balance(self, person: Person) -> Balance: ...

    def charges(self, cut: str, last: int) -> list[Charge]:
        """The last charges to a cut, oldest first."""
        ...

    def days(self, cut: str, last: int) -> list[Day]:
        """The last days on which a cut was charged, oldest first; the last day's `so_far` is the cut's balance."""
        ...

    def spending(self, last: int, *, project: str = "", person: str = "") -> list[Spending]:
        """What a project, or a person, was last charged and answered, newest first."""
        ...

    def verify(self) -> int:
        """Check the whole chain, every stored release and the anchor; number of entries, or raise LedgerBroken."""
        ...
