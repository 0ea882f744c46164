"""Stored measurements and the claims on those being made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, bindparam, delete, func, insert, select, update

from disclosure.refine import Paid, combine
from disclosure.tables import Measurement
from privacy_api.ports import InProgress, Wanted
from privacy_api.stores.chain import edited
from privacy_api.stores.packing import UNREADABLE, Packed, unpack
from privacy_api.stores.schema import claims, measurements


def stored(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> dict[str, Paid]:
    """By question, everything that was measured of it so far, as one measurement."""
    parts: dict[str, list[Paid]] = {}
    for row in connection.execute(_STORED, _asked(cut, wanted)).mappings():
        parts.setdefault(row["question"], []).append(Paid(_unpacked(row), row["nano_rho"]))
    return {question: combine(several) for question, several in parts.items()}


def paid(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> dict[str, int]:
    """nano-ρ paid so far, by question."""
    return {question: int(total) for question, total in connection.execute(_PAID, _asked(cut, wanted))}


def lacking(before: Mapping[str, int], wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """What must still be paid for, at the difference between the price wanted and what was paid before, by question."""
    return tuple(
        Wanted(replace(each.event, nano_rho=each.event.nano_rho - before.get(each.question, 0)))
        for each in wanted
        if each.question not in before or before[each.question] < each.event.nano_rho
    )


def packed_of(row: RowMapping) -> Packed:
    return Packed(row["question"], row["nano_rho"], row["sigma"], row["cells"], row["masked"], row["noise"])


def insert_measurements(connection: Connection, cut: str, entry: int, packed: Iterable[Packed]) -> None:
    rows = [{**asdict(each), "cut": cut, "entry": entry} for each in packed]
    if rows:
        connection.execute(_INSERT, rows)


def refuse_claimed(connection: Connection, cut: str, missing: Sequence[Wanted], now: float, seconds: float) -> None:
    """InProgress if anyone is measuring one of these. A claim from the future is as stale as an old one:
    a clock that was set back must not block a question for longer. Stale ones are dropped, for others to take."""
    asked = _asked(cut, missing)
    claimed = connection.execute(_CLAIMED, asked).scalars().all()
    if any(abs(now - each) < seconds for each in claimed):
        raise InProgress
    if claimed:
        connection.execute(_DROP_CLAIMS, asked)


def claim(connection: Connection, cut: str, missing: Iterable[Wanted], charge: int, now: float) -> None:
    """Of questions that nobody holds a claim on."""
    rows = [{"cut": cut, "question": wanted.question, "charge": charge, "claimed": now} for wanted in missing]
    connection.execute(_CLAIM, rows)


def holds_claims(connection: Connection, charge: int, missing: Iterable[Wanted]) -> bool:
    held = set(connection.execute(_HELD, {"by": charge}).scalars())
    return held == {wanted.question for wanted in missing}


def renew_claims(connection: Connection, charges: Iterable[int], now: float) -> None:
    connection.execute(_RENEW, {"by": list(charges), "claimed": now})


def release_claims(connection: Connection, charge: int) -> None:
    connection.execute(_RELEASE_CLAIMS, {"by": charge})


def _unpacked(row: RowMapping) -> Measurement:
    try:
        return unpack(packed_of(row))
    except UNREADABLE:
        raise edited("a stored measurement cannot be read") from None


def _asked(cut: str, wanted: Iterable[Wanted]) -> dict[str, object]:
    return {"of_cut": cut, "questions": [each.question for each in wanted]}


def _among(table: Table) -> ColumnElement[bool]:
    return (table.c.cut == bindparam("of_cut")) & table.c.question.in_(bindparam("questions", expanding=True))


# Made once: to put a statement together takes longer than to run it.
_STORED = select(measurements).where(_among(measurements)).order_by(measurements.c.entry)
_PAID = (
    select(measurements.c.question, func.sum(measurements.c.nano_rho))
    .where(_among(measurements))
    .group_by(measurements.c.question)
)
_INSERT = insert(measurements)
_CLAIMED = select(claims.c.claimed).where(_among(claims))
_DROP_CLAIMS = delete(claims).where(_among(claims))
_CLAIM = insert(claims)
_HELD = select(claims.c.question).where(claims.c.charge == bindparam("by"))
_RENEW = update(claims).where(claims.c.charge.in_(bindparam("by", expanding=True)))
_RELEASE_CLAIMS = delete(claims).where(claims.c.charge == bindparam("by"))
