"""The ledger in the service database: charges before anything is measured, releases after."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, bindparam, insert, select

from disclosure.tables import Measurement
from privacy_api.ports import (
    Balance,
    Charge,
    Day,
    InProgress,
    Outdated,
    Person,
    Project,
    ReleasedTable,
    Request,
    Reserved,
    Spending,
    StoredRelease,
    Terms,
    Wanted,
)
from privacy_api.service.cuts import SANDBOX
from privacy_api.stores import chain, history, official
from privacy_api.stores.anchor import Anchor, Head
from privacy_api.stores.caps import refuse_delta, refuse_overspending
from privacy_api.stores.clock import text, utc_now
from privacy_api.stores.database import reading, writing_alone
from privacy_api.stores.inspection import inspect
from privacy_api.stores.measurements import (
    claim,
    holds_claims,
    insert_measurements,
    lacking,
    paid,
    refuse_claimed,
    release_claims,
    renew_claims,
    stored,
)
from privacy_api.stores.packing import Packed, PackedTable, digest, pack
from privacy_api.stores.pulse import Pulse
from privacy_api.stores.schema import releases
from privacy_api.stores.terms import standing_digest, standing_of


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a release is stored as. packed: its body, by zlib."""

    body: bytes
    packed: bytes
    measurements: tuple[Packed, ...]
    table: PackedTable | None

    @property
    def digest(self) -> str:
        return digest(self.packed, self.measurements, self.table)


