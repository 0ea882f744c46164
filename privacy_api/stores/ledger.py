"""The ledger in the service database: charges before anything is measured, releases after."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from disclosure.tables import Measurement
from privacy_api.ports import (
    Balance,
    BudgetExhausted,
    Charge,
    Day,
    InProgress,
    LedgerBroken,
    Person,
    Project,
    ReleasedTable,
    Request,
    Reserved,
    StoredRelease,
    Wanted,
)
from privacy_api.stores import chain, history, official
from privacy_api.stores.anchor import Anchor
from privacy_api.stores.clock import text, utc_now
from privacy_api.stores.database import reading, writing
from privacy_api.stores.inspection import inspect
from privacy_api.stores.measurements import (
    claim,
    holds_claims,
    insert_measurements,
    lacking,
    refuse_claimed,
    release_claims,
    stored,
)
from privacy_api.stores.packing import UNREADABLE, Packed, PackedTable, digest, pack
from privacy_api.stores.schema import people, projects, releases


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a release is stored as."""

    body: bytes
    measurements: tuple[Packed, ...]
    table: PackedTable | None

    @property
    def digest(self) -> str:
        return digest(self.body, self.measurements, self.table)


class SqlLedger:
    """The port `Ledger`. anchor: a file outside the database, on a disk of its own if there is one.

    claim_seconds: after so long without an answer a charge is taken for dead, and its question may be charged again.
    """

    def __init__(
        self, engine: Engine, anchor: Path, claim_seconds: float = 60, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._engine = engine
        self._anchor = Anchor(anchor)
        self._claim_seconds = claim_seconds
        self._clock = clock

    def release(self, release: str) -> StoredRelease | None:
        if not release.isprintable():
            return None  # PostgreSQL takes no NUL: an id that anyone may type must not look like a broken ledger
        with reading(self._engine) as connection:
            return _release(connection, release)

    def missing(self, cut: str, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        with reading(self._engine) as connection:
            return lacking(connection, cut, wanted)

    def reserve(self, request: Request) -> Reserved:
        _refuse_repeats(request.wanted)
        with writing(self._engine) as connection:
            self._trust(connection)
            found = stored(connection, request.cut, request.wanted)
            missing = lacking(connection, request.cut, request.wanted)
            earlier = official.released(connection, request.scope)
            if not missing:
                return Reserved(request, None, 0, found, (), earlier)
            entry = self._charge(connection, request, missing)
        self._anchor.move(entry.head)
        return Reserved(request, entry.seq, entry.nano_rho, found, missing, earlier)

    def store(
        self, reserved: Reserved, measured: Mapping[str, Measurement], body: bytes, table: ReleasedTable | None = None
    ) -> StoredRelease:
        """InProgress, and nothing stored, if the charge's questions were taken over while it was being answered, or
        another table of its scope was stored."""
        contents = _contents(reserved, measured, body, table)
        with writing(self._engine) as connection:
            self._trust(connection)
            release = self._store(connection, reserved, contents)
            head = chain.head(connection)
        self._anchor.move(head)
        if release is None:
            raise InProgress
        return release

    def fail(self, reserved: Reserved) -> None:
        if reserved.charge is None:
            return
        with writing(self._engine) as connection:
            self._trust(connection)
            self._fail(connection, reserved.request, reserved.charge)
            head = chain.head(connection)
        self._anchor.move(head)

    def released_tables(self, scope: str) -> tuple[ReleasedTable, ...]:
        with reading(self._engine) as connection:
            return official.released(connection, scope)

    def cut_balance(self, cut: str, cap: int) -> Balance:
        with reading(self._engine) as connection:
            return Balance(cap, chain.cut_spent(connection, cut), chain.delta_spent(connection, cut))

    def project_balance(self, project: Project) -> Balance:
        with reading(self._engine) as connection:
            return Balance(project.cap, chain.project_spent(connection, project.id))

    def person_balance(self, person: Person) -> Balance:
        with reading(self._engine) as connection:
            return Balance(person.cap, chain.person_spent(connection, person.id))

    def charges(self, cut: str, last: int) -> list[Charge]:
        with reading(self._engine) as connection:
            return history.charges(connection, cut, last)

    def days(self, cut: str, last: int) -> list[Day]:
        with reading(self._engine) as connection:
            return history.days(connection, cut, last)

    def verify(self) -> int:
        # The anchor first: whatever it names was committed before, so the snapshot taken afterwards must hold it.
        anchor = self._anchor.standing(self._is_empty)
        with reading(self._engine) as connection:
            return inspect(connection, anchor).seq

    def reanchor(self) -> int:
        """Accept the ledger as it is, if the chain itself is whole: for people who have inspected it."""
        with self._anchor.locked(), reading(self._engine) as connection:
            head = inspect(connection, None)
            self._anchor.write(head)
        return head.seq

    def _trust(self, connection: Connection) -> None:
        chain.trust(connection, self._anchor.standing(lambda: chain.head(connection).seq == 0))

    def _is_empty(self) -> bool:
        with reading(self._engine) as connection:
            return chain.head(connection).seq == 0

    def _charge(self, connection: Connection, request: Request, missing: tuple[Wanted, ...]) -> chain.Entry:
        now = self._clock()
        refuse_claimed(connection, request.cut, missing, now.timestamp(), self._claim_seconds)
        cost, delta = (sum(each) for each in zip(*((w.event.nano_rho, w.event.delta) for w in missing), strict=True))
        _refuse_overspending(connection, request, cost)
        _refuse_delta(connection, request, delta)
        events = chain.events_text(wanted.event for wanted in missing)
        entry = chain.append(connection, "charge", text(now), request, nano_rho=cost, delta=delta, events=events)
        claim(connection, request.cut, missing, entry.seq, now.timestamp())
        return entry

    def _store(self, connection: Connection, reserved: Reserved, contents: _Contents) -> StoredRelease | None:
        """The release; None if the charge has lost its questions, or its table was overtaken. Closes the charge."""
        request, charge = reserved.request, reserved.charge
        standing = _release(connection, request.release)
        if charge is not None and (standing or _overtaken(connection, reserved, charge)):
            self._fail(connection, request, charge)
            return standing
        return standing or self._append_release(connection, reserved, contents)

    def _append_release(self, connection: Connection, reserved: Reserved, contents: _Contents) -> StoredRelease:
        request, charge, body = reserved.request, reserved.charge, contents.body
        at = text(self._clock())
        entry = chain.append(connection, "release", at, request, digest=contents.digest, refers_to=charge)
        connection.execute(
            insert(releases).values(
                id=request.release, entry=entry.seq, cut=entry.cut, project=entry.project, created=at, body=body
            )
        )
        insert_measurements(connection, request.cut, entry.seq, contents.measurements)
        if contents.table is not None:
            official.insert_table(connection, request.cut, entry.seq, contents.table)
        if charge is not None:
            release_claims(connection, charge)
        return StoredRelease(request.release, entry.cut, entry.project, at, zlib.decompress(body))

    def _fail(self, connection: Connection, request: Request, charge: int) -> None:
        if chain.is_open(connection, charge):
            chain.append(connection, "failed", text(self._clock()), request, refers_to=charge)
        release_claims(connection, charge)


def _refuse_repeats(wanted: Sequence[Wanted]) -> None:
    if len({each.question for each in wanted}) != len(wanted):
        raise ValueError("a request wants each question once")


def _refuse_overspending(connection: Connection, request: Request, cost: int) -> None:
    cut = Balance(request.cut_cap, chain.cut_spent(connection, request.cut))
    if cut.spent + cost > cut.cap:
        raise BudgetExhausted("cut", cut)
    project = Balance(_project_cap(connection, request), chain.project_spent(connection, request.principal.project.id))
    if project.spent + cost > project.cap:
        raise BudgetExhausted("project", project)
    if request.principal.person is not None:
        _refuse_overspending_person(connection, request.principal.person, cost)


def _refuse_delta(connection: Connection, request: Request, delta: int) -> None:
    """What costs no δ is answered whatever was spent of it."""
    balance = Balance(request.delta_cap, chain.delta_spent(connection, request.cut))
    if delta and balance.spent + delta > balance.cap:
        raise BudgetExhausted("delta", balance)


def _refuse_overspending_person(connection: Connection, person: str, cost: int) -> None:
    cap = connection.execute(select(people.c.cap).where(people.c.id == person)).scalar()
    if cap is None:
        raise LedgerBroken("The key's person is not in the service database, so nothing can be charged to it.")
    balance = Balance(int(cap), chain.person_spent(connection, person))
    if balance.spent + cost > balance.cap:
        raise BudgetExhausted("person", balance)


def _project_cap(connection: Connection, request: Request) -> int:
    """As stored now: the request's copy may be older than a change of the cap."""
    caps = select(projects.c.cap).where(projects.c.id == request.principal.project.id)
    cap = connection.execute(caps).scalar()
    if cap is None:
        raise LedgerBroken("The project is not in the service database, so nothing can be charged to it.")
    return int(cap)


def _contents(
    reserved: Reserved, measured: Mapping[str, Measurement], body: bytes, table: ReleasedTable | None
) -> _Contents:
    if measured.keys() != {wanted.question for wanted in reserved.missing}:
        raise ValueError("a charge stores the measurements that it paid for, no more and no fewer")
    paid = ((wanted.question, wanted.event.nano_rho) for wanted in reserved.missing)
    packed = tuple(pack(question, nano_rho, measured[question]) for question, nano_rho in paid)
    return _Contents(zlib.compress(body), packed, official.packed(reserved, table))


def _overtaken(connection: Connection, reserved: Reserved, charge: int) -> bool:
    """Somebody else measures its questions now, or has released a table that it does not know."""
    if official.released_since(connection, reserved.request.scope, charge):
        return True
    return not holds_claims(connection, charge, reserved.missing)


def _release(connection: Connection, release: str) -> StoredRelease | None:
    row = connection.execute(select(releases).where(releases.c.id == release)).first()
    if row is None:
        return None
    try:
        return StoredRelease(row.id, row.cut, row.project, row.created, zlib.decompress(row.body))
    except UNREADABLE:
        raise chain.edited("a stored release cannot be read") from None
