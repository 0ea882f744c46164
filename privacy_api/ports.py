"""What the service needs from outside, as small protocols; `stores/` and `datasets.engines` are the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from datasets.official.released import ReleasedCells
from datasets.plan import Plan
from disclosure.accounting import Event
from disclosure.refine import Paid
from disclosure.tables import ExactGroups, ExactTable, Measurement


class Engine(Protocol):
    def aggregate(self, plan: Plan) -> ExactTable:
        """Exact aggregates over the plan's whole key space; raises EngineFailed, which says nothing."""
        ...

    def listed(self, plan: Plan) -> ExactGroups:
        """Exact counts of the groups in the plan's key space that have rows; raises EngineFailed, as above."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Project:
    """Who may ask for what. cap in nano-ρ over the life of the project; grants name class B and D variables."""

    id: str
    title: str
    cap: int
    grants: frozenset[str]


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, over all projects and cuts. cap in nano-ρ for life."""

    id: str
    cap: int


class Role(StrEnum):
    """What a key may do beyond asking: a checker may have outputs checked, which tells of exact numbers."""

    RESEARCHER = "researcher"
    CHECKER = "checker"


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds an API key: the key's public id, its project, the id of its person if it has one, and its role."""

    key_id: str
    project: Project
    person: str | None = None
    role: Role = Role.RESEARCHER


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
    with regard to each other; empty where there is noise.
    """

    principal: Principal
    cut: str
    cut_cap: int
    release: str
    query: str
    wanted: tuple[Wanted, ...]
    delta_cap: int = 0
    scope: str = ""


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


@dataclass(frozen=True, slots=True)
class StoredRelease:
    """A citable protected answer as it was first given: `body` is its JSON."""

    id: str
    cut: str
    project: str
    created: str
    body: bytes


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


class InProgress(Exception):
    """Somebody else's charge for one of these measurements is being answered now; ask again in a moment."""


class LedgerBroken(Exception):
    """The ledger cannot be trusted or written: no answer, and no start. The message says what to do."""


class Ledger(Protocol):
    def release(self, release: str) -> StoredRelease | None: ...

    def missing(self, cut: str, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        """What `reserve` would have to charge for now, each at the price that is still lacking."""
        ...

    def reserve(self, request: Request) -> Reserved:
        """Charge what is missing, durably, or raise BudgetExhausted, InProgress or LedgerBroken.

        One transaction: finds what was measured before, and what it lacks of the precision wanted; checks all
        caps, appends the charge to the chain, claims the missing questions; then moves the anchor outside.
        """
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

    def verify(self) -> int:
        """Check the whole chain, every stored release and the anchor; number of entries, or raise LedgerBroken."""
        ...


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as it may be shown: never the secret."""

    id: str
    project: str
    label: str
    created: str
    revoked: str | None
    person: str | None = None
    role: Role = Role.RESEARCHER


@dataclass(frozen=True, slots=True)
class RegisteredTable:
    """A table that an officer has registered to be released: its question as JSON, and the digest of the policy it was
    approved under. Its release for each version of the cut is found by asking that question."""

    id: str
    title: str
    data_set: str
    question: str
    policy: str
    created: str
    withdrawn: str | None = None


class Tables(Protocol):
    def register(self, table: RegisteredTable) -> RegisteredTable:
        """Raises AlreadyRegistered where the id is taken, also by a table that was withdrawn."""
        ...

    def table(self, table: str) -> RegisteredTable | None: ...

    def tables(self) -> list[RegisteredTable]:
        """In the order of registering, withdrawn ones among them."""
        ...

    def withdraw(self, table: str) -> bool: ...


class AlreadyRegistered(ValueError):
    """A registered table has this id."""


@dataclass(frozen=True, slots=True)
class OutputCheck:
    """That an output was checked: who (the id of a key, or who ran the command), the table's SHA-256, the query as JSON
    and the verdict. No number of the table is kept. policy: its digest.
    """

    id: str
    at: str
    who: str
    project: str | None
    data_set: str
    version: str
    policy: str
    sha256: str
    query: str | None
    verdict: str


class OutputChecks(Protocol):
    def record(self, check: OutputCheck) -> None: ...

    def checks(self, last: int) -> list[OutputCheck]:
        """The last ones, oldest first."""
        ...


class Projects(Protocol):
    def create_project(self, project: Project) -> Project: ...

    def project(self, project: str) -> Project | None: ...

    def projects(self) -> list[Project]: ...

    def create_person(self, person: Person) -> Person: ...

    def person(self, person: str) -> Person | None: ...

    def people(self) -> list[Person]: ...

    def create_key(
        self,
        project: str,
        label: str,
        environment: str,
        person: str | None = None,
        role: Role = Role.RESEARCHER,
    ) -> tuple[KeyInfo, str]:
        """The key's record and, this once, the key itself. Its charges count against the person, if it has one."""
        ...

    def issued_keys(self) -> list[KeyInfo]: ...

    def revoke_key(self, key_id: str) -> bool: ...

    def principal(self, key: str) -> Principal | None:
        """Whoever holds this key; None for a wrong, unknown or revoked one (compared in constant time)."""
        ...
