"""Stored measurements and the claims on those being made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from disclosure.refine import Paid, combine
from disclosure.tables import Measurement
from privacy_api.ports import InProgress, Wanted
from privacy_api.stores.chain import edited
from privacy_api.stores.packing import UNREADABLE, Packed, unpack
from privacy_api.stores.schema import claims, measurements


def stored(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> dict[str, Paid]:
    """By question, everything that was measured of it so far, as one measurement."""
    questions = [each.question for each in wanted]
    here = (measurements.c.cut == cut) & measurements.c.question.in_(questions)
    parts: dict[str, list[Paid]] = {}
    for row in connection.execute(select(measurements).where(here).order_by(measurements.c.entry)).mappings():
        parts.setdefault(row["question"], []).append(Paid(_unpacked(row), row["nano_rho"]))
    return {question: combine(several) for question, several in parts.items()}


def lacking(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """What must still be paid for, at the difference between the price wanted and what was paid before."""
    before = _paid(connection, cut, wanted)
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
        connection.execute(insert(measurements), rows)


def refuse_claimed(connection: Connection, cut: str, missing: Iterable[Wanted], now: float, seconds: float) -> None:
    """InProgress if anyone is measuring one of these. A claim from the future is as stale as an old one:
    a clock that was set back must not block a question for longer."""
    questions = [wanted.question for wanted in missing]
    claimed = select(claims.c.claimed).where(claims.c.cut == cut, claims.c.question.in_(questions))
    if any(abs(now - each) < seconds for each in connection.execute(claimed).scalars()):
        raise InProgress


def claim(connection: Connection, cut: str, missing: Iterable[Wanted], charge: int, now: float) -> None:
    """Claims on the same questions that went stale are taken over."""
    questions = [wanted.question for wanted in missing]
    connection.execute(delete(claims).where(claims.c.cut == cut, claims.c.question.in_(questions)))
    rows = [{"cut": cut, "question": question, "charge": charge, "claimed": now} for question in questions]
    connection.execute(insert(claims), rows)


def holds_claims(connection: Connection, charge: int, missing: Iterable[Wanted]) -> bool:
    held = set(connection.execute(select(claims.c.question).where(claims.c.charge == charge)).scalars())
    return held == {wanted.question for wanted in missing}


def release_claims(connection: Connection, charge: int) -> None:
    connection.execute(delete(claims).where(claims.c.charge == charge))


def _unpacked(row: RowMapping) -> Measurement:
    try:
        return unpack(packed_of(row))
    except UNREADABLE:
        raise edited("a stored measurement cannot be read") from None


def _paid(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> dict[str, int]:
    """nano-ρ paid so far, by question."""
    questions = [each.question for each in wanted]
    paid = (
        select(measurements.c.question, func.sum(measurements.c.nano_rho))
        .where(measurements.c.cut == cut, measurements.c.question.in_(questions))
        .group_by(measurements.c.question)
    )
    return {question: int(total) for question, total in connection.execute(paid)}