class SqlLedger:
    """The port `Ledger`. anchor: a file outside the database, on a disk of its own if there is one.

    claim_seconds: after so long without a sign of life (`held`) a charge is taken for dead, and its question may be
    charged again.
    """

    def __init__(
        self, engine: Engine, anchor: Path, claim_seconds: float = 60, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._engine = engine
        self._anchor = Anchor(anchor)
        self._claim_seconds = claim_seconds
        self._clock = clock
        self._pulse = Pulse(self._renew, claim_seconds / 3)

    def release(self, release: str, terms: Terms | None = None) -> StoredRelease | None:
        if not release.isprintable():
            return None  # PostgreSQL takes no NUL: an id that anyone may type must not look like a broken ledger
        with reading(self._engine) as connection:
            return _release(connection, release, terms)

    def releases(self, first: int, most: int) -> tuple[list[StoredRelease], int]:
        with reading(self._engine) as connection:
            return history.releases(connection, first, most)

    def missing(self, cut: str, wanted: Sequence[Wanted]) -> tuple[Wanted, ...]:
        with reading(self._engine) as connection:
            return lacking(paid(connection, cut, wanted), wanted)

    def reserve(self, request: Request) -> Reserved:
        _refuse_repeats(request.wanted)
        with writing_alone(self._engine) as connection:
            tail = self._tail(connection, request)
            # A sandbox is asked on the terms of the cut that it is a copy of.
            if standing_digest(connection, request.cut.partition(SANDBOX)[0]) != request.terms.digest:
                raise Outdated
            found = stored(connection, request.cut, request.wanted)
            missing = lacking({question: each.nano_rho for question, each in found.items()}, request.wanted)
            earlier = official.released(connection, request.scope)
            if not missing:
                return Reserved(request, None, 0, found, (), earlier)
            entry = self._charge(connection, tail, request, missing)
        self._anchor.move(entry.head)
        return Reserved(request, entry.seq, entry.nano_rho, found, missing, earlier)

    def store(
        self, reserved: Reserved, measured: Mapping[str, Measurement], body: bytes, table: ReleasedTable | None = None
    ) -> StoredRelease:
        """InProgress, and nothing stored, if the charge's questions were taken over while it was being answered, or
        another table of its scope was stored."""
        contents = _contents(reserved, measured, body, table)
        with writing_alone(self._engine) as connection:
            tail = self._tail(connection, reserved.request)
            release, head = self._store(connection, tail, reserved, contents)
        self._anchor.move(head)
        if release is None:
            raise InProgress
        return release

    def held(self, reserved: Reserved) -> AbstractContextManager[None]:
        return nullcontext() if reserved.charge is None else self._pulse.keeping(reserved.charge)

    def _renew(self, charges: frozenset[int]) -> None:
        with writing_alone(self._engine) as connection:
            renew_claims(connection, charges, self._clock().timestamp())

    def fail(self, reserved: Reserved) -> None:
        if reserved.charge is None:
            return
        with writing_alone(self._engine) as connection:
            tail = self._tail(connection, reserved.request)
            head = self._fail(connection, tail, reserved.request, reserved.charge)
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

    def spending(self, last: int, *, project: str = "", person: str = "") -> list[Spending]:
        with reading(self._engine) as connection:
            return history.spending(connection, last, project, person)

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

    def _tail(self, connection: Connection, request: Request) -> chain.Tail:
        """Of a chain that is the one the anchor describes, or LedgerBroken."""
        return chain.tail(connection, request, self._anchor.standing(lambda: chain.head(connection).seq == 0))

    def _is_empty(self) -> bool:
        with reading(self._engine) as connection:
            return chain.head(connection).seq == 0

    def _charge(
        self, connection: Connection, tail: chain.Tail, request: Request, missing: tuple[Wanted, ...]
    ) -> chain.Entry:
        now = self._clock()
        refuse_claimed(connection, request.cut, missing, now.timestamp(), self._claim_seconds)
        cost, delta = (sum(each) for each in zip(*((w.event.nano_rho, w.event.delta) for w in missing), strict=True))
        refuse_overspending(connection, tail, request, cost, now)
        refuse_delta(tail, request, delta)
        events = chain.events_text(wanted.event for wanted in missing)
        entry = chain.append(connection, tail, "charge", text(now), request, nano_rho=cost, delta=delta, events=events)
        claim(connection, request.cut, missing, entry.seq, now.timestamp())
        return entry

    def _store(
        self, connection: Connection, tail: chain.Tail, reserved: Reserved, contents: _Contents
    ) -> tuple[StoredRelease | None, Head]:
        """The release, None if the charge has lost its questions or its table was overtaken; and the chain's head
        after it. Closes the charge."""
        request, charge = reserved.request, reserved.charge
        standing = _release(connection, request.release)
        if charge is not None and (standing or _overtaken(connection, reserved, charge)):
            return standing, self._fail(connection, tail, request, charge)
        return (standing, tail.head) if standing else self._append_release(connection, tail, reserved, contents)

    def _append_release(
        self, connection: Connection, tail: chain.Tail, reserved: Reserved, contents: _Contents
    ) -> tuple[StoredRelease, Head]:
        request, charge = reserved.request, reserved.charge
        at = text(self._clock())
        entry = chain.append(connection, tail, "release", at, request, digest=contents.digest, refers_to=charge)
        release = {"id": request.release, "entry": entry.seq, "cut": entry.cut, "project": entry.project}
        connection.execute(_INSERT, {**release, "created": at, "body": contents.packed})
        insert_measurements(connection, request.cut, entry.seq, contents.measurements)
        if contents.table is not None:
            official.insert_table(connection, request.cut, entry.seq, contents.table)
        if charge is not None:
            release_claims(connection, charge)
        return StoredRelease(request.release, entry.cut, entry.project, at, contents.body), entry.head

    def _fail(self, connection: Connection, tail: chain.Tail, request: Request, charge: int) -> Head:
        head = tail.head
        if chain.is_open(connection, charge):
            head = chain.append(connection, tail, "failed", text(self._clock()), request, refers_to=charge).head
        release_claims(connection, charge)
        return head


def _refuse_repeats(wanted: Sequence[Wanted]) -> None:
    if len({each.question for each in wanted}) != len(wanted):
        raise ValueError("a request wants each question once")


def _contents(
    reserved: Reserved, measured: Mapping[str, Measurement], body: bytes, table: ReleasedTable | None
) -> _Contents:
    if measured.keys() != {wanted.question for wanted in reserved.missing}:
        raise ValueError("a charge stores the measurements that it paid for, no more and no fewer")
    prices = ((wanted.question, wanted.event.nano_rho) for wanted in reserved.missing)
    packed = tuple(pack(question, nano_rho, measured[question]) for question, nano_rho in prices)
    return _Contents(body, zlib.compress(body), packed, official.packed(reserved, table))


def _overtaken(connection: Connection, reserved: Reserved, charge: int) -> bool:
    """Somebody else measures its questions now, or has released a table that it does not know."""
    if official.released_since(connection, reserved.request.scope, charge):
        return True
    return not holds_claims(connection, charge, reserved.missing)


def _release(connection: Connection, release: str, terms: Terms | None = None) -> StoredRelease | None:
    row = connection.execute(_RELEASE, {"of": release, "of_cut": terms.cut if terms else ""}).first()
    if row is None:
        return None
    if terms is not None and (row.terms or "") != terms.digest:
        raise Outdated
    return history.release_of(row._mapping)


# Made once: to put a statement together takes longer than to run it.
_INSERT = insert(releases)
_RELEASE = select(releases, standing_of().label("terms")).where(releases.c.id == bindparam("of"))
