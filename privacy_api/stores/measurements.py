"""Stored measurements and the claims on those being made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from disclosure.tables import Measurement
from privacy_api.ports import InProgress, Wanted
from privacy_api.stores.chain import edited
from privacy_api.stores.packing import UNREADABLE, Packed, unpack
from privacy_api.stores.schema import claims, measurements


def stored(connection: Connection, cut: str, wanted: Iterable[Wanted]) -> dict[str, Measurement]:
    """By question, the most precise measurement there is, where it is at least as precise as wanted."""
    prices = {each.question: each.event.nano_rho for each in wanted}
    found = (packed_of(row) for row in _most_precise(connection, cut, prices))
    return {packed.question: _unpacked(packed) for packed in found if packed.nano_rho >= prices[packed.question]}


def packed_of(row: RowMapping) -> Packed:
    return Packed(row["question"], row["nano_rho"], row["sigma"], row["cells"], row["masked"])


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


def _unpacked(packed: Packed) -> Measurement:
    try:
        return unpack(packed)
    except UNREADABLE:
        raise edited("a stored measurement cannot be read") from None


def _most_precise(connection: Connection, cut: str, prices: Mapping[str, int]) -> Iterable[RowMapping]:
    best = (
        select(measurements.c.question, func.max(measurements.c.nano_rho).label("nano_rho"))
        .where(measurements.c.cut == cut, measurements.c.question.in_(list(prices)))
        .group_by(measurements.c.question)
        .subquery()
    )
    same = (measurements.c.question == best.c.question) & (measurements.c.nano_rho == best.c.nano_rho)
    return connection.execute(select(measurements).join(best, same).where(measurements.c.cut == cut)).mappings()
